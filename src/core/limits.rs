//! Limits that several parts of the core keep.

/// No wait is longer, in milliseconds: keeps a wait's state finite, so that it can be stored as JSON.
pub const LONGEST_WAIT_MS: f64 = 1e15;
