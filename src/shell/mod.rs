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

use js::Host;
#[cfg(not(feature = "hub"))]
use wasm_bindgen::prelude::*;

use crate::core::Command;

/// Starts the call of `host`, which holds its input and its options. In a `browser`, visitors can read all that is here.
#[cfg_attr(not(feature = "hub"), wasm_bindgen)]
pub fn run(command: u8, host: Host, browser: bool) {
    if let Some(command) = Command::ALL.get(usize::from(command)) {
        driver::run(*command, host, browser);
    }
}
