//! What the shell calls in JavaScript. None of it throws.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// One call, as `js/client/call.js` makes it.
    #[derive(Clone)]
    pub type Host;

    /// Settles the promise of the call, and ends a request whose answer nothing waits for. Where it fails without a
    /// value, the reason is that of the caller's signal.
    #[wasm_bindgen(method)]
    pub fn settle(this: &Host, is_done: bool, value: &JsValue);

    /// Listens to what ends a sleep or a request. Where that fails, the call is settled, and the answer is `false`.
    #[wasm_bindgen(method)]
    pub fn listen(this: &Host) -> bool;

    /// Gets the key and the headers of the next request; they may be functions.
    #[wasm_bindgen(method)]
    pub fn authorize(this: &Host);

    /// Sends a request with the credentials at hand, unless it is shared and another call sends the same one: the number
    /// of the source of its answer. A stream that is silent for too long is given up.
    #[wasm_bindgen(method)]
    pub fn send(
        this: &Host,
        url: &str,
        is_create: bool,
        number: u32,
        uses_relay: bool,
        is_shared: bool,
        is_silent: bool,
    ) -> u8;

    /// Gives up the request under way: its attempt is the next event.
    #[wasm_bindgen(method, js_name = giveUp)]
    pub fn give_up(this: &Host);

    /// Calls `onTask`.
    #[wasm_bindgen(method)]
    pub fn announce(this: &Host, id: &str, poll_url: &str);

    /// Calls `onUpdate`. The next poll is due in `next_poll_ms`; a negative number means never.
    #[wasm_bindgen(method)]
    pub fn update(this: &Host, generation: &JsValue, next_poll_ms: f64);

    /// The timer has fired: an event, too.
    #[wasm_bindgen(method)]
    pub fn elapse(this: &Host);
}

#[wasm_bindgen]
extern "C" {
    /// Percent-encodes a text as one segment of a path.
    #[wasm_bindgen(js_name = encodeURIComponent)]
    pub fn encode(text: &str) -> JsValue;
}

#[wasm_bindgen(module = "/js/client/values.js")]
extern "C" {
    // The `key` is the number of a name, of a trait or of an element.
    /// Which of `count` fields have one of these shapes, from `key` on: a bit for each.
    #[wasm_bindgen(js_name = maskOf)]
    pub fn mask_of(value: &JsValue, key: u32, count: u32, shapes: u16) -> u32;

    pub fn field(value: &JsValue, key: u32) -> JsValue;

    #[wasm_bindgen(js_name = numberOf)]
    pub fn number_of(value: &JsValue, key: u32) -> f64;

    /// How many bytes a text takes, which `fill` then writes.
    #[wasm_bindgen(js_name = encodeText)]
    fn bytes_of(value: &JsValue, key: u32) -> usize;

    #[wasm_bindgen(js_name = writeText)]
    fn fill(bytes: &mut [u8]);

    #[wasm_bindgen(js_name = parseUrl)]
    pub fn parse_url(text: &str, base: &str) -> JsValue;
}

#[wasm_bindgen(module = "/js/client/generation.js")]
extern "C" {
    #[wasm_bindgen(js_name = toGeneration)]
    pub fn to_generation(attempt: &JsValue, status: u8, is_foreign: bool, task_id: &str) -> JsValue;
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
        attempt: &JsValue,
        task_id: &str,
        poll_url: &str,
        cause: &JsValue,
        allows_fallback: bool,
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
