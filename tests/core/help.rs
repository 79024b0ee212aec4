//! What several subjects need: answers, options and a configuration.

use lemondata_wasm::core::{Base, Environment, Failure, Options, Reply, RetryAfter, Task, Value};
use proptest::prelude::ProptestConfig;
use serde_json::Value as Plain;

use crate::json::Json;

pub const API: &str = "https://api.lemondata.cc";

/// Properties leave no files behind.
pub fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// An answer with a JSON body.
pub fn reply(status: u16, body: Plain) -> Reply<Json> {
    Reply { status, body: Some(body.into()), retry_after: RetryAfter::NONE }
}

/// An answer whose body broke off or is no JSON.
pub fn bodiless(status: u16) -> Reply<Json> {
    Reply { status, body: None, retry_after: RetryAfter::NONE }
}

/// The same answer with a `Retry-After` header of seconds.
pub fn asking(mut reply: Reply<Json>, seconds: f64) -> Reply<Json> {
    reply.retry_after.seconds = seconds;
    reply
}

pub fn task(id: &str, poll_url: &str) -> Task {
    Task { id: id.into(), poll_url: poll_url.into() }
}

pub fn base(url: &str) -> Base {
    Base::new(Json::parse_url(url, "").expect("a URL"))
}

/// Reads options, and nothing besides them, on a server or in a browser.
pub fn read(given: &[(&str, Json)], browser: bool) -> Result<Options, Box<Failure>> {
    let option = |name: &str| {
        given.iter().find(|(given, _)| *given == name).map_or_else(Json::nothing, |(_, value)| value.clone())
    };
    Options::read(option, Environment { browser, streams: true })
}

/// Reads options on top of a key.
pub fn with_key(given: &[(&str, Json)]) -> Result<Options, Box<Failure>> {
    let key = ("apiKey", Json::Plain("sk-test".into()));
    read(&[given, &[key]].concat(), false)
}
