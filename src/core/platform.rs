//! What the core needs of the platform beside a look at its values.

use super::{abi::Status, value::Value};

/// An absolute URL as the platform parses it, so that we judge exactly what `fetch` would call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Scheme, host and port.
    pub origin: String,
    /// The path, from its first slash, without dot segments, and the query.
    pub path: String,
    /// Whether it has neither credentials nor query nor fragment.
    pub is_plain: bool,
}

/// A platform, with its values.
pub trait Platform: Value {
    /// Parses a URL that may be relative to `base`; an empty base means the page's own.
    fn parse_url(text: &str, base: &str) -> Option<Location>;

    /// Percent-encodes an opaque text as one segment of a path.
    fn encode_segment(text: &str) -> String;

    /// Makes the body of an attempt a generation: the provider's own object, with its `status` filled in, its former
    /// status kept as `provider_status` where that `is_foreign`, and its `task_id` unless that is empty.
    fn generation(attempt: &Self, status: Status, is_foreign: bool, task_id: &str) -> Self;
}
