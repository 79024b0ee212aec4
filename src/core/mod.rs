//! The core: what to do, never how. Plain Rust without I/O, clock or randomness of its own.
//!
//! Time and randomness come in as arguments, answers come in as [`Value`]s, and decisions go out as
//! data. The shell carries them out; a test drives them natively in microseconds.

mod answer;
mod clock;
mod create;
mod failure;
mod fleet;
mod hub;
mod name;
mod options;
mod request;
mod retry;
mod text;
mod url;
mod value;
mod wait;

pub use answer::{Meaning, Reply, Status, Task, read_task};
pub use clock::Clock;
pub use create::{Create, CreateStep};
pub use failure::{Failure, Kind, Outcome};
pub use fleet::{Fleet, Need, Pauses, Turn, names_model, slow_ms};
pub use hub::{Act, Job, Phase, Ruling, Terms};
pub use name::Name;
pub use options::{Environment, Options, check_key};
pub use request::check_request;
pub use retry::RetryAfter;
pub use text::without_query;
pub use url::{Base, CREATE_PATH, Location};
pub use value::{Type, Value};
pub use wait::{Origin, Step, Verdict, Wait};

/// How an attempt ended that brought no answer to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The transport failed before an answer began: no connection, or a reset.
    Connection,
    /// The attempt used up its time-out.
    Timeout,
}
