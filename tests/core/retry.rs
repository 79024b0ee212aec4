//! How long the server asks to wait, and how long we do where it does not.

use lemondata_wasm::core::{
    Answer, Create, CreateAction, Failure, Ms, Origin, PollResult, RetryAfter, TransportError, Wait,
};
use proptest::prelude::*;
use serde_json::{Value as Plain, json};

use crate::{
    help::{config, reply, task, with_key},
    json::Json,
};

const NONE: f64 = f64::NAN;
const NOW: f64 = 1_706_000_000_000.0;

/// How long a refusal with such a header and `error` asks to wait.
fn asked(seconds: f64, date_ms: f64, error: &Plain) -> f64 {
    let retry_after = RetryAfter { seconds, date_ms, now_ms: NOW }.pause();
    let body = json!({ "error": error });
    Failure::of_answer("GET /", &Answer { retry_after, ..reply(429, body) }).retry_after.0
}

#[test]
fn rule_6_the_longer_of_header_and_body_counts() {
    let cases: [(&str, f64, f64, Plain, f64); 18] = [
        ("nothing", NONE, NONE, json!({}), 0.0),
        ("seconds", 8.0, NONE, json!({}), 8_000.0),
        ("a fraction", 0.5, NONE, json!({}), 500.0),
        ("zero", 0.0, NONE, json!({}), 0.0),
        ("negative", -5.0, NONE, json!({}), 0.0),
        // A number of seconds may also parse as a date, of a year for example.
        ("seconds that parse as a date", 8.0, NOW + 60_000.0, json!({}), 8_000.0),
        ("a date", NONE, NOW + 4_000.0, json!({}), 4_000.0),
        ("a date that has passed", NONE, NOW - 4_000.0, json!({}), 0.0),
        ("body", NONE, NONE, json!({"retry_after": 3}), 3_000.0),
        ("a negative body", NONE, NONE, json!({"retry_after": -3}), 0.0),
        ("a body of text", NONE, NONE, json!({"retry_after": "3"}), 0.0),
        ("a null body", NONE, NONE, json!({"retry_after": null}), 0.0),
        ("both, header longer", 9.0, NONE, json!({"retry_after": 3}), 9_000.0),
        ("both, body longer", 2.0, NONE, json!({"retry_after": 3}), 3_000.0),
        ("date and body", NONE, NOW + 4_000.0, json!({"retry_after": 5}), 5_000.0),
        ("a past date and body", NONE, NOW - 4_000.0, json!({"retry_after": 5}), 5_000.0),
        ("a negative header and body", -1.0, NONE, json!({"retry_after": 5}), 5_000.0),
        ("huge", 1e9, NONE, json!({}), 1e12),
    ];
    for (name, seconds, date_ms, error, expected) in cases {
        let asked = asked(seconds, date_ms, &error);
        assert_eq!(asked, expected, "{name}");
    }
}

/// The sleeps of a create that is refused without a hint, until it gives up.
fn sleeps_of_a_create(max_retries: u32, random: f64) -> Vec<f64> {
    let mut create = Create::new("/".into(), max_retries, false);
    let mut sleeps = Vec::new();
    while let CreateAction::Retry(Ms(ms)) = create.answer(&reply(429, json!(null)), random) {
        sleeps.push(ms);
    }
    sleeps
}

#[test]
fn the_back_off_of_a_create_doubles_within_a_minute() {
    assert_eq!(sleeps_of_a_create(9, 1.0), [1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0]);
    assert_eq!(sleeps_of_a_create(3, 0.5), [500.0, 1_000.0, 2_000.0]);
    assert_eq!(sleeps_of_a_create(2, 0.0), [0.0, 0.0]);
    assert!(sleeps_of_a_create(0, 0.5).is_empty());
}

#[test]
fn the_back_off_of_a_wait_doubles_from_the_cadence_to_half_a_minute() {
    let options = with_key(&[("maxWait", Json::Number(f64::INFINITY))]).unwrap();
    let mut wait = Wait::new::<Json>(task("t", ""), &options, Origin::Elsewhere, 0.0, 0.0).unwrap();
    let mut gaps = Vec::new();
    for _ in 0..100 {
        assert!(matches!(wait.lost(TransportError::Connection, 0.0, 1.0), PollResult::Lost(_)));
        let lemondata_wasm::core::WaitAction::Sleep(ms) = wait.next(0.0) else { panic!("no sleep") };
        gaps.push(ms);
    }
    assert_eq!(gaps[..7], [5_000.0, 5_000.0, 5_000.0, 8_000.0, 16_000.0, 30_000.0, 30_000.0]);
    assert!(gaps[6..].iter().all(|gap| *gap == 30_000.0), "{gaps:?}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rule_6_a_hint_is_never_negative_and_never_nothing_in_particular(
        seconds in any::<f64>(), date_ms in any::<f64>(), body in any::<f64>(),
    ) {
        let asked = asked(seconds, date_ms, &json!({"retry_after": body}));
        prop_assert!(asked >= 0.0, "{}", asked);
    }

    #[test]
    fn jitter_spreads_from_nothing_to_the_whole_step(random in 0.0..1.0) {
        for (index, ms) in sleeps_of_a_create(5, random).into_iter().enumerate() {
            let step = f64::from(1_000 << index);
            prop_assert!((0.0..=step).contains(&ms));
            prop_assert!((ms - step * random).abs() < 1e-6);
        }
    }
}
