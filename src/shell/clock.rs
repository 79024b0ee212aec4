//! The time, by both clocks of the runtime.

use std::cell::RefCell;

use crate::core::Clock;

thread_local! {
    static CLOCK: RefCell<Clock> = const { RefCell::new(Clock::new()) };
}

/// The time in milliseconds, by what both clocks show.
pub fn read(monotonic: f64, wall: f64) -> f64 {
    CLOCK.with_borrow_mut(|clock| clock.read(monotonic, wall))
}

/// Makes sure that the time is at least `ms`.
pub fn at_least(ms: f64) {
    CLOCK.with_borrow_mut(|clock| clock.at_least(ms));
}
