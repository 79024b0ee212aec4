//! One HTTP exchange: from the key to the last byte of the body.

use js_sys::{Array, Object};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortController;

use super::{
    call::{Call, End, Failed, Interrupt, Timer, now},
    js::{self, Headers, Response, Text},
    value::{get, set},
};
use crate::core::{Failure, Kind, Loss, Outcome, Patch, Reply, RetryAfter, Status, check_key, lost_download};

/// What a request is made of.
pub struct Request<'a> {
    pub method: &'a str,
    /// Below the base URL's origin.
    pub path: &'a str,
    /// JSON, already a string.
    pub body: Option<&'a JsValue>,
    pub idempotency_key: Option<&'a str>,
    pub timeout: f64,
    /// Counts the attempts of a create, or the polls of a wait, from 1.
    pub number: u32,
}

/// What an attempt brought.
pub enum Attempt {
    Answered(Answer),
    Lost { loss: Loss, sent: bool, cause: JsValue },
}

/// An answer with what belongs to it in JavaScript.
pub struct Answer {
    pub reply: Reply<JsValue>,
    /// The parsed body, or its text where it is not JSON.
    body: JsValue,
    request_id: Option<String>,
    cause: JsValue,
}

impl Attempt {
    /// The provider's own object as a generation.
    pub fn generation(&self, patch: &Patch) -> JsValue {
        let Attempt::Answered(Answer { body, .. }) = self else { return JsValue::UNDEFINED };
        set(body, "status", &patch.status.name().into());
        for (name, text) in [("task_id", &patch.task_id), ("provider_status", &patch.provider_status)] {
            if let Some(text) = text {
                set(body, name, &text.into());
            }
        }
        if patch.status == Status::Completed && !Array::is_array(&get(body, "data")) {
            set(body, "data", &Array::new());
        }
        body.clone()
    }

    /// A failure with what the answer says of it.
    pub fn failed(&self, mut failure: Failure) -> End {
        let (body, cause) = match self {
            Attempt::Answered(answer) => {
                failure.request_id.clone_from(&answer.request_id);
                (&answer.body, &answer.cause)
            }
            Attempt::Lost { cause, .. } => (&JsValue::UNDEFINED, cause),
        };
        End::Failed(Box::new(Failed { failure, body: body.clone(), task: None, cause: cause.clone() }))
    }
}

/// Ends a fetch that nobody waits for any more.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a request, once, and reads its answer.
pub async fn send(call: &Call, request: &Request<'_>) -> Result<Attempt, End> {
    let started = now();
    let timer = call.timer(request.timeout);
    let timer = timer.as_ref();
    let mut sent = false;
    let attempt = exchange(call, request, timer, &mut sent).await;
    let (response, key, text) = match attempt {
        Ok(parts) => parts,
        Err(Stop::Interrupt(Interrupt::Aborted(reason))) => return Err(End::Thrown(reason)),
        Err(Stop::Interrupt(Interrupt::Timeout)) => {
            return Ok(Attempt::Lost { loss: Loss::Timeout, sent, cause: JsValue::UNDEFINED });
        }
        Err(Stop::Lost(cause)) => return Ok(Attempt::Lost { loss: Loss::Connection, sent, cause }),
        Err(Stop::End(end)) => return Err(end),
    };

    // A server may echo the key; nobody who logs the answer is to find it there.
    let redact = |text: String| if key.is_empty() { text } else { text.replace(&key, "[key]") };
    let headers = response.headers();
    let header = |name: &str| headers.get(name).map(redact);
    let status = response.status();
    let request_id = header("x-request-id");
    if call.function("onResponse").is_some() {
        let rate_limit = |name: &str| header(&["x-ratelimit-", name].concat()).map(|text| js::number(&text));
        let info = ResponseInfo {
            method: request.method,
            path: request.path.split('?').next().unwrap_or_default(),
            status,
            request_id: request_id.as_deref(),
            rate_limit: RateLimit {
                limit: rate_limit("limit"),
                remaining: rate_limit("remaining"),
                reset: rate_limit("reset"),
            },
            duration_ms: now() - started,
            attempt: request.number,
        };
        call.tell("onResponse", &serde_wasm_bindgen::to_value(&info).unwrap_or_default());
    }
    let retry_after = header("retry-after").map_or(RetryAfter::NONE, |text| RetryAfter {
        seconds: js::number(&text),
        date_ms: js::parse_date(&text),
        now_ms: js_sys::Date::now(),
    });
    let (body, text, cause) = match text {
        Ok(text) => {
            let text =
                if key.is_empty() { text } else { text.unchecked_ref::<Text>().replace_all(&key, "[key]") };
            match js::parse(&text) {
                Ok(body) => (Some(body), text, JsValue::UNDEFINED),
                Err(cause) => (None, text, cause),
            }
        }
        Err(cause) => (None, JsValue::UNDEFINED, cause),
    };
    Ok(Attempt::Answered(Answer {
        body: body.clone().unwrap_or(text),
        reply: Reply { status, body, retry_after },
        request_id,
        cause,
    }))
}

/// Downloads a picture. It is somebody else's server, so it gets neither key nor headers.
pub async fn download(call: &Call, url: &str) -> Result<JsValue, End> {
    let target = ["GET ", url.split('?').next().unwrap_or_default()].concat();
    let timer = call.timer(call.options.create_timeout());
    let guard = controller()?;
    let init = init_of("GET", &guard);
    let lost = |loss| lost_download(&target, loss);
    let interrupted = |interrupt| match interrupt {
        Interrupt::Aborted(reason) => End::Thrown(reason),
        Interrupt::Timeout => lost(Loss::Timeout).into(),
    };
    let failed = |cause| End::with_cause(lost(Loss::Connection), cause);
    call.check().map_err(End::Thrown)?;
    let promise = call_fetch(call, url, &init).map_err(failed)?;
    let response = call.settled(&promise, timer.as_ref()).await.map_err(interrupted)?.map_err(failed)?;
    let response: &Response = response.unchecked_ref();
    if !matches!(response.status(), 200..300) {
        return Err(Failure::of_answer::<JsValue>(&target, response.status(), None, &RetryAfter::NONE).into());
    }
    let promise = response.blob().map_err(failed)?;
    call.settled(&promise, timer.as_ref()).await.map_err(interrupted)?.map_err(failed)
}

/// Why an exchange brought no answer.
enum Stop {
    Interrupt(Interrupt),
    Lost(JsValue),
    End(End),
}

impl From<Interrupt> for Stop {
    fn from(interrupt: Interrupt) -> Stop {
        Stop::Interrupt(interrupt)
    }
}

impl From<End> for Stop {
    fn from(end: End) -> Stop {
        Stop::End(end)
    }
}

type Parts = (Response, String, Result<JsValue, JsValue>);

async fn exchange(
    call: &Call,
    request: &Request<'_>,
    timer: Option<&Timer>,
    sent: &mut bool,
) -> Result<Parts, Stop> {
    let key = match current(call, timer, "apiKey").await? {
        Ok(key) if key.is_undefined() => String::new(),
        Ok(key) => {
            let key = key.as_string().unwrap_or_default();
            check_key(&key, "apiKey").map_err(End::from)?;
            key
        }
        Err(cause) => {
            let message = "The apiKey function failed: see error.cause.".into();
            let failure = Failure::new(Kind::Authentication, Outcome::NotSent, message);
            return Err(End::with_cause(failure, cause).into());
        }
    };
    let headers = match current(call, timer, "headers").await? {
        Ok(headers) => Headers::new(&headers),
        Err(cause) => Err(cause),
    };
    let Ok(headers) = headers else {
        // The cause would show the values of the headers.
        let message = "headers could not be used: they must be a Headers object, an object of strings or \
                       pairs of strings, or a function that returns one."
            .into();
        return Err(End::from(Failure::new(Kind::InvalidRequest, Outcome::NotSent, message)).into());
    };
    if !key.is_empty() {
        headers.set("authorization", &["Bearer ", &key].concat());
    }
    headers.set("accept", "application/json");
    let guard = controller()?;
    let init = init_of(request.method, &guard);
    set(&init, "redirect", &"manual".into());
    if let Some(body) = request.body {
        headers.set("content-type", "application/json");
        set(&init, "body", body);
    }
    if let Some(key) = request.idempotency_key {
        headers.set("idempotency-key", key);
    }
    set(&init, "headers", headers.as_ref());

    call.check().map_err(|reason| Stop::Interrupt(Interrupt::Aborted(reason)))?;
    *sent = true;
    let promise = call_fetch(call, &call.options.base.url(request.path), &init).map_err(Stop::Lost)?;
    let response: Response = call.settled(&promise, timer).await?.map_err(Stop::Lost)?.unchecked_into();
    let text = match response.text() {
        Ok(promise) => call.settled(&promise, timer).await?,
        Err(cause) => Err(cause),
    };
    Ok((response, key, text))
}

/// An option that may be a function, which is then asked for each request.
async fn current(
    call: &Call,
    timer: Option<&Timer>,
    name: &str,
) -> Result<Result<JsValue, JsValue>, Interrupt> {
    match call.function(name) {
        None => Ok(Ok(call.option(name))),
        Some(function) => match function.call0(&JsValue::UNDEFINED) {
            Ok(value) => call.settled(&value, timer).await,
            Err(cause) => Ok(Err(cause)),
        },
    }
}

fn call_fetch(call: &Call, url: &str, init: &JsValue) -> Result<JsValue, JsValue> {
    match call.function("fetch") {
        Some(fetch) => fetch.call2(&JsValue::UNDEFINED, &url.into(), init),
        None => js::fetch(url, init),
    }
}

fn controller() -> Result<AbortOnDrop, End> {
    AbortController::new().map(AbortOnDrop).map_err(End::Thrown)
}

fn init_of(method: &str, guard: &AbortOnDrop) -> JsValue {
    let init = Object::new().into();
    set(&init, "method", &method.into());
    set(&init, "signal", &guard.0.signal());
    init
}

/// What `onResponse` is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseInfo<'a> {
    method: &'a str,
    path: &'a str,
    status: u16,
    request_id: Option<&'a str>,
    rate_limit: RateLimit,
    duration_ms: f64,
    attempt: u32,
}

/// The account's limit, where the server tells it.
#[derive(Serialize)]
struct RateLimit {
    limit: Option<f64>,
    remaining: Option<f64>,
    reset: Option<f64>,
}
