//! A JavaScript-like value, seen through the few questions that the core asks.

use super::url::Location;

/// What `typeof` says of a value, with arrays and `null` told apart. `js/host.js` knows the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    /// `undefined` or `null`: for the core both mean "not given".
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

impl Type {
    /// The type as a noun for an error message.
    pub fn noun(self) -> &'static str {
        match self {
            Type::Nothing => "missing",
            Type::Flag => "a boolean",
            Type::Number => "another number",
            Type::Text => "a string",
            Type::List => "an array",
            Type::Object => "an object",
            Type::Function => "a function",
            Type::Other => "something else",
        }
    }

    /// The type as a bit of a set of types.
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A value of a request, of an option or of an answer.
///
/// The shell implements this for `JsValue`, so that a payload is inspected where it lives. Only
/// [`Value::text`] copies, and the core calls it on short fields alone.
pub trait Value: Sized {
    /// A value that is nothing.
    fn nothing() -> Self;
    /// The type of this value.
    fn kind(&self) -> Type;
    /// The field of that name; nothing where there is none, or where this is not an object.
    fn get(&self, name: &str) -> Self;
    /// The names of an object's fields, as an array.
    fn names(&self) -> Self;
    /// Whether the test holds for an element of this array. It does not where this is none.
    fn any(&self, test: impl Fn(&Self) -> bool) -> bool;
    /// A copy of this string; empty where this is none.
    fn text(&self) -> String;
    /// This number; not a number where this is none.
    fn number(&self) -> f64;
    /// The truth value where this is a boolean.
    fn flag(&self) -> Option<bool>;
    /// Whether this is a string with at least one character. Never copies it.
    fn is_filled(&self) -> bool;

    /// How the platform parses a URL that may be relative to `base`; an empty base means the page's own.
    fn parse_url(text: &str, base: &str) -> Option<Location>;

    /// Percent-encodes an opaque text as one segment of a path, as the platform does it.
    fn encode_segment(text: &str) -> String;

    /// Whether this is nothing.
    fn is_nothing(&self) -> bool {
        self.kind() == Type::Nothing
    }
}
