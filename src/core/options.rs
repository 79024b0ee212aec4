//! The options of a call: read, checked, and completed with their defaults.

use super::{
    abi::{Name, Shape},
    failure::Failure,
    limits::LONGEST_WAIT,
    ms::Ms,
    platform::Platform,
    text::{contains, copy},
    url::Base,
    value::{Value, is_whole},
};

/// The provider's address.
const DEFAULT_BASE_URL: &str = "https://api.lemondata.cc";
/// An inline answer can take a minute or more, and the provider asks for at least two.
const CREATE_TIMEOUT: Ms = Ms(300_000.0);
/// A poll answers at once, or not at all.
const POLL_TIMEOUT: Ms = Ms(60_000.0);
/// The provider asks for one poll every 3 to 5 s.
const POLL_MIN: Ms = Ms(3_000.0);
const POLL_MAX: Ms = Ms(5_000.0);
/// The provider's own sample gives up after 300 s.
const MAX_WAIT: Ms = Ms(300_000.0);
const MAX_RETRIES: f64 = 2.0;
/// `onTask` has at least this long, so that a short wait does not keep the task from being stored.
const ANNOUNCE: Ms = Ms(5_000.0);

const TEXT: u16 = Shape::TEXT;
const FUNCTION: u16 = Shape::FUNCTION;
const OBJECT: u16 = Shape::OBJECT;
const FLAG: u16 = Shape::FLAG;
const NUMBER: u16 = Shape::NUMBER;
const LIST: u16 = Shape::LIST;

/// Every option: the shapes that it may have, and how a message names them.
static OPTIONS: [(Name, u16, &str); Name::OPTIONS] = [
    (Name::ApiKey, TEXT | FUNCTION, "a string or a function"),
    (Name::BaseUrl, TEXT, "a string"),
    (Name::Relay, FLAG, "a boolean"),
    (Name::Fetch, FUNCTION, "a function"),
    (Name::Headers, OBJECT | FUNCTION | LIST, "an object or a function"),
    (Name::DangerouslyAllowBrowser, FLAG, "a boolean"),
    (Name::Signal, OBJECT, "an AbortSignal"),
    (Name::RequestTimeout, NUMBER, "positive milliseconds"),
    (Name::MaxRetries, NUMBER, "an integer of at least 0"),
    (Name::PollInterval, OBJECT, "an object with min and max"),
    (Name::MaxWait, NUMBER, "milliseconds of at least 0"),
    (Name::MaxPolls, NUMBER, "a positive integer"),
    (Name::IdempotencyKey, TEXT, "a string"),
    (Name::OnTask, FUNCTION, "a function"),
    (Name::OnUpdate, FUNCTION, "a function"),
    (Name::OnResponse, FUNCTION, "a function"),
    (Name::Fallback, LIST, "an array of names of models"),
];

/// A key that is missing: in a page, none should be there.
const NO_KEY: &str =
    " is missing or empty: is LEMONDATA_API_KEY set? In a web page, set baseUrl to a relay that holds it.";

/// What the shell knows of the place where it runs.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// A web page, or a worker of one: whatever is here, every visitor can read.
    pub browser: bool,
}

/// The options of one call that decide something. Functions and signals stay with the shell.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // independent of each other
pub struct Options {
    /// Where requests go.
    pub base: Base,
    /// Whether a key goes along.
    pub has_key: bool,
    /// Whether a function brings it.
    pub has_key_function: bool,
    /// Whether the caller is a page, whose browser asks a server of another origin for its consent.
    pub is_page: bool,
    /// Whether the base URL is a relay of ours, where a keyed create may be repeated.
    pub relay: bool,
    /// Whether a create needs a key that the caller has not set: a relay carries out a keyed create once, so
    /// that it may be repeated.
    pub makes_key: bool,
    /// The time for one attempt at a create.
    pub create_timeout: Ms,
    /// The time for one poll.
    pub poll_timeout: Ms,
    /// How often a create that is safe to repeat is repeated.
    pub max_retries: u32,
    /// The shortest gap between two polls.
    pub poll_min: Ms,
    /// The longest gap between two polls.
    pub poll_max: Ms,
    /// The time for a task.
    pub max_wait: Ms,
    /// How many polls a wait may send; 0 for any number.
    pub max_polls: u32,
}

impl Options {
    /// Reads the options of a call, those of its client among them.
    pub fn read<V: Platform>(options: &V, environment: Environment) -> Result<Options, Box<Failure>> {
        let set = options.mask(Name::ApiKey, Name::OPTIONS as u32, !Shape::NOTHING);
        // The options are the first names.
        let is_set = |name: Name| set >> name as u32 & 1 != 0;
        for &(name, shapes, expected) in &OPTIONS {
            let number = || options.number_of(name);
            let fits = !is_set(name)
                || options.is_of(name, shapes)
                    && match name {
                        Name::Signal => is_signal(&options.get(name)),
                        Name::RequestTimeout => number() > 0.0,
                        Name::MaxRetries => is_whole(number()),
                        Name::MaxWait => number() >= 0.0,
                        Name::MaxPolls => is_whole(number()) && number() >= 1.0,
                        Name::Fallback => !options.get(name).any(|model| !model.is_filled()),
                        _ => true,
                    };
            if !fits {
                return Err(Failure::invalid(name, expected, &options.get(name)));
            }
        }
        let number = |name: Name, default: f64| if is_set(name) { options.number_of(name) } else { default };
        let time = |name: Name, default: Ms| Ms(number(name, default.0));

        let has_key = is_set(Name::ApiKey);
        let has_key_function = options.is_of(Name::ApiKey, FUNCTION);
        if has_key && !has_key_function {
            check_key(&options.text_of(Name::ApiKey), Name::ApiKey)?;
        }
        // What headers hold for the service itself is a key, too.
        let holds_key = has_key || is_set(Name::Headers) && !is_set(Name::BaseUrl);
        if holds_key && environment.browser && !options.is_of(Name::DangerouslyAllowBrowser, Shape::TRUE) {
            return Err(Failure::refusal(
                Name::ApiKey,
                " must not be in a web page, where every visitor can read it: set baseUrl to a relay that \
                 holds it, or set dangerouslyAllowBrowser.",
            ));
        }
        let relay = is_set(Name::Relay) && options.is_of(Name::Relay, Shape::TRUE);
        if has_key && relay {
            return Err(Failure::refusal(Name::ApiKey, " is not for a relay: leave out apiKey or relay."));
        }
        if relay && !is_set(Name::BaseUrl) {
            return Err(Failure::refusal(Name::BaseUrl, " is missing: set it to the URL of the relay."));
        }
        if !(has_key || is_set(Name::BaseUrl) || is_set(Name::Headers)) {
            return Err(Failure::refusal(Name::ApiKey, NO_KEY));
        }
        let base_url =
            if is_set(Name::BaseUrl) { options.text_of(Name::BaseUrl) } else { copy(DEFAULT_BASE_URL) };
        let Some(location) = V::parse_url(&base_url, "")
            // A `blob:` URL has the origin of its maker, but a whole URL for a path.
            .filter(|location| {
                location.is_plain
                    && location.origin.starts_with("http")
                    && location.path.starts_with("/")
                    && !contains(&location.path, "/v1/images")
            })
        else {
            return Err(Failure::refusal(
                Name::BaseUrl,
                " must be an http(s) URL without /v1/images, credentials, query and fragment. A path works in a web page \
                 alone.",
            ));
        };

        let interval = options.get(Name::PollInterval);
        let bounds = interval.mask(Name::Min, 2, !Shape::NOTHING);
        let bound = |name: Name, default: Ms| {
            let is_set = bounds >> (name as u32 - Name::Min as u32) & 1 != 0;
            if is_set { Ms(interval.number_of(name)) } else { default }
        };
        let poll_min = bound(Name::Min, POLL_MIN.min(bound(Name::Max, POLL_MAX)));
        let poll_max = bound(Name::Max, POLL_MAX.max(poll_min));
        if !(poll_min > Ms::ZERO && poll_min <= poll_max && poll_max <= LONGEST_WAIT) {
            return Err(Failure::refusal(
                Name::PollInterval,
                " must be {min, max}: positive milliseconds, min at most max.",
            ));
        }

        let is_keyed = is_set(Name::IdempotencyKey);
        if is_keyed {
            check_key(&options.text_of(Name::IdempotencyKey), Name::IdempotencyKey)?;
        }
        Ok(Options {
            base: Base::new(location),
            has_key,
            has_key_function,
            is_page: environment.browser,
            relay,
            makes_key: relay && !is_keyed,
            create_timeout: time(Name::RequestTimeout, CREATE_TIMEOUT),
            poll_timeout: time(Name::RequestTimeout, POLL_TIMEOUT).min(LONGEST_WAIT),
            max_retries: number(Name::MaxRetries, MAX_RETRIES) as u32,
            poll_min,
            poll_max,
            max_wait: time(Name::MaxWait, MAX_WAIT).min(LONGEST_WAIT),
            max_polls: number(Name::MaxPolls, 0.0) as u32,
        })
    }

    /// The usual cause of a failed connection in a page.
    pub fn browser_advice(&self) -> &'static str {
        if self.is_page {
            " A page of another origin needs its permission (allowedOrigins of a relay)."
        } else {
            ""
        }
    }

    /// When an `onTask` that is called `now` has to be done.
    pub fn announce_until(&self, now: f64) -> f64 {
        now + self.max_wait.max(ANNOUNCE)
    }
}

/// Whether this has what we use of an `AbortSignal`. Half a signal would keep a call from its end.
fn is_signal<V: Value>(signal: &V) -> bool {
    signal.is_of(Name::Aborted, FLAG) && signal.mask(Name::AddEventListener, 2, FUNCTION) == 0b11
}

/// Checks that a key is fit for a header. The message never shows it.
pub fn check_key(key: &str, name: Name) -> Result<(), Box<Failure>> {
    let is_api_key = name == Name::ApiKey;
    // A quote, double or single, comes from the file of the variable. An idempotency key may be quoted.
    let is_quoted = is_api_key && matches!(key.as_bytes().first(), Some(0x22 | 0x27));
    let message = if is_api_key && key.is_empty() {
        NO_KEY
    } else if is_quoted || key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        " must be the key alone: visible ASCII without Bearer, quotes, white space or a line break."
    } else {
        return Ok(());
    };
    Err(Failure::refusal(name, message))
}
