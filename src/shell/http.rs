//! One HTTP exchange: from the key to the last byte of the body.

use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::js;
use crate::core::{Loss, Meaning, Name, Reply, RetryAfter, Value};

/// A request, and what it takes to send it. Dropping it ends a fetch that nobody waits for any more.
pub struct Request {
    /// Below the base URL's origin.
    pub path: String,
    /// JSON, already a string; `undefined` for none.
    pub body: JsValue,
    /// `undefined` for none.
    pub idempotency_key: JsValue,
    /// The time for one attempt, in milliseconds.
    pub timeout: f64,
    /// Counts the attempts of a create, or the polls of a wait, from 1.
    pub number: u32,
    /// When it was sent.
    pub started: f64,
    /// What ends its fetch, while that is under way.
    pub controller: Option<AbortController>,
}

impl Drop for Request {
    fn drop(&mut self) {
        self.hang_up();
    }
}

impl Request {
    /// Ends the fetch.
    pub fn hang_up(&mut self) {
        if let Some(controller) = self.controller.take() {
            controller.abort();
        }
    }
}

/// What an attempt brought.
pub struct Attempt {
    /// The answer, or how it was lost and whether the request had left this machine.
    pub result: Result<Reply<JsValue>, (Loss, bool)>,
    /// What an error keeps of it.
    pub about: JsValue,
}

impl Attempt {
    /// Reads what an attempt brought, be it this call's own or that of another.
    pub fn of(about: JsValue) -> Attempt {
        let status = about.number_of(Name::Status);
        let is_late = about.flag_of(Name::IsLate) == Some(true);
        let result = if is_late || status.is_nan() {
            let loss = if is_late { Loss::Timeout } else { Loss::Connection };
            Err((loss, about.flag_of(Name::IsSent) == Some(true)))
        } else {
            Ok(Reply {
                status: status as u16,
                body: if about.flag_of(Name::IsJson) == Some(true) {
                    Some(about.get(Name::Body))
                } else {
                    None
                },
                retry_after: RetryAfter {
                    seconds: about.number_of(Name::Seconds),
                    date_ms: about.number_of(Name::Date),
                    now_ms: js_sys::Date::now(),
                },
                location: about.get(Name::Location),
            })
        };
        Attempt { result, about }
    }

    /// The provider's own object as a generation.
    pub fn generation(&self, meaning: &Meaning) -> JsValue {
        let id = meaning.task.as_ref().map_or("", |task| &task.id);
        js::normalise(&self.about.get(Name::Body), meaning.status as u8, meaning.is_foreign, id)
    }
}
