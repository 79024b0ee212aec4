//! How long to wait before the next attempt.

use super::{abi::Name, limits::LONGEST_WAIT, ms::Ms, value::Value};

/// The first step of the exponential back-off.
const BACKOFF_BASE: Ms = Ms(1_000.0);
/// No back-off of our own is longer than this.
const BACKOFF_CAP: Ms = Ms(30_000.0);

/// A `Retry-After` header, read both ways by the shell: the platform parses numbers and dates.
#[derive(Clone, Copy, Debug)]
pub struct RetryAfter {
    /// The header as a number of seconds; not a number where it is none.
    pub seconds: f64,
    /// The header as a date, in milliseconds of the wall clock; not a number where it is none.
    pub date_ms: f64,
    /// The wall clock, in milliseconds.
    pub now_ms: f64,
}

impl RetryAfter {
    /// The pause that the header asks for. Garbage and times that have passed ask for none.
    pub fn pause(&self) -> Ms {
        let ms = if self.seconds.is_nan() { self.date_ms - self.now_ms } else { self.seconds * 1_000.0 };
        Ms(ms).max(Ms::ZERO).min(LONGEST_WAIT)
    }
}

/// The pause that a refusal asks for: the longer of its `header` and `error.retry_after`.
pub fn longer_pause<V: Value>(header: Ms, error: &V) -> Ms {
    // `max` prefers the operand that is a number.
    header.max(Ms(error.number_of(Name::RetryAfter) * 1_000.0)).min(LONGEST_WAIT)
}

/// Exponential back-off with full jitter: anything from nothing to the doubled step, so that clients
/// that failed together do not return together. `random` lies in 0..1.
pub fn backoff(failures: u32, random: f64) -> Ms {
    let doubled = BACKOFF_BASE * f64::from(1_u32 << failures.min(16));
    doubled.min(BACKOFF_CAP) * random
}
