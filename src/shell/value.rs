//! JavaScript values as the core sees them. Payloads stay where they are.

use wasm_bindgen::JsValue;

use super::js;
use crate::core::{Location, Name, Type, Value};

/// What `js::kind_of` says, by its numbers: it tells both truth values apart, and empty strings.
const KINDS: [Type; 10] = [
    Type::Nothing,
    Type::Flag,
    Type::Flag,
    Type::Text,
    Type::Text,
    Type::Other,
    Type::Number,
    Type::List,
    Type::Object,
    Type::Function,
];
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const FILLED: u8 = 4;

// In place of the number of a name.
/// The fields of an object, as an array.
const ENTRIES: u32 = 96;
/// The length of an array.
const LENGTH: u32 = 97;
/// The value as a segment of a path.
const SEGMENT: u32 = 98;
/// Why a body refuses.
const REASON: u32 = 99;
/// The value itself.
const ITSELF: u32 = 100;
/// The first element of an array.
const FIRST: u32 = 101;

fn kind(value: &JsValue, key: u32) -> Type {
    KINDS.get(usize::from(js::kind_of(value, key))).copied().unwrap_or(Type::Other)
}

fn flag(value: &JsValue, key: u32) -> Option<bool> {
    match js::kind_of(value, key) {
        FALSE => Some(false),
        TRUE => Some(true),
        _ => None,
    }
}

impl Value for JsValue {
    fn nothing() -> JsValue {
        JsValue::UNDEFINED
    }

    fn kind(&self) -> Type {
        kind(self, ITSELF)
    }

    fn get(&self, name: Name) -> JsValue {
        js::field(self, name as u32)
    }

    fn entries(&self) -> JsValue {
        js::field(self, ENTRIES)
    }

    fn length(&self) -> u32 {
        js::number_of(self, LENGTH) as u32
    }

    fn item(&self, index: u32) -> JsValue {
        js::field(self, FIRST + index)
    }

    fn text(&self) -> String {
        js::text_of(self, ITSELF)
    }

    fn number(&self) -> f64 {
        js::number_of(self, ITSELF)
    }

    fn flag(&self) -> Option<bool> {
        flag(self, ITSELF)
    }

    fn is_filled(&self) -> bool {
        js::kind_of(self, ITSELF) == FILLED
    }

    fn kind_of(&self, name: Name) -> Type {
        kind(self, name as u32)
    }

    fn text_of(&self, name: Name) -> String {
        js::text_of(self, name as u32)
    }

    fn number_of(&self, name: Name) -> f64 {
        js::number_of(self, name as u32)
    }

    fn flag_of(&self, name: Name) -> Option<bool> {
        flag(self, name as u32)
    }

    fn has(&self, name: Name) -> bool {
        js::kind_of(self, name as u32) == FILLED
    }

    fn reason(&self) -> String {
        js::text_of(self, REASON)
    }

    fn parse_url(text: &str, base: &str) -> Option<Location> {
        let parts = js::parse_url(text, base);
        let is_plain = parts.item(2).flag()?;
        Some(Location { origin: parts.item(0).text(), path: parts.item(1).text(), is_plain })
    }

    fn encode_segment(text: &str) -> String {
        js::text_of(&text.into(), SEGMENT)
    }
}
