//! JavaScript values as the core sees them. Payloads stay where they are.

use wasm_bindgen::JsValue;

use super::js;
use crate::core::{
    Location, Name, Platform, Status, Type, Value,
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

fn shape(value: &JsValue, key: u32) -> Shape {
    let mut numbers = [0];
    js::look(value, key, &mut numbers);
    Shape::ALL.get(usize::from(numbers[0])).copied().unwrap_or(Shape::Other)
}

fn kind(value: &JsValue, key: u32) -> Type {
    match shape(value, key) {
        Shape::Nothing => Type::Nothing,
        Shape::False | Shape::True => Type::Flag,
        Shape::Empty | Shape::Filled => Type::Text,
        Shape::Other => Type::Other,
        Shape::Number => Type::Number,
        Shape::List => Type::List,
        Shape::Object => Type::Object,
        Shape::Function => Type::Function,
    }
}

fn flag(value: &JsValue, key: u32) -> Option<bool> {
    match shape(value, key) {
        Shape::False => Some(false),
        Shape::True => Some(true),
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
        shape(self, ITSELF) == Shape::Filled
    }

    fn look(&self, first: Name, numbers: &mut [u8]) {
        js::look(self, first as u32, numbers);
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
        shape(self, name as u32) == Shape::Filled
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
