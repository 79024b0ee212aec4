//! Tests of the shell, in WebAssembly: in Node and in a real browser, with a transport of their own.
#![cfg(target_arch = "wasm32")]

use js_sys::{Array, JSON, Object, Promise, Reflect, WebAssembly};
use lemondata_wasm::{core::Command, run, wake};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

/// wasm-bindgen copies the files that an import names. These are the others that a call needs.
#[allow(dead_code)]
mod copied {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen(module = "/js/client/abi.gen.js")]
    extern "C" {
        #[wasm_bindgen(thread_local_v2)]
        static NAMES: JsValue;
    }
    #[wasm_bindgen(module = "/js/client/body.js")]
    extern "C" {
        #[wasm_bindgen(js_name = toBody)]
        fn to_body();
    }
    #[wasm_bindgen(module = "/js/client/call.js")]
    extern "C" {
        fn broken();
    }
    #[wasm_bindgen(module = "/js/client/exchange.js")]
    extern "C" {
        fn exchange();
    }
    #[wasm_bindgen(module = "/js/client/options.js")]
    extern "C" {
        fn resolve();
    }
    #[wasm_bindgen(module = "/js/client/redact.js")]
    extern "C" {
        fn redact();
    }
}

#[wasm_bindgen(module = "/tests/wasm/host.js")]
extern "C" {
    /// Options with a transport that gives the answers in turn, and a log of its requests.
    fn scripted(answers: &JsValue) -> JsValue;
    /// Makes a call by the two ways into the module, and returns its promise.
    fn settled(
        command: u8,
        run: &Closure<dyn FnMut(JsValue) -> u32>,
        wake: &Closure<dyn FnMut(u32, u8, JsValue)>,
        options: &JsValue,
        input: &JsValue,
    ) -> Promise;
    /// An `AbortController` that counts the listeners of its signal.
    #[wasm_bindgen(js_name = countedController)]
    fn counted_controller() -> AbortController;
    /// Options as JavaScript source, evaluated.
    fn evaluate(source: &str) -> JsValue;
}

/// Makes a call, and returns what its promise resolved to or was rejected with.
async fn perform(command: Command, input: &JsValue, options: &JsValue) -> Result<JsValue, JsValue> {
    let now = || js_sys::Date::now();
    let start = Closure::new(move |call: JsValue| {
        run(command as u8, call.unchecked_into(), false, now(), now(), 0.5) as u32
    });
    let wake =
        Closure::new(move |call: u32, kind, value| wake(call as *mut _, kind, value, now(), now(), 0.5));
    JsFuture::from(settled(command as u8, &start, &wake, options, input)).await
}

fn get(target: &JsValue, path: &str) -> JsValue {
    path.split('.').fold(target.clone(), |value, name| Reflect::get(&value, &name.into()).unwrap())
}

fn text(target: &JsValue, path: &str) -> String {
    get(target, path).as_string().unwrap_or_else(|| panic!("{path} is {:?}", get(target, path)))
}

fn json(text: &str) -> JsValue {
    JSON::parse(text).unwrap()
}

fn requests(options: &JsValue) -> Vec<String> {
    Array::from(&get(options, "requests")).iter().map(|line| line.as_string().unwrap()).collect()
}

const REQUEST: &str = r#"{"prompt": "a cat", "aspect_ratio": "3:2"}"#;

#[wasm_bindgen_test]
async fn an_inline_answer_is_the_providers_own_object() {
    let options =
        scripted(&json(r#"[{"body": {"created": 1, "data": [{"url": "https://x/y.png"}], "extra": 7}}]"#));
    let generation = perform(Command::Generate, &json(REQUEST), &options).await.unwrap();
    assert_eq!(text(&generation, "status"), "completed");
    assert_eq!(text(&generation, "data.0.url"), "https://x/y.png");
    assert_eq!(get(&generation, "extra"), 7);
    assert_eq!(
        requests(&options),
        [format!("POST https://lemon.test/v1/images/generations {}", compact(REQUEST))]
    );
}

#[wasm_bindgen_test]
async fn a_task_is_announced_and_polled_to_its_end() {
    let options = scripted(&json(
        r#"[{"body": {"task_id": "img_1", "status": "pending", "poll_url": "/v1/tasks/img_1", "data": [{"url": ""}]}},
            {"body": {"task_id": "img_1", "status": "queued", "progress": 10}},
            {"body": {"task_id": "img_1", "status": "completed", "data": [{"b64_json": "AAAA"}]}}]"#,
    ));
    let generation = perform(Command::GenerateAndWait, &json(REQUEST), &options).await.unwrap();
    assert_eq!(text(&generation, "data.0.b64_json"), "AAAA");
    assert_eq!(
        requests(&options)[1..],
        ["GET https://lemon.test/v1/tasks/img_1", "GET https://lemon.test/v1/tasks/img_1"]
    );
    assert_eq!(text(&options, "tasks.0.task_id"), "img_1");
    assert_eq!(text(&options, "tasks.0.poll_url"), "/v1/tasks/img_1");
    assert_eq!(text(&options, "updates.0.status"), "pending");
    assert_eq!(text(&options, "updates.0.provider_status"), "queued");
    assert_eq!(text(&options, "updates.1.status"), "completed");
}

#[wasm_bindgen_test]
async fn a_completed_generation_comes_back_at_once() {
    let options = scripted(&json("[]"));
    let done = json(r#"{"status": "completed", "data": []}"#);
    assert!(Object::is(&perform(Command::WaitForTask, &done, &options).await.unwrap(), &done));
    assert_eq!(requests(&options).len(), 0);
}

#[wasm_bindgen_test]
async fn get_task_polls_once() {
    let options = scripted(&json(r#"[{"body": {"task_id": "t", "status": "pending"}}]"#));
    let generation = perform(Command::GetTask, &"t".into(), &options).await.unwrap();
    assert_eq!(text(&generation, "status"), "pending");
    assert_eq!(requests(&options), ["GET https://lemon.test/v1/tasks/t"]);
}

#[wasm_bindgen_test]
async fn an_error_keeps_what_the_answer_says_and_hides_the_key() {
    let options = scripted(&json(
        r#"[{"status": 401, "headers": {"x-request-id": "r1"},
             "body": {"error": {"message": "no such key: sk-secret", "code": "invalid_api_key"}}}]"#,
    ));
    let error = perform(Command::Generate, &json(REQUEST), &options).await.unwrap_err();
    assert_eq!(text(&error, "name"), "AuthenticationError");
    assert_eq!(text(&error, "outcome"), "rejected");
    assert_eq!(text(&error, "code"), "invalid_api_key");
    assert_eq!(text(&error, "requestId"), "r1");
    let shown = [text(&error, "message"), String::from(JSON::stringify(&error).unwrap())].concat();
    assert!(shown.contains("[key]") && !shown.contains("sk-secret"), "{shown}");
}

#[wasm_bindgen_test]
async fn a_hung_request_ends_by_its_time_out() {
    let options = scripted(&json(r#"[{"hang": true}]"#));
    Reflect::set(&options, &"requestTimeout".into(), &20.into()).unwrap();
    let error = perform(Command::Generate, &json(REQUEST), &options).await.unwrap_err();
    assert_eq!(text(&error, "name"), "RequestTimeoutError");
    assert_eq!(text(&error, "outcome"), "unknown");
    assert_eq!(get(&options, "aborted"), 1);
}

#[wasm_bindgen_test]
async fn an_abort_rejects_with_the_callers_own_reason() {
    let options = scripted(&json(r#"[{"hang": true}]"#));
    let controller = counted_controller();
    Reflect::set(&options, &"signal".into(), &controller.signal()).unwrap();
    let abort = evaluate("(controller, reason) => setTimeout(() => controller.abort(reason), 5)");
    let reason = json(r#"{"why": "enough"}"#);
    abort.unchecked_into::<js_sys::Function>().call2(&JsValue::NULL, &controller, &reason).unwrap();
    let rejected = perform(Command::Generate, &json(REQUEST), &options).await.unwrap_err();
    assert!(Object::is(&rejected, &reason));
    assert_eq!(get(&options, "aborted"), 1);
    assert_eq!((get(&controller, "added"), get(&controller, "removed")), (1.into(), 1.into()));
}

#[wasm_bindgen_test]
async fn bad_options_are_refused_before_anything_is_sent() {
    for (field, value, says) in [
        ("maxRetries", "-1", "maxRetries must be an integer of at least 0"),
        ("apiKey", "'sk-line\\n'", "apiKey must be the key alone"),
        ("signal", "{}", "signal must be an AbortSignal"),
        ("baseUrl", "'ftp://x'", "baseUrl must be an http"),
        ("onTask", "1n", "onTask must be a function"),
    ] {
        let options = scripted(&json("[]"));
        Reflect::set(&options, &field.into(), &evaluate(value)).unwrap();
        let error = perform(Command::Generate, &json(REQUEST), &options).await.unwrap_err();
        assert_eq!(text(&error, "name"), "InvalidRequestError");
        assert_eq!(text(&error, "param"), field);
        assert!(text(&error, "message").starts_with(says), "{}", text(&error, "message"));
        assert_eq!(requests(&options).len(), 0);
    }
}

/// Rule 7. A copy would need at least as much memory as the payload.
#[wasm_bindgen_test]
async fn rule_7_a_big_payload_never_enters_linear_memory() {
    let options =
        scripted(&evaluate("[{ body: { created: 1, data: [{ b64_json: 'QUJD'.repeat(5_000_000) }] } }]"));
    let before = memory_bytes();
    let generation = perform(Command::Generate, &json(REQUEST), &options).await.unwrap();
    let payload = get(&generation, "data.0.b64_json").unchecked_into::<js_sys::JsString>();
    assert_eq!(payload.length(), 20_000_000);
    assert!(memory_bytes() - before < 1_000_000.0, "grew by {}", memory_bytes() - before);
}

/// The allocator hands every block out once, aligned, and takes it back.
#[wasm_bindgen_test]
fn memory_is_reused() {
    let mut kept: Vec<Vec<u64>> = Vec::new();
    let before = memory_bytes();
    for round in 0..50_u64 {
        for size in 1..200 {
            kept.push(vec![round * 1_000 + size; size as usize]);
        }
        for (block, size) in kept.iter().zip(1..) {
            assert!(block.as_ptr().is_aligned());
            assert!(block.iter().all(|word| *word == round * 1_000 + size));
        }
        kept.clear();
    }
    assert!(memory_bytes() - before < 2_000_000.0, "grew by {}", memory_bytes() - before);
}

/// Nothing beyond 4 GiB has an address: what does not fit is refused, and no block lies in another.
#[wasm_bindgen_test]
#[allow(unsafe_code)]
fn memory_ends_without_wrapping() {
    use std::alloc::{Layout, alloc, dealloc};
    let layout = |size| Layout::from_size_align(size, 16).unwrap();
    let (half, whole) = (layout(1 << 29), layout(1 << 30));
    let mut blocks: Vec<usize> = Vec::new();
    // SAFETY: the layouts have a size, and each block goes back once, with its own layout.
    unsafe {
        for layout in [half, half, half, half, half, half, half, whole, half, half, half] {
            let block = alloc(layout) as usize;
            assert!(!blocks.contains(&block), "{block} again, behind {blocks:?}");
            if block != 0 && layout == half {
                blocks.push(block);
            }
        }
        for block in blocks {
            dealloc(block as *mut u8, half);
        }
    }
}

fn memory_bytes() -> f64 {
    let memory = wasm_bindgen::memory().unchecked_into::<WebAssembly::Memory>();
    get(&memory.buffer(), "byteLength").as_f64().unwrap()
}

fn compact(text: &str) -> String {
    JSON::stringify(&json(text)).unwrap().into()
}
