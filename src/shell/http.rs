//! One HTTP exchange: from the key to the last byte of the body.

use std::mem;

use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::{
    call::{Call, End, Interrupt, Timer, now},
    js, trap,
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
    /// Whether the answer may be a stream, of which this is the first.
    pub streams: bool,
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
    /// Reads what an attempt brought, be it this call's own or that of another.
    pub fn of(about: JsValue) -> Attempt {
        let status = about.get("status").number();
        let is_late = about.get("isLate").flag() == Some(true);
        let result = if is_late || status.is_nan() {
            let loss = if is_late { Loss::Timeout } else { Loss::Connection };
            Err((loss, about.get("isSent").flag() == Some(true)))
        } else {
            Ok(Reply {
                status: status as u16,
                body: if about.get("isJson").flag() == Some(true) { Some(about.get("body")) } else { None },
                retry_after: RetryAfter {
                    seconds: about.get("seconds").number(),
                    date_ms: about.get("date").number(),
                    now_ms: js_sys::Date::now(),
                },
            })
        };
        Attempt { result, about }
    }

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
    call.check().map_err(End::Thrown)?;
    let started = now();
    let timer = call.timer(request.timeout);
    let about = js::attempt(&JsValue::UNDEFINED);
    let is_late = match exchange(call, request, timer.as_ref(), &about).await? {
        Ok(()) => false,
        Err(Interrupt::Timeout) => true,
        Err(Interrupt::Aborted(reason)) => return Err(End::Thrown(reason)),
    };
    trap::at("answer");
    let path = without_query(request.path);
    call.host.finish(&about, is_late, request.method, path, now() - started, request.number);
    Ok(Attempt::of(about))
}

async fn exchange(
    call: &Call,
    request: &Request<'_>,
    timer: Option<&Timer>,
    about: &JsValue,
) -> Result<Result<(), Interrupt>, End> {
    let option = call.option("apiKey");
    let key = match call.settled(&js::current(&option, &JsValue::UNDEFINED), timer).await {
        Ok(Ok(key)) => key,
        Ok(Err(cause)) => {
            let message = ["The apiKey function failed: see error.cause."];
            let failure = Failure::new(Kind::Authentication, Outcome::NotSent, &message);
            return Err(End::with_cause(failure, &cause));
        }
        Err(interrupt) => return Ok(Err(interrupt)),
    };
    // A function that has no key at hand must not send the request without one.
    if !option.is_nothing() {
        check_key(&key.text(), "apiKey")?;
    }
    let guard = AbortOnDrop(AbortController::new().map_err(End::Thrown)?);
    let exchange = js::exchange(
        about,
        &call.option("fetch"),
        &call.options.base.url(request.path),
        request.method,
        &guard.0,
        request.streams,
        &call.option("headers"),
        &key,
        request.body,
        request.idempotency_key,
    );
    let end = call.settled(&exchange, timer).await;
    // A stream goes on: whoever reads it ends it.
    if end.is_ok() && !about.get("rest").is_nothing() {
        mem::forget(guard);
    }
    if about.get("isRefused").flag().is_some() {
        let message = ["headers must be what new Headers() takes, or a function that returns it."];
        return Err(Failure::refusal("headers", &message).into());
    }
    Ok(end.map(|_| ()))
}
