//! What went wrong, whether money may have been spent, and what to do next.

use super::{
    abi::{Kind, Name, Outcome},
    answer::{Answer, TransportError},
    ms::Ms,
    retry::longer_pause,
    task::Task,
    text::{contains, copy, join, number},
    value::Value,
};

/// What the code or the type of a 404 is where the provider does not know the task.
const TASK_NOT_FOUND: &str = "async_task_not_found";

/// The code of a 503 where no provider behind the service can serve a model.
const ALL_CHANNELS_FAILED: &str = "all_channels_failed";

/// What to do about an answer that comes from another server than the one that was meant.
const CHECK_BASE_URL: &str = "Check baseUrl, or the dev server's proxy.";

/// Ends the message of a failure that leaves its task as it is.
pub const GOES_ON: &str = "The task goes on at the server: waitForTask(error.task) waits on.";

impl Kind {
    /// The kind of an HTTP status that is not a success.
    fn of_status(status: u16) -> Kind {
        match status {
            // A browser shows a redirect that it does not follow as status 0.
            0 | 300..=303 | 305..=399 => Kind::Response,
            401 => Kind::Authentication,
            402 => Kind::PaymentRequired,
            403 => Kind::PermissionDenied,
            404 => Kind::NotFound,
            429 => Kind::RateLimit,
            // "Not modified" answers no question of ours: something between us and the server is confused.
            304 | 408 | 500.. => Kind::Server,
            _ => Kind::InvalidRequest,
        }
    }

    /// What to do next, for an answer that brings no hint of its own.
    fn advice(self) -> &'static str {
        match self {
            Kind::Authentication => "Check the API key.",
            Kind::PaymentRequired => "Top up, or choose a cheaper model.",
            Kind::PermissionDenied => "Check what this key may use.",
            Kind::RateLimit => "Wait before the next request.",
            _ => "",
        }
    }
}

/// An error as data: the shell turns it into an instance of its class, and adds what the provider says of
/// it in the body of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Which class it is.
    pub kind: Kind,
    /// What is known of the request's effect.
    pub outcome: Outcome,
    /// What happened, to what, and what to do next; behind the name of `param`, where there is one.
    pub message: String,
    /// The HTTP status; 0 where there was no answer.
    pub status: u16,
    /// The field or option that we object to.
    pub param: Option<Name>,
    /// How long the server asks to wait, if at all.
    pub retry_after: Ms,
    /// Whether the provider says that asking again cannot help.
    pub is_final: bool,
    /// Whether another model may do better: the failure is of this one.
    pub blames_model: bool,
    /// The task that has failed.
    pub task: Option<Task>,
}

impl Failure {
    /// A failure whose message begins so, and nothing else known.
    pub fn new(kind: Kind, outcome: Outcome, message: &str) -> Box<Failure> {
        Box::new(Failure {
            kind,
            outcome,
            message: copy(message),
            status: 0,
            param: None,
            retry_after: Ms::ZERO,
            is_final: false,
            blames_model: kind == Kind::TaskFailed,
            task: None,
        })
    }

    /// Our own objection to a field or an option, which follows its name.
    pub fn refusal(param: Name, message: &str) -> Box<Failure> {
        let mut failure = Failure::new(Kind::InvalidRequest, Outcome::NotSent, message);
        failure.param = Some(param);
        failure
    }

    /// Our own objection to the type or the range of a field or an option.
    pub fn invalid<V: Value>(param: Name, expected: &str, value: &V) -> Box<Failure> {
        let mut failure = Failure::refusal(param, " must be ");
        failure.say(expected);
        failure.say("; it is ");
        failure.say(&value.description());
        failure.say(".");
        failure
    }

    /// A request that JSON cannot express.
    pub fn not_json() -> Box<Failure> {
        Failure::refusal(Name::Request, " must be plain JSON.")
    }

    /// Headers that `new Headers()` refuses.
    pub fn headers() -> Box<Failure> {
        Failure::refusal(Name::Headers, " must be what new Headers() takes, or a function that returns it.")
    }

    /// An `apiKey` function that throws or rejects.
    pub fn key_function() -> Box<Failure> {
        let message = "The apiKey function failed: see error.cause.";
        Failure::new(Kind::Authentication, Outcome::NotSent, message)
    }

    /// An `onTask` that throws or rejects.
    pub fn callback_failed(task: Task) -> Box<Failure> {
        Failure::callback(task, "failed: see error.cause")
    }

    /// An `onTask` that does not settle until [`Options::announce_until`](super::Options::announce_until).
    pub fn callback_late(task: Task) -> Box<Failure> {
        Failure::callback(task, "did not finish within maxWait")
    }

    fn callback(task: Task, end: &str) -> Box<Failure> {
        let mut failure = Failure::new(Kind::Callback, Outcome::Accepted, "onTask ");
        failure.say(end);
        failure.add(GOES_ON);
        failure.task = Some(task);
        failure
    }

    /// An HTTP answer that refuses or breaks down. `target` is method and path.
    ///
    /// The outcome is that of a create: a wait replaces it by `Accepted`.
    pub fn of_answer<V: Value>(target: &str, answer: &Answer<V>) -> Box<Failure> {
        let status = answer.status;
        let error = answer.error();
        let code = error.text_of(Name::Code);
        let mut kind = Kind::of_status(status);
        if kind == Kind::NotFound && (code == TASK_NOT_FOUND || error.text_of(Name::Type) == TASK_NOT_FOUND) {
            kind = Kind::TaskNotFound;
        }
        let has_done_nothing = status == 503 && error.flag_of(Name::Retryable) == Some(true);
        // A proxy says 499 where the connection in front of it has closed: the service may have gone on.
        let is_unknown = status == 499 || kind == Kind::Server && !has_done_nothing;
        let outcome = if is_unknown { Outcome::Unknown } else { Outcome::Rejected };

        let mut failure = Failure::new(kind, outcome, target);
        failure.say(" was answered with status ");
        failure.say(&number(status.into()));
        if !code.is_empty() {
            failure.say(" (");
            failure.say(&code);
            failure.say(")");
        }
        // The type says it where there is no code.
        let word = if code.is_empty() { error.text_of(Name::Type) } else { code };
        failure.blames_model = status == 429 || word.starts_with("model_") || word == ALL_CHANNELS_FAILED;
        let reason = answer.reason();
        if !reason.is_empty() {
            failure.say(": ");
            failure.say(&reason);
        }
        if kind == Kind::Response {
            failure.add("Redirects are not followed: ");
            let place = answer.location.text();
            // Another scheme leads to no server.
            if place.starts_with("http") {
                failure.say("if you trust it, set baseUrl to ");
                failure.say(&place);
                failure.say(".");
            } else {
                failure.say("check baseUrl.");
            }
        } else {
            let mut hint = error.text_of(Name::Hint);
            let guess = error.text_of(Name::DidYouMean);
            if hint.is_empty() && !guess.is_empty() {
                hint = join(&["Did you mean ", &guess, "?"]);
            }
            let mut advice = kind.advice();
            if !hint.is_empty() {
                advice = &hint;
            }
            if !contains(&failure.message, advice) {
                failure.add(advice);
            }
            // The service itself answers in JSON.
            if answer.body.is_none() && kind != Kind::RateLimit {
                failure.add(CHECK_BASE_URL);
            }
        }
        failure.read_hints(answer, &error);
        failure
    }

    /// A successful answer that cannot be understood.
    pub fn unclear<V: Value>(target: &str, why: &str, answer: &Answer<V>) -> Box<Failure> {
        let mut failure = Failure::new(Kind::Response, Outcome::Unknown, target);
        failure.say(" was answered, but ");
        failure.say(why);
        failure.say_reason(&answer.reason());
        failure.read_hints(answer, &answer.error());
        failure
    }

    /// Reads what an answer and the `error` in it say of asking again.
    fn read_hints<V: Value>(&mut self, answer: &Answer<V>, error: &V) {
        self.status = answer.status;
        self.retry_after = longer_pause(answer.retry_after, error);
        self.is_final = error.flag_of(Name::Retryable) == Some(false);
    }

    /// An attempt that brought no answer.
    pub fn lost(target: &str, error: TransportError, outcome: Outcome) -> Box<Failure> {
        let (kind, why) = match error {
            TransportError::Connection => (Kind::Connection, ": the connection failed."),
            TransportError::Timeout => (Kind::RequestTimeout, " in time."),
        };
        let mut failure = Failure::new(kind, outcome, target);
        failure.say(if outcome == Outcome::NotSent { " was not sent" } else { " got no answer" });
        failure.say(why);
        if outcome == Outcome::Unknown {
            failure.add("It may have been carried out and billed.");
        }
        failure
    }

    /// Adds a text to the message.
    pub fn say(&mut self, text: &str) {
        self.message = join(&[&self.message, text]);
    }

    /// Adds a sentence, or its beginning. The text before it may be the server's, and end in any way.
    pub fn add(&mut self, sentence: &str) {
        self.say(if self.message.ends_with(".") { " " } else { ". " });
        self.say(sentence);
    }

    /// Ends the sentence with a reason, where there is one.
    pub fn say_reason(&mut self, reason: &str) {
        self.say(if reason.is_empty() { "." } else { ": " });
        self.say(reason);
    }

    /// Whether the same request may go to another model: not where this one may still be billed.
    pub fn allows_fallback(&self) -> bool {
        match self.outcome {
            Outcome::NotSent => self.kind == Kind::Connection,
            Outcome::Rejected | Outcome::Failed => self.blames_model,
            _ => false,
        }
    }

    /// The task that a header of the answer `named`. Only where the body was lost does it exist for all we know: a refused
    /// create has none.
    pub fn lost_task(&self, named: Option<Task>) -> Option<Task> {
        named.filter(|_| self.outcome == Outcome::Unknown)
    }

    /// Says that a task goes on in spite of this failure, unless it is the task's own.
    pub fn leave_task(&mut self) {
        if self.outcome != Outcome::Failed {
            self.outcome = Outcome::Accepted;
        }
    }
}
