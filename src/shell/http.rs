//! One HTTP exchange, as the core sees it.

use wasm_bindgen::JsValue;

use super::{call::text_to_js, js};
use crate::core::{Loss, Meaning, Name, Reply, RetryAfter, Value};

/// What an attempt brought.
pub struct Attempt {
    /// The answer, or how it was lost and whether the request had left this machine.
    pub result: Result<Reply<JsValue>, (Loss, bool)>,
    /// What an error keeps of it.
    pub value: JsValue,
}

impl Attempt {
    /// Reads an attempt, be it of this call or of another.
    pub fn of(value: JsValue) -> Attempt {
        let status = value.number_of(Name::Status);
        let is_late = value.flag_of(Name::IsLate) == Some(true);
        let result = if is_late || status.is_nan() {
            let loss = if is_late { Loss::Timeout } else { Loss::Connection };
            Err((loss, value.flag_of(Name::IsSent) == Some(true)))
        } else {
            let is_json = value.flag_of(Name::IsJson) == Some(true);
            Ok(Reply {
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
    pub fn generation(&self, meaning: &Meaning) -> JsValue {
        let id = meaning.task.as_ref().map_or("", |task| &task.id);
        js::normalise(&self.value.get(Name::Body), meaning.status as u8, meaning.is_foreign, id)
    }

    /// The provider's own object of a task that has failed.
    pub fn failed(&self, id: &String) -> JsValue {
        js::failed(&self.value.get(Name::Body), &text_to_js(id))
    }
}
