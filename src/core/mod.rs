//! The core: what to do, never how. Plain Rust without I/O, clock or randomness of its own.
//!
//! Time and randomness come in as arguments, answers come in as [`Value`]s, and decisions go out as
//! data. The shell carries them out; a test drives them natively in microseconds.

pub mod abi;
mod answer;
mod call;
mod clock;
mod create;
mod failure;
mod hub;
mod limiter;
mod limits;
mod ms;
mod options;
mod parse;
mod platform;
mod refusal;
mod request;
mod retry;
mod task;
mod text;
mod url;
mod value;
mod wait;

pub use abi::{Command, Kind, Name, Outcome, Source, Status};
pub use answer::{Answer, Attempt, TransportError};
pub use call::{Action, Call, CallFailure, End, Event, Request, Update};
pub use clock::Clock;
pub use create::{Create, CreateAction};
pub use failure::Failure;
pub use hub::{HubAction, HubOptions, Job, JobRequest, JobUpdate, Phase};
pub use limiter::{Admission, AdmissionRequest, Limiter, Pauses, RequestKind};
pub use ms::Ms;
pub use options::{Environment, Options, check_key};
pub use parse::ParsedAnswer;
pub use platform::{Location, Platform};
pub use refusal::RateLimit;
pub use request::{check_edit, check_request, read_task};
pub use retry::RetryAfter;
pub use task::Task;
pub use text::without_query;
pub use url::{Base, CREATE_PATH, EDIT_PATH};
pub use value::Value;
pub use wait::{Origin, PollResult, Wait, WaitAction};
