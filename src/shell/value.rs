//! JavaScript values as the core sees them. Payloads stay where they are.

use core::{mem::ManuallyDrop, ops::Deref};

use wasm_bindgen::JsValue;

use super::js;
use crate::core::{
    Location, Name, Platform, Status, Value,
    abi::{Shape, Trait},
};

/// A JavaScript value as the core holds it: one function lets it go. A bare `JsValue` has the code for that wherever one
/// goes out of scope, at more than fifty places.
#[derive(Clone)]
pub struct Js(ManuallyDrop<JsValue>);

impl From<JsValue> for Js {
    fn from(value: JsValue) -> Js {
        Js(ManuallyDrop::new(value))
    }
}

#[cfg(feature = "hub")]
impl From<Js> for JsValue {
    fn from(value: Js) -> JsValue {
        value.0.deref().clone()
    }
}

impl Deref for Js {
    type Target = JsValue;

    fn deref(&self) -> &JsValue {
        &self.0
    }
}

#[allow(unsafe_code)]
impl Drop for Js {
    fn drop(&mut self) {
        // SAFETY: nothing sees the value afterwards.
        release(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

#[inline(never)]
fn release(value: JsValue) {
    drop(value);
}

const ENTRIES: u32 = key_of(Trait::Entries);
const LENGTH: u32 = key_of(Trait::Length);
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

impl Value for Js {
    fn nothing() -> Js {
        JsValue::UNDEFINED.into()
    }

    fn is(&self, shapes: u16) -> bool {
        has(self, ITSELF, shapes)
    }

    fn get(&self, name: Name) -> Js {
        js::field(self, name as u32).into()
    }

    fn entries(&self) -> Js {
        js::field(self, ENTRIES).into()
    }

    fn length(&self) -> u32 {
        js::number_of(self, LENGTH) as u32
    }

    fn item(&self, index: u32) -> Js {
        js::field(self, FIRST_ELEMENT + index).into()
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

impl Platform for Js {
    fn parse_url(text: &str, base: &str) -> Option<Location> {
        let parts = Js::from(js::parse_url(text, base));
        let is_plain = flag(&parts, FIRST_ELEMENT + 2)?;
        let text = |index| js::text_of(&parts, FIRST_ELEMENT + index);
        Some(Location { origin: text(0), path: text(1), is_plain })
    }

    fn encode_segment(text: &str) -> String {
        js::text_of(&Js::from(js::encode(text)), ITSELF)
    }

    fn generation(attempt: &Js, status: Status, is_foreign: bool, task_id: &str) -> Js {
        js::to_generation(attempt, status as u8, is_foreign, task_id).into()
    }
}
