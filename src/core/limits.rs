//! Limits that several parts of the core keep.

use super::ms::Ms;

/// No wait is longer: keeps a wait's state finite, so that it can be stored as JSON.
pub const LONGEST_WAIT: Ms = Ms(1e15);
