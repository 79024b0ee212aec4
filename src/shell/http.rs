//! One HTTP exchange: from the key to the last byte of the body.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortController;

use super::{
    call::{Call, End, Interrupt, Timer, now},
    js,
};
use crate::core::{
    Failure, Kind, Loss, Meaning, Outcome, Reply, RetryAfter, Value, check_key, without_query,
};

/// What a request is made of.
pub struct Request<'a> {
    pub method: &'a str,
    /// Below the base URL's origin.
    pub path: &'a str,
    /// JSON, already a string; `undefined` for none.
    pub body: &'a JsValue,
    /// Empty for none.
    pub idempotency_key: &'a str,
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
    request_id: JsValue,
    cause: JsValue,
}

impl Attempt {
    /// The provider's own object as a generation.
    pub fn generation(&self, meaning: &Meaning) -> JsValue {
        let Attempt::Answered(answer) = self else { return JsValue::UNDEFINED };
        let id = meaning.task.as_ref().map_or("", |task| &task.id);
        js::normalise(&answer.body, meaning.status.name(), meaning.is_foreign, id)
    }

    /// A failure with what the answer says of it.
    pub fn failed(&self, failure: Box<Failure>) -> End {
        let mut end = End::from(failure);
        if let End::Failed(failed) = &mut end {
            match self {
                Attempt::Answered(answer) => {
                    failed.body = answer.body.clone();
                    failed.request_id = answer.request_id.clone();
                    failed.cause = answer.cause.clone();
                }
                Attempt::Lost { cause, .. } => failed.cause = cause.clone(),
            }
        }
        end
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
    let mut sent = false;
    let lost = match exchange(call, request, &mut sent).await {
        Ok(answer) => return Ok(Attempt::Answered(answer)),
        Err(Stop::Interrupt(Interrupt::Aborted(reason))) => return Err(End::Thrown(reason)),
        Err(Stop::End(end)) => return Err(end),
        Err(Stop::Interrupt(Interrupt::Timeout)) => (Loss::Timeout, JsValue::UNDEFINED),
        Err(Stop::Lost(cause)) => (Loss::Connection, cause),
    };
    Ok(Attempt::Lost { loss: lost.0, sent, cause: lost.1 })
}

/// Downloads a picture. It is somebody else's server, so it gets neither key nor headers.
pub async fn download(call: &Call, url: &str) -> Result<JsValue, End> {
    let target = ["GET ", without_query(url)];
    // A download bills nothing.
    let lost = |loss| Failure::lost(&target, loss, Outcome::Rejected);
    match fetch_picture(call, url).await {
        Ok(Ok(picture)) => Ok(picture),
        Ok(Err(status)) => {
            Err(Failure::of_answer::<JsValue>(&target, status, None, &RetryAfter::NONE).into())
        }
        Err(Stop::Interrupt(Interrupt::Aborted(reason))) => Err(End::Thrown(reason)),
        Err(Stop::End(end)) => Err(end),
        Err(Stop::Interrupt(Interrupt::Timeout)) => Err(lost(Loss::Timeout).into()),
        Err(Stop::Lost(cause)) => Err(End::with_cause(lost(Loss::Connection), cause)),
    }
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

impl From<Box<Failure>> for Stop {
    fn from(failure: Box<Failure>) -> Stop {
        Stop::End(failure.into())
    }
}

async fn exchange(call: &Call, request: &Request<'_>, sent: &mut bool) -> Result<Answer, Stop> {
    let started = now();
    let timer = call.timer(request.timeout);
    let timer = timer.as_ref();
    let key = current(call, timer, "apiKey").await?.map_err(|cause| {
        let message = ["The apiKey function failed: see error.cause."];
        Stop::End(End::with_cause(Failure::new(Kind::Authentication, Outcome::NotSent, &message), cause))
    })?;
    if !key.is_nothing() {
        check_key(&key.text(), "apiKey")?;
    }
    let guard = AbortOnDrop(AbortController::new().map_err(Stop::Lost)?);
    let init = current(call, timer, "headers").await?.and_then(|headers| {
        let signal = guard.0.signal();
        js::request_init(request.method, &signal, &headers, &key, request.body, request.idempotency_key)
    });
    let Ok(init) = init else {
        // The cause could show the values of the headers.
        return Err(Failure::refusal("headers", &[
            "headers could not be used: they must be a Headers object, an object of strings or pairs of \
             strings, or a function that returns one.",
        ])
        .into());
    };

    let response = fetch(call, &call.options.base.url(request.path), &init, timer, sent).await?;
    let text = match js::invoke(&response, "text") {
        Ok(promise) => call.settled(&promise, timer).await?,
        Err(cause) => Err(cause),
    };
    if call.function("onResponse").is_some() {
        let path = without_query(request.path);
        let duration = now() - started;
        let info = js::response_info(request.method, path, &response, &key, duration, request.number);
        call.tell("onResponse", &info);
    }
    let (text, parsed) = match text {
        Ok(text) => {
            let text = js::redact(&text, &key);
            let parsed = js::parse(&text);
            (text, parsed)
        }
        Err(cause) => (JsValue::UNDEFINED, Err(cause)),
    };
    let (body, cause) = match parsed {
        Ok(body) => (Some(body), JsValue::UNDEFINED),
        Err(cause) => (None, cause),
    };
    let retry_after = js::header(&response, "retry-after", &key);
    Ok(Answer {
        body: body.clone().unwrap_or(text),
        reply: Reply {
            status: js::field(&response, "status").number() as u16,
            body,
            retry_after: RetryAfter {
                seconds: js::number(&retry_after),
                date_ms: js::parse_date(&retry_after),
                now_ms: js_sys::Date::now(),
            },
        },
        request_id: js::header(&response, "x-request-id", &key),
        cause,
    })
}

/// The picture, or the status of the answer that brings none.
async fn fetch_picture(call: &Call, url: &str) -> Result<Result<JsValue, u16>, Stop> {
    let timer = call.timer(call.options.create_timeout);
    let timer = timer.as_ref();
    let guard = AbortOnDrop(AbortController::new().map_err(Stop::Lost)?);
    let init = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&init, &"signal".into(), &guard.0.signal());
    let response = fetch(call, url, &init, timer, &mut false).await?;
    let status = js::field(&response, "status").number() as u16;
    if !matches!(status, 200..=299) {
        return Ok(Err(status));
    }
    let promise = js::invoke(&response, "blob").map_err(Stop::Lost)?;
    Ok(Ok(call.settled(&promise, timer).await?.map_err(Stop::Lost)?))
}

async fn fetch(
    call: &Call,
    url: &str,
    init: &JsValue,
    timer: Option<&Timer>,
    sent: &mut bool,
) -> Result<JsValue, Stop> {
    call.check().map_err(Interrupt::Aborted)?;
    *sent = true;
    let promise = js::send(&call.option("fetch"), url, init).map_err(Stop::Lost)?;
    call.settled(&promise, timer).await?.map_err(Stop::Lost)
}

/// An option that may be a function, which is then asked for each request.
async fn current(
    call: &Call,
    timer: Option<&Timer>,
    name: &str,
) -> Result<Result<JsValue, JsValue>, Interrupt> {
    let option = call.option(name);
    match option.dyn_ref::<js_sys::Function>() {
        None => Ok(Ok(option)),
        Some(function) => match function.call0(&JsValue::UNDEFINED) {
            Ok(value) => call.settled(&value, timer).await,
            Err(cause) => Ok(Err(cause)),
        },
    }
}
