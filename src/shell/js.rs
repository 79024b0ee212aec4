//! The parts of JavaScript that `js-sys` and `web-sys` do not bind the way that workers need.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// One call, seen from `js/client.js`: it knows the place where we run, and keeps account of all that
    /// has to end with the module if that traps.
    #[derive(Clone)]
    pub type Host;

    /// Whether this is a web page or a worker of one.
    #[wasm_bindgen(method, getter)]
    pub fn browser(this: &Host) -> bool;

    /// The address of the page, against which a relative base URL is resolved.
    #[wasm_bindgen(method, getter)]
    pub fn href(this: &Host) -> Option<String>;

    /// Ends the call.
    #[wasm_bindgen(method)]
    pub fn settle(this: &Host, how: u8, value: &JsValue);

    /// Calls back when the signal aborts, or when a hidden page or a lost network comes back, until the
    /// call is settled.
    #[wasm_bindgen(method)]
    pub fn listen(this: &Host, signal: &JsValue, callback: &Function);

    /// Hands on the exception of a callback whose failure must not end the wait.
    #[wasm_bindgen(method)]
    pub fn report(this: &Host, error: &JsValue);

    /// A picture as a Blob.
    #[wasm_bindgen(method, catch)]
    pub fn decode(this: &Host, b64_json: &JsValue) -> Result<JsValue, JsValue>;

    /// The global `fetch`, called as a function: a method call with another `this` is illegal in workers.
    #[wasm_bindgen(catch)]
    pub fn fetch(url: &str, init: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn monotonic_now() -> f64;

    /// `JSON.parse` of a string that stays in JavaScript.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    pub fn parse(text: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = JSON, catch)]
    pub fn stringify(value: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub fn random_uuid() -> String;

    #[wasm_bindgen(js_name = Number)]
    pub fn number(text: &str) -> f64;

    #[wasm_bindgen(js_namespace = Date, js_name = parse)]
    pub fn parse_date(text: &str) -> f64;

    pub type Headers;

    #[wasm_bindgen(constructor, catch)]
    pub fn new(init: &JsValue) -> Result<Headers, JsValue>;

    #[wasm_bindgen(method)]
    pub fn set(this: &Headers, name: &str, value: &str);

    #[wasm_bindgen(method)]
    pub fn get(this: &Headers, name: &str) -> Option<String>;

    pub type Response;

    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Response) -> u16;

    #[wasm_bindgen(method, getter)]
    pub fn headers(this: &Response) -> Headers;

    #[wasm_bindgen(method, catch)]
    pub fn text(this: &Response) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn blob(this: &Response) -> Result<Promise, JsValue>;

    pub type Text;

    #[wasm_bindgen(method, js_name = replaceAll)]
    pub fn replace_all(this: &Text, from: &str, to: &str) -> JsValue;
}
