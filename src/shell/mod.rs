//! The shell: performs what the core decides, in WebAssembly. It has no policy.

mod alloc;
mod clock;
mod driver;
mod error;
#[cfg(feature = "hub")]
mod hub;
mod js;
mod trap;
mod value;

use driver::{Driver, Moment};
use js::Host;
use wasm_bindgen::JsValue;
#[cfg(not(feature = "hub"))]
use wasm_bindgen::prelude::*;

use crate::core::Command;

/// Starts the call of `host`, which holds its input and its options, and returns what [`wake`] takes. In a `browser`,
/// visitors can read all that is here. Both clocks of the runtime are in milliseconds; `random` lies in 0..1.
#[cfg_attr(not(feature = "hub"), wasm_bindgen)]
pub fn run(command: u8, host: Host, browser: bool, monotonic: f64, wall: f64, random: f64) -> *mut Driver {
    let moment = Moment { now: clock::read(monotonic, wall), random };
    let command = Command::ALL.get(usize::from(command)).copied().unwrap_or(Command::Generate);
    driver::run(command, host, browser, moment)
}

/// Hands an event to a call that is not over: the number of its kind, and what belongs to it.
#[cfg_attr(not(feature = "hub"), wasm_bindgen)]
pub fn wake(call: *mut Driver, kind: u8, value: JsValue, monotonic: f64, wall: f64, random: f64) {
    driver::wake(call, kind, value, Moment { now: clock::read(monotonic, wall), random });
}
