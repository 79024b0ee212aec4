//! What is checked of a request before it is sent.

use lemondata_wasm::core::{Kind, Outcome, check_request};
use serde_json::{Value as Plain, json};

use crate::{
    help::{message, param},
    json::Json,
};

fn request(field: &str, value: &Plain) -> Json {
    let mut request = json!({"prompt": "a cat"});
    request[field] = value.clone();
    request.into()
}

fn refused(request: &Json, name: &str, expected: &str, got: &str) {
    let failure = check_request(request).expect_err(name);
    assert_eq!((failure.kind, failure.outcome), (Kind::InvalidRequest, Outcome::NotSent));
    assert_eq!(param(&failure), name);
    assert_eq!(message(&failure), format!("{name} must be {expected}; it is {got}."));
}

#[test]
fn a_request_is_an_object() {
    for (value, got) in [
        (json!(null), "missing"),
        (json!("a cat"), "a string"),
        (json!(["a cat"]), "an array"),
        (json!(1), "1"),
        (json!(true), "true"),
    ] {
        refused(&value.into(), "request", "an object with a prompt", got);
    }
    refused(&Json::Function, "request", "an object with a prompt", "a function");
    refused(&Json::Symbol, "request", "an object with a prompt", "Symbol()");
}

#[test]
fn a_wrong_field_is_named_with_what_it_has_to_be() {
    let prompts = [
        (json!(null), "missing"),
        (json!(""), "an empty string"),
        (json!(1), "1"),
        (json!(["a cat"]), "an array"),
    ];
    for (value, got) in prompts {
        refused(&request("prompt", &value), "prompt", "a string that is not empty", got);
    }
    let numbers = [
        (json!(0), "0"),
        (json!(-1), "-1"),
        (json!(1.5), "1.5"),
        (json!(4_294_967_296_u64), "4294967296"),
        (json!("1"), "a string"),
        (json!(true), "true"),
        (json!([1]), "an array"),
    ];
    for (value, got) in numbers {
        refused(&request("n", &value), "n", "a positive integer", got);
    }
    for field in ["model", "size", "quality", "response_format", "style", "user"] {
        for (value, got) in
            [(json!(1), "1"), (json!(false), "false"), (json!([]), "an array"), (json!({}), "an object")]
        {
            refused(&request(field, &value), field, "a string", got);
        }
    }
}

#[test]
fn what_only_a_server_can_judge_passes() {
    let fields = [
        ("n", json!(1)),
        ("n", json!(100)),
        ("n", json!(null)),
        ("model", json!("made-yesterday")),
        ("model", json!("")),
        ("size", json!("9x9")),
        ("quality", json!("ultra")),
        ("response_format", json!(null)),
        ("style", json!("none")),
        ("user", json!(null)),
        ("async", json!(true)),
        ("seed", json!(-1)),
        ("image_url", json!(["https://example.com/1.png"])),
        ("prompt", json!("🍋".repeat(5_000))),
    ];
    for (field, value) in fields {
        assert_eq!(check_request(&request(field, &value)), Ok(()), "{field}: {value}");
    }
}
