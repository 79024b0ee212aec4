//! What the shell calls in JavaScript.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

#[wasm_bindgen]
extern "C" {
    /// One call, seen from `js/client.js`.
    pub type Host;

    /// Settles the promise of the call.
    #[wasm_bindgen(method)]
    pub fn settle(this: &Host, is_done: bool, value: &JsValue);

    /// Calls back when the signal aborts, or when a hidden page or a lost network comes back, until the
    /// call is settled.
    #[wasm_bindgen(method)]
    pub fn listen(this: &Host, callback: &Function);

    /// Calls a callback, if there is one, whose failure must not end the call.
    #[wasm_bindgen(method)]
    pub fn tell(this: &Host, name: u8, value: &JsValue);

    /// Whether another call of this client asks this URL at this moment, or has asked it, so that this one
    /// need not: it wakes this one when it has an answer, or has given up.
    /// Where it asks itself, the answer may be one that `streams`.
    #[wasm_bindgen(method)]
    pub fn join(this: &Host, url: &str, streams: bool) -> bool;

    /// The attempt of another call that this one is to take for its own, or else, where that is late, one
    /// that ran out of time; `undefined` for none.
    #[wasm_bindgen(method)]
    pub fn news(this: &Host, is_late: bool) -> JsValue;

    /// Ends an attempt, and gives it out: tells `onResponse` of an answer that is not too late, and calls that
    /// joined.
    #[wasm_bindgen(method)]
    pub fn finish(this: &Host, is_late: bool, path: &str, duration_ms: f64, number: u32) -> JsValue;

    /// Notes the task that the call has created, for the error of a trap.
    #[wasm_bindgen(method, setter)]
    pub fn set_task(this: &Host, task: &JsValue);

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn monotonic_now() -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub fn random_uuid() -> JsValue;
}

#[wasm_bindgen(module = "/js/host.js")]
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

    /// A promise of what an option says, which may be a function. It never rejects, and settles at the end of
    /// the call at the latest.
    pub fn ask(host: &Host, name: u8, argument: &JsValue) -> Promise;

    pub fn attempt(cause: &JsValue) -> JsValue;

    /// Sends a request: a promise of an attempt, as `ask` makes it.
    pub fn send(
        host: &Host,
        url: &str,
        is_create: bool,
        controller: &AbortController,
        key: &JsValue,
        body: &JsValue,
        idempotency_key: &JsValue,
    ) -> Promise;

    pub fn stringify(value: &JsValue) -> JsValue;

    pub fn task(id: &JsValue, poll_url: &JsValue) -> JsValue;

    pub fn normalise(body: &JsValue, status: u8, is_foreign: bool, task_id: &str) -> JsValue;
}

#[wasm_bindgen(module = "/js/errors.js")]
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
