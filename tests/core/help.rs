//! What several subjects need: answers, options and a configuration.

use lemondata_wasm::core::{
    Answer, Base, Environment, Failure, Ms, Name, Options, Platform, RetryAfter, Task, TransportError, Value,
};
use proptest::{prelude::ProptestConfig, test_runner::RngAlgorithm};
use serde_json::{Value as Plain, json};

use crate::json::Json;

pub const API: &str = "https://api.lemondata.cc";

/// Properties leave no files behind, and spend their time on the core: the default generator takes most of it.
pub fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    }
}

/// An answer with a JSON body.
pub fn reply(status: u16, body: Plain) -> Answer<Json> {
    Answer { body: Some(body.into()), ..bodiless(status) }
}

/// An answer whose body broke off or is no JSON.
pub fn bodiless(status: u16) -> Answer<Json> {
    Answer { status, body: None, retry_after: Ms::ZERO, location: Json::nothing() }
}

/// The same answer with a `Retry-After` header of seconds.
pub fn asking(reply: Answer<Json>, seconds: f64) -> Answer<Json> {
    let header = RetryAfter { seconds, date_ms: f64::NAN, now_ms: 0.0 };
    Answer { retry_after: header.pause(), ..reply }
}

/// A call, as `js/client/call.js` makes it.
pub fn call(input: Json, options: &[(&str, Json)]) -> Json {
    let options = Json::object(options.iter().cloned());
    let body = json!({"value": input.plain().to_string()}).into();
    Json::object([("input", input), ("options", options), ("body", body)])
}

/// The attempt that has brought an answer, as `js/client/exchange.js` makes it.
pub fn attempt(answer: &Answer<Json>) -> Json {
    Json::object([
        ("isSent", json!(true).into()),
        ("isJson", json!(answer.body.is_some()).into()),
        ("status", json!(answer.status).into()),
        ("body", answer.body.clone().unwrap_or_else(Json::nothing)),
        ("location", answer.location.clone()),
        ("seconds", Json::Number(f64::NAN)),
        ("date", Json::Number(answer.retry_after.0)),
        ("now", json!(0).into()),
    ])
}

/// An attempt that has brought no answer.
pub fn lost_attempt(error: TransportError, is_sent: bool) -> Json {
    json!({"isSent": is_sent, "isLate": error == TransportError::Timeout}).into()
}

pub fn task(id: &str, poll_url: &str) -> Task {
    Task { id: id.into(), poll_url: poll_url.into() }
}

pub fn base(url: &str) -> Base {
    Base::new(Json::parse_url(url, "").expect("a URL"))
}

/// Reads options, and nothing besides them, on a server or in a browser.
pub fn read(options: &[(&str, Json)], browser: bool) -> Result<Options, Box<Failure>> {
    Options::read(&Json::object(options.iter().cloned()), Environment { browser })
}

/// What the user reads: the message behind the name of what it is about.
pub fn message(failure: &Failure) -> String {
    format!("{}{}", param(failure), failure.message)
}

/// The name of what a failure is about.
pub fn param(failure: &Failure) -> &'static str {
    failure.param.map_or("", Name::text)
}

/// Reads options on top of a key.
pub fn with_key(options: &[(&str, Json)]) -> Result<Options, Box<Failure>> {
    let key = ("apiKey", Json::Plain("sk-test".into()));
    read(&[options, &[key]].concat(), false)
}
