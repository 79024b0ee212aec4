//! The options of a call.

use lemondata_wasm::core::{CREATE_PATH, Kind, Name, Outcome, check_key};
use serde_json::{Value as Plain, json};

use crate::{
    help::{message, param, read, with_key},
    json::{Json, SIGNAL, on_page, signal},
};

const KEY: &str = "sk-secret";

fn plain(value: Plain) -> Json {
    value.into()
}

/// The parameter and the message of a refusal that came before anything was sent.
fn refusal(passed: &[(&str, Json)], browser: bool) -> (&'static str, String) {
    let failure = read(passed, browser).expect_err("a refusal");
    assert_eq!((failure.kind, failure.outcome), (Kind::InvalidRequest, Outcome::NotSent));
    (param(&failure), message(&failure))
}

#[test]
fn defaults_are_the_documented_ones() {
    let options = with_key(&[]).unwrap();
    assert_eq!(
        options.base.url(&options.base.own_path(CREATE_PATH)),
        "https://api.lemondata.cc/v1/images/generations"
    );
    assert!(!options.relay && !options.makes_key);
    assert_eq!((options.create_timeout.0, options.poll_timeout.0), (300_000.0, 60_000.0));
    assert_eq!((options.max_retries, options.max_polls), (2, 0));
    assert_eq!((options.poll_min.0, options.poll_max.0, options.max_wait.0), (3_000.0, 5_000.0, 300_000.0));
}

#[test]
fn every_option_can_be_set() {
    let mut set = vec![
        ("baseUrl", plain(json!("https://relay.example/api"))),
        ("requestTimeout", plain(json!(1_000))),
        ("maxRetries", plain(json!(0))),
        ("pollInterval", plain(json!({"min": 10, "max": 20}))),
        ("maxWait", plain(json!(0))),
        ("maxPolls", plain(json!(7))),
        ("idempotencyKey", plain(json!("order-7"))),
        ("fetch", Json::Function),
        ("onTask", Json::Function),
        ("onUpdate", Json::Function),
        ("onResponse", Json::Function),
        ("headers", plain(json!([["x-a", "b"]]))),
        ("signal", signal(&SIGNAL)),
        ("fallback", plain(json!(["flux", "sdxl"]))),
    ];
    let options = with_key(&set).unwrap();
    assert!(options.has_key && !options.relay);
    set.push(("relay", plain(json!(true))));
    let options = read(&set, false).unwrap();
    assert_eq!(options.base.url(&options.base.own_path("/x")), "https://relay.example/api/x");
    assert!(options.relay && !options.has_key);
    assert!(!options.makes_key, "the caller has set a key");
    assert_eq!((options.create_timeout.0, options.poll_timeout.0), (1_000.0, 1_000.0));
    assert_eq!((options.max_retries, options.max_polls), (0, 7));
    assert_eq!((options.poll_min.0, options.poll_max.0, options.max_wait.0), (10.0, 20.0, 0.0));
}

#[test]
fn a_wrong_type_or_range_is_named_with_what_is_expected() {
    let wrong_for = |fits: &dyn Fn(&Json) -> bool| {
        let values = [
            plain(json!(true)),
            plain(json!(1)),
            plain(json!("x")),
            plain(json!([])),
            plain(json!({})),
            Json::Function,
            Json::Symbol,
        ];
        values.into_iter().filter(|value| !fits(value)).collect::<Vec<_>>()
    };
    let is_text = |value: &Json| matches!(value, Json::Plain(Plain::String(_)));
    let is_flag = |value: &Json| matches!(value, Json::Plain(Plain::Bool(_)));
    let is_number = |value: &Json| matches!(value, Json::Plain(Plain::Number(_)));
    let is_object = |value: &Json| matches!(value, Json::Plain(Plain::Object(_)));
    let is_list = |value: &Json| matches!(value, Json::Plain(Plain::Array(_)));
    let is_function = |value: &Json| matches!(value, Json::Function);
    let numbers = |values: &[f64]| values.iter().copied().map(Json::Number).collect::<Vec<_>>();
    let (nan, infinity) = (f64::NAN, f64::INFINITY);

    let cases: [(&str, &str, Vec<Json>); 22] = [
        ("apiKey", "a string or a function", wrong_for(&|value| is_text(value) || is_function(value))),
        ("baseUrl", "a string", wrong_for(&is_text)),
        ("relay", "a boolean", wrong_for(&is_flag)),
        ("fetch", "a function", wrong_for(&is_function)),
        (
            "headers",
            "an object or a function",
            wrong_for(&|value| is_object(value) || is_list(value) || is_function(value)),
        ),
        ("dangerouslyAllowBrowser", "a boolean", wrong_for(&is_flag)),
        // An object that is no signal fits neither.
        ("signal", "an AbortSignal", wrong_for(&|_| false)),
        ("requestTimeout", "positive milliseconds", wrong_for(&is_number)),
        ("requestTimeout", "positive milliseconds", numbers(&[0.0, -1.0, nan, -infinity])),
        ("maxRetries", "an integer of at least 0", wrong_for(&is_number)),
        ("maxRetries", "an integer of at least 0", numbers(&[-1.0, 0.5, nan, infinity, 1e10])),
        ("pollInterval", "an object with min and max", wrong_for(&is_object)),
        ("maxWait", "milliseconds of at least 0", wrong_for(&is_number)),
        ("maxWait", "milliseconds of at least 0", numbers(&[-1.0, nan, -infinity])),
        ("maxPolls", "a positive integer", wrong_for(&is_number)),
        ("maxPolls", "a positive integer", numbers(&[0.0, -1.0, 0.5, nan, infinity])),
        ("idempotencyKey", "a string", wrong_for(&is_text)),
        ("onTask", "a function", wrong_for(&is_function)),
        ("onUpdate", "a function", wrong_for(&is_function)),
        ("onResponse", "a function", wrong_for(&is_function)),
        ("fallback", "an array of names of models", wrong_for(&is_list)),
        ("fallback", "an array of names of models", vec![plain(json!([""])), plain(json!(["a", 1]))]),
    ];
    for (name, expected, values) in cases {
        for value in values {
            // The wrong value stands first, so that it counts for `apiKey`, too.
            let (param, message) = refusal(&[(name, value.clone()), ("apiKey", plain(json!(KEY)))], false);
            assert_eq!(param, name, "{value:?}");
            let start = format!("{name} must be {expected}; it is ");
            assert!(message.starts_with(&start), "{value:?}: {message}");
        }
    }
}

#[test]
fn rule_4_half_a_signal_is_refused() {
    for missing in 0..SIGNAL.len() {
        let mut parts = SIGNAL.to_vec();
        let name = parts.remove(missing);
        let passed = [("apiKey", plain(json!(KEY))), ("signal", signal(&parts))];
        assert_eq!(refusal(&passed, false).0, "signal", "without {name}");
    }
}

#[test]
fn null_counts_as_not_set() {
    const NAMES: [&str; 16] = [
        "baseUrl",
        "relay",
        "fetch",
        "headers",
        "dangerouslyAllowBrowser",
        "signal",
        "requestTimeout",
        "maxRetries",
        "pollInterval",
        "maxWait",
        "maxPolls",
        "idempotencyKey",
        "onTask",
        "onUpdate",
        "onResponse",
        "fallback",
    ];
    let options = with_key(&NAMES.map(|name| (name, plain(json!(null))))).unwrap();
    assert_eq!(format!("{options:?}"), format!("{:?}", with_key(&[]).unwrap()));
    let (param, message) = refusal(&[("apiKey", plain(json!(null)))], false);
    assert_eq!(param, "apiKey");
    assert!(message.contains("missing"), "{message}");
}

#[test]
fn infinity_means_no_limit() {
    let endless = Json::Number(f64::INFINITY);
    let options = with_key(&[("maxWait", endless.clone()), ("requestTimeout", endless)]).unwrap();
    assert!(options.max_wait.0 > 1e14);
    assert!(options.create_timeout.0 > 1e14 && options.poll_timeout.0 > 1e14);
    // JSON knows no infinity, and a wait has to be storable.
    assert!(options.max_wait.0.is_finite());
}

#[test]
fn poll_interval_takes_one_bound_alone() {
    let cases = [
        (json!({}), Some((3_000.0, 5_000.0))),
        (json!({"min": null, "max": null}), Some((3_000.0, 5_000.0))),
        (json!({"min": 4_000}), Some((4_000.0, 5_000.0))),
        (json!({"min": 9_000}), Some((9_000.0, 9_000.0))),
        (json!({"max": 4_000}), Some((3_000.0, 4_000.0))),
        (json!({"max": 1_000}), Some((1_000.0, 1_000.0))),
        (json!({"min": 7, "max": 7}), Some((7.0, 7.0))),
        (json!({"min": 0}), None),
        (json!({"min": -1, "max": 5}), None),
        (json!({"max": 0}), None),
        (json!({"min": 9, "max": 8}), None),
        (json!({"min": "1"}), None),
        (json!({"max": true}), None),
        (json!({"max": 1e16}), None),
    ];
    for (interval, expected) in cases {
        let got = with_key(&[("pollInterval", plain(interval.clone()))]);
        if let Err(failure) = &got {
            assert_eq!(param(failure), "pollInterval");
        }
        assert_eq!(got.ok().map(|options| (options.poll_min.0, options.poll_max.0)), expected, "{interval}");
    }
}

#[test]
fn rule_3_a_key_in_a_browser_is_refused_and_the_relay_named() {
    let key = ("apiKey", plain(json!(KEY)));
    let function = ("apiKey", Json::Function);
    let allow = |value: bool| ("dangerouslyAllowBrowser", plain(json!(value)));
    for passed in [vec![key.clone()], vec![function.clone()], vec![key.clone(), allow(false)]] {
        let (param, message) = refusal(&passed, true);
        assert_eq!(param, "apiKey");
        assert!(message.contains("relay") && !message.contains(KEY), "{message}");
    }
    for passed in [vec![key, allow(true)], vec![function, allow(true)]] {
        assert!(read(&passed, true).is_ok());
    }
    assert!(read(&[("baseUrl", plain(json!("https://relay.example")))], true).is_ok());
}

#[test]
fn without_a_key_there_has_to_be_a_relay_or_a_header() {
    let (param, message) = refusal(&[], false);
    assert_eq!(param, "apiKey");
    assert!(message.contains("missing") && message.contains("relay"), "{message}");
    for (name, value) in [
        ("baseUrl", plain(json!("https://relay.example"))),
        ("headers", plain(json!({"authorization": "Bearer x"}))),
        ("headers", Json::Function),
        ("apiKey", Json::Function),
    ] {
        assert!(read(&[(name, value)], false).is_ok(), "{name}");
    }
}

#[test]
fn rule_3_a_key_unfit_for_a_header_is_refused_and_never_shown() {
    for key in
        ["", " ", "sk-secret ", " sk-secret", "sk-secret\n", "sk\r\nx: y", "sk-sécret", "sk\u{7f}", "sk\0"]
    {
        for name in ["apiKey", "idempotencyKey"] {
            let passed = [(name, plain(json!(key))), ("apiKey", plain(json!("sk-good")))];
            let (param, message) = refusal(&passed, false);
            assert_eq!(param, name);
            assert!(key.trim().is_empty() || !message.contains(key.trim()), "{message}");
        }
        assert!(check_key(key, Name::ApiKey).is_err());
    }
    assert!(check_key("sk-AZ09_~!", Name::ApiKey).is_ok());
}

#[test]
fn base_url_is_an_http_url_and_nothing_more() {
    for url in [
        "",
        "/api",
        "api.lemondata.cc",
        "ftp://x.example",
        "file:///etc",
        "javascript:alert(1)",
        "data:text/plain,x",
        "blob:https://api.lemondata.cc/x",
        "https://user:pw@x.example",
        "https://user@x.example",
        "https://x.example?key=1",
        "https://x.example/#x",
        "https://",
        "https://x.example:99999",
    ] {
        let (param, message) = refusal(&[("baseUrl", plain(json!(url)))], false);
        assert_eq!(param, "baseUrl", "{url}");
        assert!(message.starts_with("baseUrl must be an http(s) URL"), "{message}");
    }
}

#[test]
fn on_a_page_base_url_may_be_a_path() {
    let passed = [("baseUrl", plain(json!("/api/lemondata")))];
    let options = on_page("https://shop.example/cart?x=1#y", || read(&passed, true)).unwrap();
    assert_eq!(
        options.base.url(&options.base.own_path(CREATE_PATH)),
        "https://shop.example/api/lemondata/v1/images/generations"
    );
}

#[test]
fn rule_1_a_create_through_a_relay_is_keyed() {
    for (relay, key, makes_key) in
        [(true, None, true), (true, Some("k"), false), (false, None, false), (false, Some("k"), false)]
    {
        let mut options =
            vec![("baseUrl", plain(json!("https://x.example"))), ("relay", plain(json!(relay)))];
        options.extend(key.map(|key| ("idempotencyKey", plain(json!(key)))));
        assert_eq!(read(&options, false).unwrap().makes_key, makes_key);
    }
}

#[test]
fn a_relay_gets_no_key() {
    let (param, message) = refusal(&[("relay", plain(json!(true))), ("apiKey", plain(json!(KEY)))], false);
    assert_eq!(param, "apiKey");
    assert!(message.contains("relay") && !message.contains(KEY), "{message}");
}

#[test]
fn rule_4_a_callback_that_takes_the_task_has_an_end() {
    for (max_wait, expected) in [(json!(300_000), 300_100.0), (json!(0), 5_100.0), (json!(4_999), 5_100.0)] {
        let options = with_key(&[("maxWait", max_wait.into())]).unwrap();
        assert_eq!(options.announce_until(100.0), expected);
    }
    let options = with_key(&[("maxWait", Json::Number(f64::INFINITY))]).unwrap();
    assert!(options.announce_until(100.0).is_finite());
}
