//! JavaScript values as the core sees them. Payloads stay where they are.

use wasm_bindgen::JsValue;

use super::js;
use crate::core::{
    Location, Name, Platform, Status, Value,
    abi::{Shape, Trait},
};

const ENTRIES: u32 = key_of(Trait::Entries);
const LENGTH: u32 = key_of(Trait::Length);
const SEGMENT: u32 = key_of(Trait::Segment);
const REASON: u32 = key_of(Trait::Reason);
const DESCRIPTION: u32 = key_of(Trait::Description);
const ITSELF: u32 = key_of(Trait::Itself);
const FIRST_ELEMENT: u32 = Name::COUNT + Trait::ALL.len() as u32;

const fn key_of(wanted: Trait) -> u32 {
    Name::COUNT + wanted as u32
}

fn has(value: &JsValue, key: u32, shapes: u16) -> bool {
    js::mask_of(value, key, 1, shapes) != 0
}

fn flag(value: &JsValue, key: u32) -> Option<bool> {
    if has(value, key, Shape::FLAG) { Some(has(value, key, Shape::TRUE)) } else { None }
}

impl Value for JsValue {
    fn nothing() -> JsValue {
        JsValue::UNDEFINED
    }

    fn is(&self, shapes: u16) -> bool {
        has(self, ITSELF, shapes)
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
        js::field(self, FIRST_ELEMENT + index)
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
        has(self, ITSELF, Shape::FILLED)
    }

    fn mask(&self, first: Name, count: u32, shapes: u16) -> u32 {
        js::mask_of(self, first as u32, count, shapes)
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
        has(self, name as u32, Shape::FILLED)
    }

    fn reason(&self) -> String {
        js::text_of(self, REASON)
    }

    fn description(&self) -> String {
        js::text_of(self, DESCRIPTION)
    }
}

impl Platform for JsValue {
    fn parse_url(text: &str, base: &str) -> Option<Location> {
        let parts = js::parse_url(text, base);
        let is_plain = flag(&parts, FIRST_ELEMENT + 2)?;
        let text = |index| js::text_of(&parts, FIRST_ELEMENT + index);
        Some(Location { origin: text(0), path: text(1), is_plain })
    }

    fn encode_segment(text: &str) -> String {
        js::text_of(&text.into(), SEGMENT)
    }

    fn generation(attempt: &JsValue, status: Status, is_foreign: bool, task_id: &str) -> JsValue {
        js::to_generation(attempt, status as u8, is_foreign, task_id)
    }
}
