//! What the shell calls in JavaScript.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// One call, seen from `js/client.js`.
    pub type Host;

    /// Whether this is a web page or a worker of one.
    #[wasm_bindgen(method, getter)]
    pub fn browser(this: &Host) -> bool;

    /// Whether calls share their polls here, and so can share a stream of answers.
    #[wasm_bindgen(method, getter)]
    pub fn streams(this: &Host) -> bool;

    #[wasm_bindgen(method)]
    pub fn resolve(this: &Host, value: &JsValue);

    #[wasm_bindgen(method)]
    pub fn reject(this: &Host, reason: &JsValue);

    /// Calls back when the signal aborts, or when a hidden page or a lost network comes back, until the
    /// call is settled.
    #[wasm_bindgen(method)]
    pub fn listen(this: &Host, signal: &JsValue, callback: &Function);

    /// A promise of a value that may be a promise. It settles at the end of the call at the latest.
    #[wasm_bindgen(method)]
    pub fn follow(this: &Host, value: &JsValue) -> Promise;

    /// Calls a callback, if there is one, whose failure must not end the call.
    #[wasm_bindgen(method)]
    pub fn tell(this: &Host, callback: &JsValue, value: &JsValue);

    /// Whether another call of this client asks this URL at this moment, or has asked it, so that this one
    /// need not: it wakes this one when it has an answer, or has given up.
    #[wasm_bindgen(method)]
    pub fn join(this: &Host, url: &str) -> bool;

    /// The attempt of another call that this one is to take for its own, or else, where that is late, one
    /// that ran out of time; `undefined` for none.
    #[wasm_bindgen(method)]
    pub fn news(this: &Host, is_late: bool) -> JsValue;

    /// Ends an attempt: tells `onResponse` of an answer that is not too late, and calls that joined.
    #[wasm_bindgen(method)]
    pub fn finish(
        this: &Host,
        about: &JsValue,
        is_late: bool,
        method: &str,
        path: &str,
        duration_ms: f64,
        attempt: u32,
    );

    /// Notes the task that the call has created, for the error of a trap.
    #[wasm_bindgen(method, setter)]
    pub fn set_task(this: &Host, task: &JsValue);

    #[wasm_bindgen(js_name = encodeURIComponent)]
    pub fn encode(text: &str) -> JsValue;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn monotonic_now() -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub fn random_uuid() -> JsValue;
}

#[wasm_bindgen(module = "/js/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = kindOf)]
    pub fn kind_of(value: &JsValue) -> u8;

    pub fn field(value: &JsValue, name: &str) -> JsValue;

    #[wasm_bindgen(js_name = isFilled)]
    pub fn is_filled(value: &JsValue) -> bool;

    #[wasm_bindgen(js_name = lengthOf)]
    pub fn length_of(value: &JsValue) -> u32;

    pub fn names(value: &JsValue) -> JsValue;

    #[wasm_bindgen(js_name = parseUrl)]
    pub fn parse_url(text: &str, base: &str) -> JsValue;

    pub fn current(option: &JsValue, argument: &JsValue) -> JsValue;

    pub fn attempt(cause: &JsValue) -> JsValue;

    pub fn exchange(
        about: &JsValue,
        custom: &JsValue,
        url: &str,
        method: &str,
        controller: &JsValue,
        streams: bool,
        headers: &JsValue,
        key: &JsValue,
        body: &JsValue,
        idempotency_key: &JsValue,
    ) -> JsValue;

    #[wasm_bindgen(catch)]
    pub fn stringify(value: &JsValue) -> Result<JsValue, JsValue>;

    pub fn task(parts: &JsValue) -> JsValue;

    pub fn normalise(body: &JsValue, status: &str, is_foreign: bool, task_id: &str) -> JsValue;
}

#[wasm_bindgen(module = "/js/errors.js")]
extern "C" {
    #[wasm_bindgen(js_name = makeError)]
    pub fn make_error(
        kind: u8,
        outcome: u8,
        message: &str,
        status: u16,
        param: &str,
        retry_after_ms: f64,
        answer: &JsValue,
        task: &JsValue,
    ) -> JsValue;
}
