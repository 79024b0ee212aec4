//! JavaScript values as the core sees them. Payloads stay where they are.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};

use super::js;
use crate::core::{Location, Type, Value};

/// In the order of their numbers.
const TYPES: [Type; 8] = [
    Type::Nothing,
    Type::Flag,
    Type::Number,
    Type::Text,
    Type::List,
    Type::Object,
    Type::Function,
    Type::Other,
];

impl Value for JsValue {
    fn nothing() -> JsValue {
        JsValue::UNDEFINED
    }

    fn kind(&self) -> Type {
        TYPES[usize::from(js::kind_of(self)) & 7]
    }

    fn get(&self, name: &str) -> JsValue {
        js::field(self, name)
    }

    fn names(&self) -> JsValue {
        js::names(self)
    }

    fn any(&self, test: impl Fn(&JsValue) -> bool) -> bool {
        (0..js::length_of(self)).any(|index| test(&self.unchecked_ref::<Array>().get(index)))
    }

    fn text(&self) -> String {
        self.as_string().unwrap_or_default()
    }

    fn number(&self) -> f64 {
        self.as_f64().unwrap_or(f64::NAN)
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn is_filled(&self) -> bool {
        js::is_filled(self)
    }

    fn parse_url(text: &str, base: &str) -> Option<Location> {
        let parts = js::parse_url(text, base);
        let is_plain = parts.get("2").flag()?;
        Some(Location { origin: parts.get("0").text(), path: parts.get("1").text(), is_plain })
    }
    fn encode_segment(text: &str) -> String {
        js::encode(text).text()
    }
}
