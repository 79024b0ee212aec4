//! What several subjects need: answers, options and a configuration.

use lemondata_wasm::core::{
    Answer, Base, Environment, Failure, Name, Options, Platform, RetryAfter, Task, Value,
};
use proptest::prelude::ProptestConfig;
use serde_json::Value as Plain;

use crate::json::Json;

pub const API: &str = "https://api.lemondata.cc";

/// Properties leave no files behind.
pub fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// An answer with a JSON body.
pub fn reply(status: u16, body: Plain) -> Answer<Json> {
    Answer { status, body: Some(body.into()), retry_after: RetryAfter::NONE, location: Json::nothing() }
}

/// An answer whose body broke off or is no JSON.
pub fn bodiless(status: u16) -> Answer<Json> {
    Answer { status, body: None, retry_after: RetryAfter::NONE, location: Json::nothing() }
}

/// The same answer with a `Retry-After` header of seconds.
pub fn asking(mut reply: Answer<Json>, seconds: f64) -> Answer<Json> {
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
