//! The shell: performs what the core decides, in WebAssembly. It has no policy.

mod alloc;
mod call;
mod http;
mod jobs;
mod js;
mod task;
mod value;

use call::Call;
use js::Host;
use wasm_bindgen::prelude::*;

/// What [`run`] is to do; `js/client.js` knows the numbers.
const GENERATE: u8 = 0;
const WAIT_FOR_TASK: u8 = 1;
const GENERATE_AND_WAIT: u8 = 2;
const GET_TASK: u8 = 3;

/// Starts a job on `input` with the options of the call over those of the client. The end reaches
/// `host`, exactly once, unless the module traps: then JavaScript rejects what is pending.
#[wasm_bindgen]
pub fn run(job: u8, input: JsValue, options: JsValue, client: JsValue, host: Host) {
    let call = match Call::new(options, client, host) {
        Ok(call) => call,
        Err((host, failure)) => return host.reject(&call::End::from(failure).into_js()),
    };
    task::spawn(async move {
        let result = match job {
            GENERATE => jobs::generate(&call, &input).await,
            WAIT_FOR_TASK => jobs::wait_for_task(&call, &input).await,
            GENERATE_AND_WAIT => jobs::generate_and_wait(&call, &input).await,
            GET_TASK => jobs::get_task(&call, &input).await,
            _ => Ok(JsValue::UNDEFINED),
        };
        match result {
            Ok(value) => call.host.resolve(&value),
            Err(end) => call.host.reject(&end.into_js()),
        }
    });
}
