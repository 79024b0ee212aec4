//! A JavaScript-like value, seen through the few questions that the core asks.

use super::abi::{Name, Shape};

/// What `typeof` says of a value, with arrays and `null` told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `undefined` or `null`: for the core both mean "not set".
    Nothing,
    /// `true` or `false`.
    Flag,
    /// A number, `NaN` and the infinities included.
    Number,
    /// A string.
    Text,
    /// An array.
    List,
    /// Any other object.
    Object,
    /// A function.
    Function,
    /// A symbol or a big integer.
    Other,
}

/// The shapes of several fields of an object: one look costs less than a question for each of them.
#[derive(Clone, Copy, Debug)]
pub struct Shapes<const N: usize> {
    first: Name,
    /// The numbers of the shapes.
    numbers: [u8; N],
}

impl<const N: usize> Shapes<N> {
    fn number(&self, name: Name) -> u8 {
        self.numbers[name as usize - self.first as usize]
    }

    /// Whether a field has this shape.
    pub fn is(&self, name: Name, shape: Shape) -> bool {
        self.number(name) == shape as u8
    }

    /// Whether a field has one of these shapes: a set made of [`Shape::bit`].
    pub fn is_one_of(&self, name: Name, shapes: u16) -> bool {
        shapes >> self.number(name) & 1 != 0
    }

    /// Whether a field is neither `undefined` nor `null`.
    pub fn is_set(&self, name: Name) -> bool {
        !self.is(name, Shape::Nothing)
    }

    /// Whether one of the fields is a string with at least one character.
    pub fn has_text(&self) -> bool {
        self.numbers.contains(&(Shape::Filled as u8))
    }
}

/// A value of a request, of an option or of an answer.
///
/// The shell implements this for `JsValue`, so that a payload is inspected where it lives. Only
/// [`Value::text`] copies, and the core calls it on short fields alone.
pub trait Value: Clone {
    /// A value that is nothing.
    fn nothing() -> Self;
    /// The type of this value.
    fn kind(&self) -> Type;
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

    /// Writes the numbers of the shapes that the fields have, from the first one on in the order of [`Name`].
    fn look(&self, first: Name, numbers: &mut [u8]) {
        for (&name, number) in Name::ALL.iter().skip(first as usize).zip(numbers) {
            let value = self.get(name);
            *number = match value.kind() {
                Type::Nothing => Shape::Nothing,
                Type::Flag if value.flag() == Some(true) => Shape::True,
                Type::Flag => Shape::False,
                Type::Number => Shape::Number,
                Type::Text if value.is_filled() => Shape::Filled,
                Type::Text => Shape::Empty,
                Type::List => Shape::List,
                Type::Object => Shape::Object,
                Type::Function => Shape::Function,
                Type::Other => Shape::Other,
            } as u8;
        }
    }

    /// The shapes of as many fields, from the first one on in the order of [`Name`].
    fn shapes<const N: usize>(&self, first: Name) -> Shapes<N> {
        let mut numbers = [0; N];
        self.look(first, &mut numbers);
        Shapes { first, numbers }
    }

    /// The type of a field.
    fn kind_of(&self, name: Name) -> Type {
        self.get(name).kind()
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
        self.kind() == Type::Nothing
    }
}

/// Whether a number is an integer of at least 0 that a `u32` holds.
#[allow(clippy::float_cmp)] // exactly equal is what is meant
pub fn is_whole(number: f64) -> bool {
    f64::from(number as u32) == number
}
