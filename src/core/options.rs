//! The options of a call: read, checked, and completed with their defaults.

use super::{
    failure::{Failure, Kind, Outcome},
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
const LONGEST_WAIT_MS: f64 = 1e15;
const MAX_RETRIES: u32 = 2;

/// What the shell knows of the place where it runs.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// A web page, or a worker of one: whatever is here, every visitor can read.
    pub browser: bool,
    /// Whether this call sends the key at all; a download does not.
    pub sends_key: bool,
}

/// A base URL as the platform has parsed it.
#[derive(Clone, Debug)]
pub struct Location {
    /// Scheme, host and port.
    pub origin: String,
    /// The path, from its first slash.
    pub path: String,
    /// Whether it has neither credentials nor query nor fragment.
    pub plain: bool,
}

/// The options of one call that decide something. Functions and signals stay with the shell.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where requests go.
    pub base: Base,
    /// Whether the base URL is a relay of ours, where a keyed create may be repeated.
    pub relay: bool,
    /// The time for one attempt, in milliseconds, where the caller gave one.
    pub request_timeout: Option<f64>,
    /// How often a create that is safe to repeat is repeated.
    pub max_retries: u32,
    /// The shortest gap between two polls, in milliseconds.
    pub poll_min: f64,
    /// The longest gap between two polls, in milliseconds.
    pub poll_max: f64,
    /// The time for a task, in milliseconds.
    pub max_wait: f64,
    /// How many polls a wait may send.
    pub max_polls: Option<u32>,
    /// The caller's own `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

impl Options {
    /// Reads the options of a call over those of its client. `resolve` parses a URL, against the page's
    /// where there is one.
    pub fn read<V: Value>(
        call: &V,
        client: &V,
        environment: Environment,
        resolve: impl Fn(&str) -> Option<Location>,
    ) -> Result<Options, Failure> {
        for options in [call, client] {
            expect(options, "options", "an object", &[Type::Nothing, Type::Object])?;
        }
        let option = |name: &str| {
            let own = call.get(name);
            if own.kind() == Type::Nothing { client.get(name) } else { own }
        };
        let optional = |name: &str, expected: &str, types: &[Type]| {
            let value = option(name);
            if value.kind() != Type::Nothing {
                expect(&value, name, expected, types)?;
            }
            Ok::<V, Failure>(value)
        };
        let number = |name: &str, expected: &str, accept: fn(f64) -> bool| {
            let value = optional(name, expected, &[Type::Number])?.number();
            if value.is_some_and(|number| !accept(number)) {
                return Err(Failure::invalid(name, expected, Type::Number));
            }
            Ok(value)
        };

        let key = optional("apiKey", "a string or a function that returns one", &[Type::Text, Type::Function])?;
        if let Some(key) = key.text() {
            check_key(&key, "apiKey")?;
        }
        for name in ["fetch", "onTask", "onUpdate", "onResponse"] {
            optional(name, "a function", &[Type::Function])?;
        }
        let headers = optional(
            "headers",
            "an object or a function that returns one",
            &[Type::Object, Type::List, Type::Function],
        )?;
        let signal = option("signal");
        if signal.kind() != Type::Nothing && signal.get("aborted").flag().is_none() {
            return Err(Failure::invalid("signal", "an AbortSignal", signal.kind()));
        }
        let relay = optional("relay", "a boolean", &[Type::Flag])?.flag() == Some(true);
        let allowed = optional("dangerouslyAllowBrowser", "a boolean", &[Type::Flag])?.flag();
        let has_key = key.kind() != Type::Nothing;
        if environment.sends_key && has_key && environment.browser && allowed != Some(true) {
            return Err(refuse(
                "apiKey",
                "apiKey must not be in a web page: every visitor could read it and spend your balance. \
                 Keep it in a relay and set baseUrl to that. If you know what you do, set \
                 dangerouslyAllowBrowser.",
            ));
        }

        let base_url = optional("baseUrl", "a string", &[Type::Text])?.text();
        if environment.sends_key && base_url.is_none() && !has_key && headers.kind() == Type::Nothing {
            return Err(refuse(
                "apiKey",
                "apiKey is missing: pass a key, or set baseUrl to a relay that holds it.",
            ));
        }
        let Some(location) = resolve(base_url.as_deref().unwrap_or(DEFAULT_BASE_URL))
            .filter(|location| location.plain && location.origin.starts_with("http"))
        else {
            return Err(refuse(
                "baseUrl",
                "baseUrl must be an http or https URL without credentials, query and fragment, or, in a \
                 web page, a path on its own server.",
            ));
        };

        let interval = optional("pollInterval", "an object with min and max", &[Type::Object])?;
        let bound = |name: &str| {
            let value = interval.get(name);
            let number = value.number();
            if value.kind() != Type::Nothing
                && !number.is_some_and(|number| number > 0.0 && number <= LONGEST_WAIT_MS)
            {
                return Err(Failure::invalid("pollInterval", "positive milliseconds", value.kind()));
            }
            Ok(number)
        };
        let (min, max) = (bound("min")?, bound("max")?);
        let poll_min = min.unwrap_or_else(|| POLL_MIN_MS.min(max.unwrap_or(POLL_MIN_MS)));
        let poll_max = max.unwrap_or(POLL_MAX_MS.max(poll_min));
        if poll_min > poll_max {
            return Err(refuse("pollInterval", "pollInterval.min must not be above pollInterval.max."));
        }

        let positive = "a positive number of milliseconds";
        let whole = "an integer of at least 0";
        let idempotency_key = optional("idempotencyKey", "a string", &[Type::Text])?.text();
        if let Some(key) = &idempotency_key {
            check_key(key, "idempotencyKey")?;
        }
        Ok(Options {
            base: Base::new(&location.origin, &location.path),
            relay,
            request_timeout: number("requestTimeout", positive, |ms| ms > 0.0)?,
            max_retries: number("maxRetries", whole, is_whole)?.map_or(MAX_RETRIES, |n| n as u32),
            poll_min,
            poll_max,
            max_wait: number("maxWait", "a number of milliseconds of at least 0", |ms| ms >= 0.0)?
                .unwrap_or(MAX_WAIT_MS)
                .min(LONGEST_WAIT_MS),
            max_polls: number("maxPolls", "a positive integer", |n| is_whole(n) && n >= 1.0)?.map(|n| n as u32),
            idempotency_key,
        })
    }

    /// The time for one attempt at a create, in milliseconds.
    pub fn create_timeout(&self) -> f64 {
        self.request_timeout.unwrap_or(CREATE_TIMEOUT_MS)
    }

    /// The time for one poll, in milliseconds.
    pub fn poll_timeout(&self) -> f64 {
        self.request_timeout.unwrap_or(POLL_TIMEOUT_MS)
    }
}

/// Checks that a key is fit for a header. The message never shows it.
pub fn check_key(key: &str, name: &str) -> Result<(), Failure> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let mut failure = refuse(name, name);
        failure.message.push_str(
            " must be a string of visible ASCII characters: it is empty, or holds white space (a line \
             break at its end?) or a character that no header can carry.",
        );
        return Err(failure);
    }
    Ok(())
}

fn expect<V: Value>(value: &V, name: &str, expected: &str, types: &[Type]) -> Result<(), Failure> {
    let kind = value.kind();
    if types.contains(&kind) { Ok(()) } else { Err(Failure::invalid(name, expected, kind)) }
}

fn refuse(name: &str, message: &str) -> Failure {
    let mut failure = Failure::new(Kind::InvalidRequest, Outcome::NotSent, message.into());
    failure.param = Some(name.into());
    failure
}
