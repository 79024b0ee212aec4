//! One HTTP exchange, as the core sees it.

use wasm_bindgen::JsValue;

use super::js;
use crate::core::{Answer, Name, ParsedAnswer, RetryAfter, Task, TransportError, Value};

/// The status of a task that has failed: `js/client/host.js` numbers it behind the core's own.
const FAILED: u8 = 3;

/// What an attempt brought.
pub struct Attempt {
    /// The answer, or how it was lost and whether the request had left this machine.
    pub result: Result<Answer<JsValue>, (TransportError, bool)>,
    /// What an error keeps of it.
    pub value: JsValue,
}

impl Attempt {
    /// Reads an attempt, be it of this call or of another.
    pub fn of(value: JsValue) -> Attempt {
        let status = value.number_of(Name::Status);
        let is_late = value.flag_of(Name::IsLate) == Some(true);
        let result = if is_late || status.is_nan() {
            let loss = if is_late { TransportError::Timeout } else { TransportError::Connection };
            Err((loss, value.flag_of(Name::IsSent) == Some(true)))
        } else {
            let is_json = value.flag_of(Name::IsJson) == Some(true);
            Ok(Answer {
                status: status as u16,
                body: is_json.then(|| value.get(Name::Body)),
                location: value.get(Name::Location),
                retry_after: RetryAfter {
                    seconds: value.number_of(Name::Seconds),
                    date_ms: value.number_of(Name::Date),
                    now_ms: value.number_of(Name::Now),
                },
            })
        };
        Attempt { result, value }
    }

    /// The provider's own object as a generation.
    pub fn generation(&self, meaning: &ParsedAnswer) -> JsValue {
        self.normalise(meaning.status as u8, meaning.is_foreign, meaning.task.as_ref())
    }

    /// The provider's own object of a task that has failed.
    pub fn failed(&self, task: &Task) -> JsValue {
        self.normalise(FAILED, false, Some(task))
    }

    fn normalise(&self, status: u8, is_foreign: bool, task: Option<&Task>) -> JsValue {
        let id = task.map_or("", |task| &task.id);
        js::normalise(&self.value, status, is_foreign, id)
    }
}
