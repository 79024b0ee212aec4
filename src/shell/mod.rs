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

use call::Call;
use js::Host;
use wasm_bindgen::prelude::*;

/// Starts a job on `input` with the options of the call over those of the client. The end reaches
/// `host`, exactly once, unless the module traps: then JavaScript rejects what is pending.
#[cfg_attr(not(feature = "hub"), wasm_bindgen)]
pub fn run(job: u8, input: JsValue, options: JsValue, client: JsValue, host: Host) {
    if job == jobs::WAIT_FOR_TASK && jobs::is_completed(&input) {
        return host.resolve(&input);
    }
    trap::at("start");
    let call = match Call::new(options, client, host) {
        Ok(call) => call,
        Err((host, failure)) => return host.reject(&call::End::from(failure).into_js()),
    };
    task::spawn(async move {
        match jobs::perform(&call, job, &input).await {
            Ok(value) => call.host.resolve(&value),
            Err(end) => call.host.reject(&end.into_js()),
        }
    });
}
