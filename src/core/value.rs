//! A JavaScript-like value, seen through the few questions that the core asks.

use super::abi::{Name, Shape};

/// A value of a request, of an option or of an answer.
///
/// The shell implements this for `JsValue`, so that a payload is inspected where it lives. Only
/// [`Value::text`] copies, and the core calls it on short fields alone.
pub trait Value: Clone {
    /// A value that is nothing.
    fn nothing() -> Self;
    /// Whether this value has one of these shapes: a set of [`Shape::bit`].
    fn is(&self, shapes: u16) -> bool;
    /// The field of that name; nothing where there is none, or where this is not an object.
    fn get(&self, name: Name) -> Self;
    /// This object's fields, as an array whose elements are arrays of a name and its value.
    fn entries(&self) -> Self;
    /// How many elements this array has; 0 where it is none.
    fn length(&self) -> u32;
    /// The element of this array.
    fn item(&self, index: u32) -> Self;
    /// A copy of this string; empty where this is none.
    fn text(&self) -> String;
    /// This number; not a number where this is none.
    fn number(&self) -> f64;
    /// The truth value where this is a boolean.
    fn flag(&self) -> Option<bool>;
    /// Whether this is a string with at least one character. Never copies it.
    fn is_filled(&self) -> bool;

    /// Which of `count` fields have one of these shapes, from the first one on in the order of [`Name`]: a bit for each.
    /// One look at an object costs less than a question for each field.
    fn mask(&self, first: Name, count: u32, shapes: u16) -> u32 {
        let names = Name::ALL.iter().skip(first as usize).take(count as usize);
        names.rev().fold(0, |mask, name| mask << 1 | u32::from(self.get(*name).is(shapes)))
    }

    /// Whether a field has one of these shapes.
    fn is_of(&self, name: Name, shapes: u16) -> bool {
        self.mask(name, 1, shapes) != 0
    }

    /// A copy of a field that is a string.
    fn text_of(&self, name: Name) -> String {
        self.get(name).text()
    }

    /// A field that is a number.
    fn number_of(&self, name: Name) -> f64 {
        self.get(name).number()
    }

    /// The truth value of a field.
    fn flag_of(&self, name: Name) -> Option<bool> {
        self.get(name).flag()
    }

    /// Whether a field is a string with at least one character.
    fn has(&self, name: Name) -> bool {
        self.get(name).is_filled()
    }

    /// Whether the test holds for an element of this array.
    fn any(&self, test: impl Fn(&Self) -> bool) -> bool {
        (0..self.length()).any(|index| test(&self.item(index)))
    }

    /// Why a body refuses: the first text in it that says something, from wherever servers and gateways put theirs. Empty
    /// where there is none.
    fn reason(&self) -> String;

    /// This value in words, for a message. It does not show texts, which may be secrets.
    fn description(&self) -> String;

    /// Whether this is nothing.
    fn is_nothing(&self) -> bool {
        self.is(Shape::NOTHING)
    }
}

/// Whether a number is an integer of at least 0 that a `u32` holds.
#[allow(clippy::float_cmp)] // exactly equal is what is meant
pub fn is_whole(number: f64) -> bool {
    f64::from(number as u32) == number
}
