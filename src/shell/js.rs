//! What the shell calls in JavaScript.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

#[wasm_bindgen]
extern "C" {
    /// One call, seen from `js/client/client.js`.
    pub type Host;

    /// Settles the promise of the call. Where it fails without a value, the reason is that of the caller's signal.
    #[wasm_bindgen(method)]
    pub fn settle(this: &Host, is_done: bool, value: &JsValue);

    /// Calls back when the signal aborts, a page comes back or another call has something, until the call is
    /// settled: always in a microtask, never from inside the module. Where listening fails, the call is settled,
    /// and the answer is `false`.
    #[wasm_bindgen(method)]
    pub fn listen(this: &Host, is_browser: bool, wake: &JsValue) -> bool;

    // The promises of the next three never reject.

    /// The key and the headers of the next request; they may be functions.
    #[wasm_bindgen(method)]
    pub fn prepare(this: &Host) -> Promise;

    /// Sends a request with these: a promise of an attempt. The `extra` is what a relay can do: for a create, an
    /// idempotency key that is made for it; for a poll, a stream of answers.
    #[wasm_bindgen(method)]
    pub fn send(
        this: &Host,
        url: &str,
        is_create: bool,
        controller: &AbortController,
        extra: bool,
    ) -> Promise;

    /// Calls `onTask`.
    #[wasm_bindgen(method)]
    pub fn announce(this: &Host, task: &JsValue) -> Promise;

    /// Notes what this call waits for besides its timer.
    #[wasm_bindgen(method)]
    pub fn sleep(this: &Host, kind: u8);

    /// The attempt of another call that has ended a sleep; `undefined` where something else has.
    #[wasm_bindgen(method)]
    pub fn take(this: &Host) -> JsValue;

    /// What this call has to wait for where another one sends the same poll, as a `kind` of wait; 0 for nothing. A
    /// stream that is silent for too long is given up.
    #[wasm_bindgen(method)]
    pub fn join(this: &Host, url: &str, is_silent: bool) -> u8;

    /// Ends an attempt, and passes it on: to `onResponse`, unless it is too late, and to the calls that joined.
    #[wasm_bindgen(method)]
    pub fn finish(this: &Host, is_late: bool, path: &str, duration_ms: f64, number: u32) -> JsValue;

    /// Calls `onUpdate`. The next poll is due in so many milliseconds; a negative number means never.
    #[wasm_bindgen(method)]
    pub fn update(this: &Host, task: &JsValue, next_poll_ms: f64);

    /// Notes the task that the call has created, for the error of a trap.
    #[wasm_bindgen(method, setter)]
    pub fn set_task(this: &Host, task: &JsValue);

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn monotonic_now() -> f64;
}

#[wasm_bindgen(module = "/js/client/host.js")]
extern "C" {
    // The `key` is the number of a name, that of an element, or one of what else there is to ask for.
    #[wasm_bindgen(js_name = kindOf)]
    pub fn kind_of(value: &JsValue, key: u32) -> u8;

    pub fn field(value: &JsValue, key: u32) -> JsValue;

    #[wasm_bindgen(js_name = numberOf)]
    pub fn number_of(value: &JsValue, key: u32) -> f64;

    /// How many bytes a text takes, which `fill` then writes.
    #[wasm_bindgen(js_name = textOf)]
    fn bytes_of(value: &JsValue, key: u32) -> usize;

    fn fill(bytes: &mut [u8]);

    #[wasm_bindgen(js_name = parseUrl)]
    pub fn parse_url(text: &str, base: &str) -> JsValue;

    pub fn attempt(cause: &JsValue) -> JsValue;

    pub fn task(id: &JsValue, poll_url: &JsValue) -> JsValue;

    pub fn normalise(attempt: &JsValue, status: u8, is_foreign: bool, task_id: &str) -> JsValue;
}

#[wasm_bindgen(module = "/js/client/errors.js")]
extern "C" {
    #[wasm_bindgen(js_name = makeError)]
    pub fn make_error(
        kind: u8,
        outcome: u8,
        message: &str,
        status: u16,
        param: u8,
        retry_after_ms: f64,
        answer: &JsValue,
        task: &JsValue,
    ) -> JsValue;
}

/// Copies a text.
#[allow(unsafe_code)]
pub fn text_of(value: &JsValue, key: u32) -> String {
    let mut bytes = vec![0; bytes_of(value, key)];
    if !bytes.is_empty() {
        fill(&mut bytes);
    }
    // SAFETY: the platform's encoder wrote them.
    unsafe { String::from_utf8_unchecked(bytes) }
}
