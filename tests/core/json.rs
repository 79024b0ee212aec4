//! JavaScript-like values for the core, over `serde_json` and a parser of WHATWG URLs.

use std::cell::Cell;

use lemondata_wasm::core::{Location, Name, Platform, Status, Value, abi::Shape};
use serde_json::Value as Plain;
use url::Url;

/// A value as the core sees it.
#[derive(Clone, Debug)]
pub enum Json {
    /// What JSON can say.
    Plain(Plain),
    /// What lies in a `b64_json` field: it may be looked at, and never be copied.
    Payload(Plain),
    /// A number that JSON cannot say, too.
    Number(f64),
    Function,
    Symbol,
    /// An object of any such values, such as the options of a call.
    Object(Vec<(String, Json)>),
    /// Fields, or a field's name and its value.
    List(Vec<Json>),
}

impl From<Plain> for Json {
    fn from(value: Plain) -> Json {
        Json::Plain(value)
    }
}

impl Json {
    /// An object with these fields.
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
        Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// What JSON says of this value.
    pub fn plain(&self) -> &Plain {
        match self {
            Json::Plain(value) | Json::Payload(value) => value,
            _ => &Plain::Null,
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Json::Number(_) => Shape::Number,
            Json::Function => Shape::Function,
            Json::Symbol => Shape::Other,
            Json::Object(_) => Shape::Object,
            Json::List(_) => Shape::List,
            Json::Plain(value) | Json::Payload(value) => match value {
                Plain::Null => Shape::Nothing,
                Plain::Bool(true) => Shape::True,
                Plain::Bool(false) => Shape::False,
                Plain::Number(_) => Shape::Number,
                Plain::String(text) if text.is_empty() => Shape::Empty,
                Plain::String(_) => Shape::Filled,
                Plain::Array(_) => Shape::List,
                Plain::Object(_) => Shape::Object,
            },
        }
    }

    fn field(&self, name: &str, value: Option<&Plain>) -> Json {
        let value = value.cloned().unwrap_or_default();
        if name == "b64_json" || matches!(self, Json::Payload(_)) {
            Json::Payload(value)
        } else {
            Json::Plain(value)
        }
    }
}

/// An `AbortSignal` with these of its parts.
pub fn signal(parts: &[&str]) -> Json {
    let part = |name: &&str| {
        let value = if *name == "aborted" { Plain::Bool(false).into() } else { Json::Function };
        ((*name).to_string(), value)
    };
    Json::Object(parts.iter().map(part).collect())
}

/// All that we use of one.
pub const SIGNAL: [&str; 3] = ["aborted", "addEventListener", "removeEventListener"];

thread_local! {
    static PAGE: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Runs a test where relative URLs are relative to a page.
pub fn on_page<T>(page: &'static str, test: impl FnOnce() -> T) -> T {
    PAGE.set(Some(page));
    let result = test();
    PAGE.set(None);
    result
}

impl Value for Json {
    fn nothing() -> Json {
        Json::Plain(Plain::Null)
    }

    fn is(&self, shapes: u16) -> bool {
        shapes & self.shape().bit() != 0
    }

    fn get(&self, name: Name) -> Json {
        match self {
            Json::Object(fields) => fields
                .iter()
                .find(|(field, _)| field == name.text())
                .map_or_else(Json::nothing, |(_, value)| value.clone()),
            _ => self.field(name.text(), self.plain().get(name.text())),
        }
    }

    fn entries(&self) -> Json {
        let entry = |name: &str, value: &Plain| {
            Json::List(vec![Json::Plain(name.into()), self.field(name, Some(value))])
        };
        let fields = self.plain().as_object().into_iter().flatten();
        let items = self.plain().as_array().into_iter().flatten().enumerate();
        let items = items.map(|(index, value)| entry(&index.to_string(), value));
        Json::List(fields.map(|(name, value)| entry(name, value)).chain(items).collect())
    }

    fn length(&self) -> u32 {
        let length = match self {
            Json::List(items) => items.len(),
            _ => self.plain().as_array().map_or(0, Vec::len),
        };
        length.try_into().expect("a short array")
    }

    fn item(&self, index: u32) -> Json {
        match self {
            Json::List(items) => items[index as usize].clone(),
            _ => self.field("", self.plain().get(index as usize)),
        }
    }

    fn text(&self) -> String {
        assert!(!matches!(self, Json::Payload(_)), "rule 7: a payload was copied");
        match self.plain() {
            Plain::String(text) => text.clone(),
            // A whole number gives its digits: some ids are such numbers.
            Plain::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => String::new(),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Json::Number(number) => *number,
            _ => self.plain().as_f64().unwrap_or(f64::NAN),
        }
    }

    fn flag(&self) -> Option<bool> {
        self.plain().as_bool()
    }

    fn is_filled(&self) -> bool {
        self.plain().as_str().is_some_and(|text| !text.is_empty())
    }

    fn reason(&self) -> String {
        reason_at(self, 0)
    }

    fn description(&self) -> String {
        match self.shape() {
            Shape::Nothing => "missing".into(),
            Shape::False => "false".into(),
            Shape::True => "true".into(),
            Shape::Empty => "an empty string".into(),
            Shape::Filled => "a string".into(),
            Shape::Other => "Symbol()".into(),
            Shape::Number => self.number().to_string(),
            Shape::List => "an array".into(),
            Shape::Object => "an object".into(),
            Shape::Function => "a function".into(),
        }
    }
}

impl Platform for Json {
    fn parse_url(text: &str, base: &str) -> Option<Location> {
        let base = if base.is_empty() { PAGE.get() } else { Some(base) };
        let base = base.map(Url::parse).transpose().ok()?;
        let url = Url::options().base_url(base.as_ref()).parse(text).ok()?;
        let origin = url.origin().ascii_serialization();
        let query = url.query().filter(|query| !query.is_empty());
        let path = query.map_or(url.path().into(), |query| format!("{}?{query}", url.path()));
        let is_plain = format!("{origin}{}", url.path()) == url.as_str();
        Some(Location { origin, path, is_plain })
    }

    fn encode_segment(text: &str) -> String {
        let encode = |byte: u8| {
            if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        };
        text.bytes().map(encode).collect()
    }

    /// As `js/client/generation.js` does it.
    fn generation(attempt: &Json, status: Status, is_foreign: bool, task_id: &str) -> Json {
        let mut fields = attempt.get(Name::Body).plain().as_object().cloned().unwrap_or_default();
        let is_filled = |item: &Plain| {
            ["url", "b64_json"]
                .iter()
                .any(|name| item.get(name).and_then(Plain::as_str).is_some_and(|text| !text.is_empty()))
        };
        let has_picture =
            fields.get("data").and_then(Plain::as_array).is_some_and(|data| data.iter().any(is_filled));
        if is_foreign {
            fields.insert("provider_status".into(), fields.get("status").cloned().unwrap_or_default());
        }
        fields.insert("status".into(), status.text().into());
        if !task_id.is_empty() {
            fields.insert("task_id".into(), task_id.into());
        }
        if status == Status::Completed {
            if !fields.get("data").is_some_and(Plain::is_array) {
                fields.insert("data".into(), Plain::Array(Vec::new()));
            }
        } else if !has_picture || status == Status::Failed {
            fields.remove("data");
        }
        Plain::Object(fields).into()
    }
}

/// As `js/client/values.js` does it.
fn reason_at(value: &Json, depth: u8) -> String {
    let mut text = value.text();
    if depth < 3 {
        let field = |name: &str| value.field(name, value.plain().get(name));
        let inner = |value: &Json| reason_at(value, depth + 1);
        let join = |link: &str, parts: &[String]| {
            parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(link)
        };
        for name in ["error", "message", "msg", "detail", "errors"] {
            if text.is_empty() {
                text = inner(&field(name));
            }
        }
        let mut parts = vec![text];
        parts.extend((0..value.length().min(5)).map(|index| inner(&value.item(index))));
        parts.push(inner(&field("validation_errors")));
        let loc = field("loc");
        let last = loc.length().min(5).checked_sub(1).map_or_else(|| field("field"), |last| loc.item(last));
        text = join(": ", &[last.text(), join("; ", &parts)]);
    }
    text
}
