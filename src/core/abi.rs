//! The numbers that cross the border between Rust and JavaScript.
//!
//! Each list stands here alone: the build writes `js/client/abi.gen.js` from it, and JavaScript uses names, too. A
//! number takes less room in the module, and less time across its border, than a text does.

/// Defines an enum whose variants have numbers from 0 and texts, in this order.
macro_rules! table {
    ($(#[$meta:meta])* $Table:ident { $($(#[$doc:meta])* $Variant:ident $text:literal)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $Table { $($(#[$doc])* $Variant),* }

        impl $Table {
            /// All variants, by their numbers.
            pub const ALL: &[$Table] = &[$($Table::$Variant),*];
            /// Their texts, by their numbers.
            pub const TEXTS: &[&str] = &[$($text),*];

            /// The text of this variant.
            pub fn text(self) -> &'static str {
                match self { $($Table::$Variant => $text),* }
            }
        }
    };
}

table! {
    /// A function of the package that drives the call machine. Creates come first: `js/client/client.js` relies on it.
    Command {
        /// Creates an image, and returns its task as it stands.
        Generate "generate"
        /// Creates an image, and waits for its task.
        GenerateAndWait "generateAndWait"
        /// Edits an image, and returns the task of that as it stands.
        Edit "edit"
        /// Edits an image, and waits for the task of that.
        EditAndWait "editAndWait"
        /// Polls a task once.
        GetTask "getTask"
        /// Waits for a task.
        WaitForTask "waitForTask"
    }
}

table! {
    /// What the JavaScript half of the shell has for the call machine.
    EventKind {
        /// There is no event.
        None "none"
        /// The credentials of a request are ready.
        Credentials "credentials"
        /// An attempt has ended: this call's own, or one of another call that sends the same polls.
        Attempt "attempt"
        /// `onTask` has settled.
        Announced "announced"
        /// The call that this one followed has given up.
        LeaderLeft "leaderLeft"
        /// The runtime has come back: a page is visible again, or the network has returned.
        Woken "woken"
        /// The caller's signal has aborted.
        Aborted "aborted"
        /// The time has come.
        Elapsed "elapsed"
    }
}

table! {
    /// How a poll gets its answer.
    Source {
        /// This call has to send it.
        Own "own"
        /// Another call has sent the same poll.
        Poll "poll"
        /// Another call reads a stream of answers.
        Stream "stream"
    }
}

table! {
    /// What a value is: a finer `typeof`.
    Shape {
        /// `undefined` or `null`.
        Nothing "nothing"
        /// `false`.
        False "false"
        /// `true`.
        True "true"
        /// A string without characters.
        Empty "empty"
        /// Any other string.
        Filled "filled"
        /// A symbol, a big integer, or an object that cannot be looked at.
        Other "other"
        /// A number.
        Number "number"
        /// An array.
        List "list"
        /// Any other object.
        Object "object"
        /// A function.
        Function "function"
    }
}

table! {
    /// The status of a generation.
    Status {
        /// Waiting for its turn.
        Pending "pending"
        /// Being worked on, or in a state that we do not know.
        Processing "processing"
        /// Done.
        Completed "completed"
        /// Ended without a result.
        Failed "failed"
    }
}

table! {
    /// What is known of the request's effect, and so of its cost.
    Outcome {
        /// Nothing has left this machine.
        NotSent "not_sent"
        /// The server refused: nothing was billed.
        Rejected "rejected"
        /// A task exists and may still complete.
        Accepted "accepted"
        /// The task ended as failed.
        Failed "failed"
        /// The request may have been carried out and billed.
        Unknown "unknown"
    }
}

table! {
    /// The kind of an error.
    #[allow(missing_docs)] // the declarations document the class of each
    Kind {
        InvalidRequest "invalid_request"
        Authentication "authentication"
        PaymentRequired "payment_required"
        PermissionDenied "permission_denied"
        NotFound "not_found"
        RateLimit "rate_limit"
        Server "server"
        TaskNotFound "task_not_found"
        TaskFailed "task_failed"
        TaskCancelled "task_cancelled"
        Connection "connection"
        RequestTimeout "request_timeout"
        Response "response"
        WaitTimeout "wait_timeout"
        PollBudget "poll_budget"
        UntrustedUrl "untrusted_url"
        Callback "callback"
        Internal "internal"
    }
}

table! {
    /// The name of a field or an option.
    #[allow(missing_docs)] // each is what its text says
    Name {
        // The options, in the order in which they are checked.
        ApiKey "apiKey"
        BaseUrl "baseUrl"
        Relay "relay"
        Fetch "fetch"
        Headers "headers"
        DangerouslyAllowBrowser "dangerouslyAllowBrowser"
        Signal "signal"
        RequestTimeout "requestTimeout"
        MaxRetries "maxRetries"
        PollInterval "pollInterval"
        MaxWait "maxWait"
        MaxPolls "maxPolls"
        IdempotencyKey "idempotencyKey"
        OnTask "onTask"
        OnUpdate "onUpdate"
        OnResponse "onResponse"
        Fallback "fallback"
        // What else options are made of.
        Min "min"
        Max "max"
        Aborted "aborted"
        AddEventListener "addEventListener"
        RemoveEventListener "removeEventListener"
        // A request.
        Request "request"
        Prompt "prompt"
        N "n"
        Model "model"
        Size "size"
        Quality "quality"
        ResponseFormat "response_format"
        Style "style"
        User "user"
        Image "image"
        ImageUrl "image_url"
        ImageUrls "image_urls"
        Images "images"
        // An answer.
        Task "task"
        TaskId "task_id"
        Id "id"
        PollUrl "poll_url"
        Status "status"
        Data "data"
        Url "url"
        B64Json "b64_json"
        VideoUrl "video_url"
        AudioUrl "audio_url"
        ModelUrl "model_url"
        Video "video"
        Videos "videos"
        Cancelled "cancelled"
        Error "error"
        Code "code"
        Type "type"
        Hint "hint"
        DidYouMean "did_you_mean"
        Retryable "retryable"
        RetryAfter "retry_after"
        // An attempt, as `js/client/exchange.js` makes it.
        IsSent "isSent"
        IsLate "isLate"
        IsJson "isJson"
        Seconds "seconds"
        Date "date"
        Now "now"
        Location "location"
        Body "body"
        // Credentials.
        Key "key"
        KeyFailed "keyFailed"
        HeadersFailed "headersFailed"
        // A call, as `js/client/call.js` makes it, and its request as JSON.
        Input "input"
        Age "age"
        Options "options"
        CallOptions "callOptions"
        ClientOptions "clientOptions"
        Value "value"
    }
}

table! {
    /// What there is to read of a value besides its fields, by numbers behind those of the names.
    Trait {
        /// The fields of an object, as an array of names and values.
        Entries "entries"
        /// The length of an array.
        Length "length"
        /// Why a body refuses.
        Reason "reason"
        /// The value in words, for a message.
        Description "description"
        /// The value itself.
        Itself "itself"
    }
}

impl Shape {
    /// The set of `undefined` and `null`.
    pub const NOTHING: u16 = Shape::Nothing.bit();
    /// The set of `true`.
    pub const TRUE: u16 = Shape::True.bit();
    /// The set of all booleans.
    pub const FLAG: u16 = Shape::False.bit() | Shape::TRUE;
    /// The set of strings with at least one character.
    pub const FILLED: u16 = Shape::Filled.bit();
    /// The set of all strings.
    pub const TEXT: u16 = Shape::Empty.bit() | Shape::FILLED;
    /// The set of all numbers.
    pub const NUMBER: u16 = Shape::Number.bit();
    /// The set of all arrays.
    pub const LIST: u16 = Shape::List.bit();
    /// The set of all other objects.
    pub const OBJECT: u16 = Shape::Object.bit();
    /// The set of all functions.
    pub const FUNCTION: u16 = Shape::Function.bit();

    /// The shape as a bit of a set of shapes.
    pub const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl Name {
    /// How many names are those of options: the first ones, before what options are made of.
    pub const OPTIONS: usize = Name::Min as usize;
    /// How many names there are. The number of a [`Trait`] is this much larger, and that of an element of an array
    /// begins behind the last trait.
    pub const COUNT: u32 = Name::ALL.len() as u32;
}

/// The JavaScript half: what the build writes into `js/client/abi.gen.js`.
pub fn javascript() -> String {
    let tables = [
        ("COMMAND", Command::TEXTS, 0),
        ("EVENT", EventKind::TEXTS, 0),
        ("SOURCE", Source::TEXTS, 0),
        ("SHAPE", Shape::TEXTS, 0),
        ("TRAIT", Trait::TEXTS, Name::ALL.len()),
    ]
    .map(|(table, texts, start)| {
        let constant = |(number, text): (usize, &&str)| {
            format!("export const {table}_{} = {number};\n", constant_case(text))
        };
        (start..).zip(texts).map(constant).collect::<Vec<_>>().concat()
    });
    let counts = format!(
        "export const FIRST_ELEMENT = {};\nexport const OPTION_COUNT = {};\n",
        Name::ALL.len() + Trait::ALL.len(),
        Name::OPTIONS
    );
    let lists = [
        ("NAMES", Name::TEXTS),
        ("KINDS", Kind::TEXTS),
        ("OUTCOMES", Outcome::TEXTS),
        ("STATUSES", Status::TEXTS),
    ]
    .map(|(list, texts)| format!("export const {list} = /* @__PURE__ */ {}.split(' ');\n", string_of(texts)));
    [tables.join("\n"), counts, lists.join("\n")].join("\n")
}

/// `leaderLeft` as `LEADER_LEFT`.
fn constant_case(text: &str) -> String {
    text.chars().fold(String::new(), |name, char| {
        let gap = if char.is_ascii_uppercase() { "_" } else { "" };
        name + gap + &char.to_ascii_uppercase().to_string()
    })
}

/// The words as a JavaScript string, in parts that fit into a line.
fn string_of(words: &[&str]) -> String {
    const WIDTH: usize = 56;
    let mut parts: Vec<String> = Vec::new();
    for &word in words {
        match parts.last_mut() {
            Some(part) if part.len() + word.len() < WIDTH => *part = format!("{part} {word}"),
            _ => parts.push(word.into()),
        }
    }
    let string = parts.join(" ' +\n  '");
    if parts.len() == 1 { format!("'{string}'") } else { format!("(\n  '{string}'\n)") }
}
