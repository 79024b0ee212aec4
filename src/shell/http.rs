//! One HTTP exchange: from the key to the last byte of the body.

use wasm_bindgen::JsValue;
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
    /// `undefined` for none.
    pub idempotency_key: &'a JsValue,
    pub timeout: f64,
    /// Counts the attempts of a create, or the polls of a wait, from 1.
    pub number: u32,
}

/// What an attempt brought.
pub struct Attempt {
    /// The answer, or how it was lost and whether the request had left this machine.
    pub result: Result<Reply<JsValue>, (Loss, bool)>,
    /// What an error keeps of it.
    about: JsValue,
}

impl Attempt {
    /// The provider's own object as a generation.
    pub fn generation(&self, meaning: &Meaning) -> JsValue {
        let id = meaning.task.as_ref().map_or("", |task| &task.id);
        js::normalise(&self.about.get("body"), meaning.status.name(), meaning.is_foreign, id)
    }

    /// A failure with what the answer says of it.
    pub fn failed(&self, failure: Box<Failure>) -> End {
        End::about(failure, self.about.clone())
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
    match exchange(call, request, &mut sent).await {
        Ok(attempt) => Ok(attempt),
        Err(Stop::End(end)) => Err(end),
        Err(Stop::Interrupt(Interrupt::Aborted(reason))) => Err(End::Thrown(reason)),
        Err(Stop::Interrupt(Interrupt::Timeout)) => {
            Ok(Attempt { result: Err((Loss::Timeout, sent)), about: JsValue::UNDEFINED })
        }
        Err(Stop::Lost(cause)) => {
            Ok(Attempt { result: Err((Loss::Connection, sent)), about: js::cause(&cause) })
        }
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

async fn exchange(call: &Call, request: &Request<'_>, sent: &mut bool) -> Result<Attempt, Stop> {
    let started = now();
    let timer = call.timer(request.timeout);
    let timer = timer.as_ref();
    let key = current(call, timer, "apiKey").await?.map_err(|cause| {
        let message = ["The apiKey function failed: see error.cause."];
        Stop::End(End::with_cause(Failure::new(Kind::Authentication, Outcome::NotSent, &message), &cause))
    })?;
    // A function that has no key at hand must not send the request without one.
    if !key.is_nothing() || call.function("apiKey").is_some() {
        check_key(&key.text(), "apiKey")?;
    }
    let guard = AbortOnDrop(AbortController::new().map_err(Stop::Lost)?);
    let init = current(call, timer, "headers").await?.and_then(|headers| {
        let signal = guard.0.signal();
        js::request_init(request.method, &signal, &headers, &key, request.body, request.idempotency_key)
    });
    let Ok(init) = init else {
        // The cause could show the values of the headers.
        let message = ["headers must be what new Headers() takes, or a function that returns it."];
        return Err(Failure::refusal("headers", &message).into());
    };

    call.check().map_err(Interrupt::Aborted)?;
    *sent = true;
    let promise = js::send(&call.option("fetch"), &call.options.base.url(request.path), &init);
    let response = call.settled(&promise.map_err(Stop::Lost)?, timer).await?.map_err(Stop::Lost)?;
    let text = call.settled(&js::text(&response).map_err(Stop::Lost)?, timer).await?;
    let (text, cause) = match text {
        Ok(text) => (text, JsValue::UNDEFINED),
        Err(cause) => (JsValue::UNDEFINED, cause),
    };
    let about = js::receive(&response, &key, &text, &cause);
    if call.function("onResponse").is_some() {
        let path = without_query(request.path);
        let duration = now() - started;
        let info = js::response_info(request.method, path, &response, &about, duration, request.number);
        call.tell("onResponse", &info);
    }
    let reply = Reply {
        status: about.get("status").number() as u16,
        body: if about.get("isJson").flag() == Some(true) { Some(about.get("body")) } else { None },
        retry_after: RetryAfter {
            seconds: about.get("seconds").number(),
            date_ms: about.get("date").number(),
            now_ms: js_sys::Date::now(),
        },
    };
    Ok(Attempt { result: Ok(reply), about })
}

/// An option that may be a function, which is then asked for each request.
async fn current(
    call: &Call,
    timer: Option<&Timer>,
    name: &str,
) -> Result<Result<JsValue, JsValue>, Interrupt> {
    call.settled(&js::current(&call.option(name)), timer).await
}
