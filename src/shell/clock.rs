//! The time, by both clocks of the runtime.

use std::cell::RefCell;

use js_sys::Date;

use super::js;
use crate::core::Clock;

thread_local! {
    static CLOCK: RefCell<Clock> = const { RefCell::new(Clock::new()) };
}

/// The time, in milliseconds.
pub fn now() -> f64 {
    now_at_least(0.0)
}

/// The time, which is at least `ms`.
pub fn now_at_least(ms: f64) -> f64 {
    CLOCK.with_borrow_mut(|clock| {
        clock.at_least(ms);
        clock.read(js::monotonic_now(), Date::now())
    })
}
