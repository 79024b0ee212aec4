//! The options of a call: read, checked, and completed with their defaults.

use super::{
    failure::Failure,
    request::is_whole,
    url::Base,
    value::{Type, Value},
};

/// The provider's address.
const DEFAULT_BASE_URL: &str = "https://api.lemondata.cc";
/// An inline answer can take a minute or more, and the provider asks for at least two.
const CREATE_TIMEOUT_MS: f64 = 300_000.0;
/// A poll answers at once, or not at all.
const POLL_TIMEOUT_MS: f64 = 60_000.0;
/// The provider asks for one poll every 3 to 5 s.
const POLL_MIN_MS: f64 = 3_000.0;
const POLL_MAX_MS: f64 = 5_000.0;
/// The provider's own sample gives up after 300 s.
const MAX_WAIT_MS: f64 = 300_000.0;
/// No wait is longer: keeps a wait's state finite, so that it can be stored as JSON.
pub const LONGEST_WAIT_MS: f64 = 1e15;
const MAX_RETRIES: f64 = 2.0;

const FUNCTION: u8 = Type::Function.bit();
const OBJECT: u8 = Type::Object.bit();
const TEXT: u8 = Type::Text.bit();
const FLAG: u8 = Type::Flag.bit();
const NUMBER: u8 = Type::Number.bit();

/// Every option: its types, and how a message names them.
const OPTIONS: [(&str, u8, &str); 16] = [
    ("apiKey", TEXT | FUNCTION, "a string or a function"),
    ("baseUrl", TEXT, "a string"),
    ("relay", FLAG, "a boolean"),
    ("fetch", FUNCTION, "a function"),
    ("headers", OBJECT | FUNCTION | Type::List.bit(), "an object or a function"),
    ("dangerouslyAllowBrowser", FLAG, "a boolean"),
    ("signal", OBJECT, "an AbortSignal"),
    ("requestTimeout", NUMBER, "positive milliseconds"),
    ("maxRetries", NUMBER, "an integer of at least 0"),
    ("pollInterval", OBJECT, "an object with min and max"),
    ("maxWait", NUMBER, "milliseconds of at least 0"),
    ("maxPolls", NUMBER, "a positive integer"),
    ("idempotencyKey", TEXT, "a string"),
    ("onTask", FUNCTION, "a function"),
    ("onUpdate", FUNCTION, "a function"),
    ("onResponse", FUNCTION, "a function"),
];

/// What the shell knows of the place where it runs.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// A web page, or a worker of one: whatever is here, every visitor can read.
    pub browser: bool,
    /// Whether an answer may be read as a stream that goes on behind its call, for all that share it.
    pub streams: bool,
}

/// The options of one call that decide something. Functions and signals stay with the shell.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where requests go.
    pub base: Base,
    /// Whether the base URL is a relay of ours, where a keyed create may be repeated.
    pub relay: bool,
    /// Whether a create needs a key that the caller has not given: a relay carries out a keyed create once, so
    /// that it may be repeated.
    pub makes_key: bool,
    /// Whether a poll may be answered by a stream of all that follows: a relay may have one.
    pub streams: bool,
    /// The time for one attempt at a create, in milliseconds.
    pub create_timeout: f64,
    /// The time for one poll, in milliseconds.
    pub poll_timeout: f64,
    /// How often a create that is safe to repeat is repeated.
    pub max_retries: u32,
    /// The shortest gap between two polls, in milliseconds.
    pub poll_min: f64,
    /// The longest gap between two polls, in milliseconds.
    pub poll_max: f64,
    /// The time for a task, in milliseconds.
    pub max_wait: f64,
    /// How many polls a wait may send; 0 for any number.
    pub max_polls: u32,
}

impl Options {
    /// Reads the options of a call over those of its client.
    pub fn read<V: Value>(
        option: impl Fn(&str) -> V,
        environment: Environment,
    ) -> Result<Options, Box<Failure>> {
        for (name, types, expected) in OPTIONS {
            let value = option(name);
            let kind = value.kind();
            let fits = kind == Type::Nothing
                || types & kind.bit() != 0
                    && match name {
                        "signal" => value.get("aborted").flag().is_some(),
                        "requestTimeout" => value.number() > 0.0,
                        "maxRetries" => is_whole(value.number()),
                        "maxWait" => value.number() >= 0.0,
                        "maxPolls" => is_whole(value.number()) && value.number() >= 1.0,
                        _ => true,
                    };
            if !fits {
                return Err(Failure::invalid(name, expected, kind));
            }
        }
        let number = |name: &str, default: f64| {
            let number = option(name).number();
            if number.is_nan() { default } else { number }
        };

        let key = option("apiKey");
        let has_key = !key.is_nothing();
        if key.kind() == Type::Text {
            check_key(&key.text(), "apiKey")?;
        }
        let base_url = option("baseUrl");
        if has_key && environment.browser && option("dangerouslyAllowBrowser").flag() != Some(true) {
            return Err(Failure::refusal(
                "apiKey",
                &[
                    "apiKey must not be in a web page, where every visitor can read it: keep it in a relay, and set \
                 baseUrl to that. To allow it all the same, set dangerouslyAllowBrowser.",
                ],
            ));
        }
        if !has_key && base_url.is_nothing() && option("headers").is_nothing() {
            return Err(Failure::refusal(
                "apiKey",
                &["apiKey is missing: pass a key, or set baseUrl to a relay that holds it."],
            ));
        }
        let base_url = if base_url.is_nothing() { DEFAULT_BASE_URL.into() } else { base_url.text() };
        let Some(location) = V::parse_url(&base_url, "")
            .filter(|location| location.is_plain && location.origin.starts_with("http"))
        else {
            return Err(Failure::refusal(
                "baseUrl",
                &[
                    "baseUrl must be an http(s) URL without credentials, query and fragment; in a web page, it may be a \
                 path.",
                ],
            ));
        };

        let interval = option("pollInterval");
        let bound = |name: &str, default: f64| {
            let value = interval.get(name);
            if value.is_nothing() { default } else { value.number() }
        };
        let poll_min = bound("min", POLL_MIN_MS.min(bound("max", POLL_MAX_MS)));
        let poll_max = bound("max", POLL_MAX_MS.max(poll_min));
        if !(poll_min > 0.0 && poll_min <= poll_max && poll_max <= LONGEST_WAIT_MS) {
            return Err(Failure::refusal(
                "pollInterval",
                &["pollInterval must be {min, max}: positive milliseconds, min at most max."],
            ));
        }

        let relay = option("relay").flag() == Some(true);
        let idempotency_key = option("idempotencyKey");
        if !idempotency_key.is_nothing() {
            check_key(&idempotency_key.text(), "idempotencyKey")?;
        }
        Ok(Options {
            base: Base::new(location),
            relay,
            makes_key: relay && idempotency_key.is_nothing(),
            streams: relay && environment.streams,
            create_timeout: number("requestTimeout", CREATE_TIMEOUT_MS),
            poll_timeout: number("requestTimeout", POLL_TIMEOUT_MS).min(LONGEST_WAIT_MS),
            max_retries: number("maxRetries", MAX_RETRIES) as u32,
            poll_min,
            poll_max,
            max_wait: number("maxWait", MAX_WAIT_MS).min(LONGEST_WAIT_MS),
            max_polls: number("maxPolls", 0.0) as u32,
        })
    }
}

/// Checks that a key is fit for a header. The message never shows it.
pub fn check_key(key: &str, name: &'static str) -> Result<(), Box<Failure>> {
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Failure::refusal(
        name,
        &[
            name,
            " must be a string of visible ASCII characters, without white space or a line break at its end.",
        ],
    ))
}
