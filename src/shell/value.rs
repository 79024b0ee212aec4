//! JavaScript values as the core sees them. Payloads stay where they are.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::core::{Type, Value};

impl Value for JsValue {
    fn kind(&self) -> Type {
        if self.is_null() || self.is_undefined() {
            return Type::Nothing;
        }
        match self.js_typeof().as_string().as_deref() {
            Some("boolean") => Type::Flag,
            Some("number") => Type::Number,
            Some("string") => Type::Text,
            Some("function") => Type::Function,
            Some("object") if Array::is_array(self) => Type::List,
            Some("object") => Type::Object,
            _ => Type::Other,
        }
    }

    fn get(&self, name: &str) -> JsValue {
        get(self, name)
    }

    fn items(&self) -> Vec<JsValue> {
        if Array::is_array(self) { self.unchecked_ref::<Array>().to_vec() } else { Vec::new() }
    }

    fn names(&self) -> Vec<String> {
        Object::keys(self.unchecked_ref::<Object>()).iter().filter_map(|name| name.as_string()).collect()
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn is_filled(&self) -> bool {
        self.is_string() && self.is_truthy()
    }
}

/// A field, or `undefined` where there is none.
pub fn get(target: &JsValue, name: &str) -> JsValue {
    // Fails where the target is no object: then there is no such field.
    Reflect::get(target, &name.into()).unwrap_or_default()
}

/// Sets a field of an object of our own or of a parsed answer, where that cannot fail.
pub fn set(target: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(target, &name.into(), value);
}
