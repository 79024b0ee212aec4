//! The core: what to do, never how. Plain Rust without I/O, clock or randomness of its own.
//!
//! Time and randomness come in as arguments, answers come in as [`Value`]s, and decisions go out as
//! data. The shell carries them out; a test drives them natively in microseconds.

mod answer;
mod clock;
mod create;
mod failure;
mod hub;
mod limiter;
mod name;
mod options;
mod refusal;
mod request;
mod retry;
mod text;
mod url;
mod value;
mod wait;

pub use answer::{Answer, ParsedAnswer, Status, Task, read_task};
pub use clock::Clock;
pub use create::{Create, CreateAction};
pub use failure::{Failure, Kind, Outcome};
pub use hub::{HubAction, HubOptions, Job, JobUpdate, Phase};
pub use limiter::{Admission, AdmissionRequest, Limiter, Pauses, RequestKind};
pub use name::Name;
pub use options::{Environment, Options, check_key};
pub use refusal::RateLimit;
pub use request::check_request;
pub use retry::RetryAfter;
pub use text::without_query;
pub use url::{Base, CREATE_PATH, Location};
pub use value::{Type, Value};
pub use wait::{Origin, PollResult, Wait, WaitAction};

/// How an attempt ended that brought no answer to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The transport failed before an answer began: no connection, or a reset.
    Connection,
    /// The attempt used up its time-out.
    Timeout,
}
