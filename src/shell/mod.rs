//! The shell: performs what the core decides, in WebAssembly. It has no policy.

mod alloc;
mod call;
mod http;
#[cfg(feature = "hub")]
mod hub;
mod jobs;
mod js;
mod task;
#[cfg(feature = "traps")]
mod trap;
mod value;

/// Without the feature, a place to trap is nothing.
#[cfg(not(feature = "traps"))]
mod trap {
    #[inline(always)]
    pub fn at(_place: &str) {}
}

use std::rc::Rc;

use call::Call;
use jobs::Job;
use js::Host;
use wasm_bindgen::prelude::*;

/// Starts a job on `input`, `browser` being whether this is a web page or a worker of one. The end reaches
/// `host`, exactly once, unless the module traps: then JavaScript rejects what is pending.
#[cfg_attr(not(feature = "hub"), wasm_bindgen)]
#[allow(clippy::needless_pass_by_value)] // a reference would bring a stack of borrowed values along
pub fn run(what: u8, input: JsValue, host: Host, browser: bool) {
    if what == jobs::WAIT_FOR_TASK && jobs::is_completed(&input) {
        return host.settle(true, &input);
    }
    trap::at("start");
    let options = match call::read_options(&host, browser) {
        Ok(options) => options,
        Err(failure) => return host.settle(false, &call::error(&failure, &JsValue::UNDEFINED)),
    };
    let runner = Rc::default();
    let Some(call) = Call::new(options, host, browser, &runner) else { return };
    let mut job = Job::new(call, what);
    if !job.start(&input) {
        task::spawn(&runner, job);
    }
}
