//! The limits of the core, written out a second time: a test that read them from the core would follow a mistake.

/// All sleeps between the attempts at a create.
pub const CREATE_SLEEP_MS: f64 = 60_000.0;
pub const LONGEST_BACKOFF_MS: f64 = 30_000.0;
/// A 404 is no answer for so long after the create.
pub const FRESH_MS: f64 = 10_000.0;
/// The last poll of a wait has at least this long.
pub const LAST_POLL_MS: f64 = 5_000.0;
/// `onTask` has at least this long.
pub const ANNOUNCE_MS: f64 = 5_000.0;
/// A relay's stream that says nothing for so long is dead.
pub const SILENT_MS: f64 = 30_000.0;
/// How late a timer is that fires after a sleep, and how long an answer may then take to be read.
pub const OVERSLEPT_MS: f64 = 1_000.0;
pub const READING_MS: f64 = 5_000.0;
