//! The names of the fields and options that are read.

macro_rules! names {
    ($($name:ident $text:literal)*) => {
        /// The name of a field or an option. `js/client/host.js` lists the texts in this order: a number takes less
        /// room in the module, and less time across its border, than a text does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // each is what its text says
        #[repr(u8)]
        pub enum Name { $($name),* }

        impl Name {
            /// All of them, by their numbers.
            pub const ALL: &[Name] = &[$(Name::$name),*];

            /// The name itself.
            pub fn text(self) -> &'static str {
                match self { $(Name::$name => $text),* }
            }
        }
    };
}

names! {
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
    Options "options"
    Min "min"
    Max "max"
    Aborted "aborted"
    Reason "reason"
    // A request, beside its fields that are strings.
    Request "request"
    Prompt "prompt"
    N "n"
    Model "model"
    Size "size"
    Quality "quality"
    ResponseFormat "response_format"
    Style "style"
    User "user"
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
    // What the shell knows of an attempt and of a call.
    IsSent "isSent"
    IsLate "isLate"
    IsJson "isJson"
    IsRefused "isRefused"
    Seconds "seconds"
    Date "date"
    Now "now"
    Location "location"
    Body "body"
    Value "value"
    Given "given"
    Defaults "defaults"
    AddEventListener "addEventListener"
    RemoveEventListener "removeEventListener"
    Age "age"
}
