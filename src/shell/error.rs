//! Failures as the errors that callers get.

use wasm_bindgen::JsValue;

use super::{js, value::Js};
use crate::core::{CallFailure, Failure, Value};

/// What a failed call rejects with.
pub fn call_error(failed: &CallFailure<Js>) -> Js {
    let cause = failed.cause.as_ref().map_or_else(Js::nothing, |cause| call_error(cause));
    make(&failed.failure, &failed.attempt, &cause)
}

/// The error of a failure that an attempt led to.
#[cfg(feature = "hub")]
pub fn error(failure: &Failure, attempt: &JsValue) -> JsValue {
    make(failure, attempt, &JsValue::UNDEFINED).into()
}

fn make(failure: &Failure, attempt: &JsValue, cause: &JsValue) -> Js {
    let (id, poll_url) = failure.task.as_ref().map_or(("", ""), |task| (&task.id, &task.poll_url));
    let error = js::make_error(
        failure.kind as u8,
        failure.outcome as u8,
        &failure.message,
        failure.status,
        failure.param.map_or(u8::MAX, |name| name as u8),
        failure.retry_after.0,
        attempt,
        // One by one: the names of a struct's fields would bring a cache of three kilobytes.
        id,
        poll_url,
        cause,
        failure.allows_fallback(),
    );
    error.into()
}
