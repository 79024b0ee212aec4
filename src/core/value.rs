//! A JavaScript-like value, seen through the few questions that the core asks.

/// What `typeof` says of a value, with arrays and `null` told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            Type::Nothing => "nothing",
            Type::Flag => "a boolean",
            Type::Number => "a number",
            Type::Text => "a string",
            Type::List => "an array",
            Type::Object => "an object",
            Type::Function => "a function",
            Type::Other => "something else",
        }
    }
}

/// A value of a request, of an option or of an answer.
///
/// The shell implements this for `JsValue`, so that a payload is inspected where it lives. Only
/// [`Value::text`] copies, and the core calls it on short fields alone.
pub trait Value: Sized {
    /// The type of this value.
    fn kind(&self) -> Type;
    /// The field of that name; nothing where there is none, or where this is not an object.
    fn get(&self, name: &str) -> Self;
    /// The elements of an array; none where this is not one.
    fn items(&self) -> Vec<Self>;
    /// The names of an object's fields.
    fn names(&self) -> Vec<String>;
    /// A copy of the text where this is a string.
    fn text(&self) -> Option<String>;
    /// The number where this is one.
    fn number(&self) -> Option<f64>;
    /// The truth value where this is a boolean.
    fn flag(&self) -> Option<bool>;
    /// Whether this is a string with at least one character. Never copies it.
    fn is_filled(&self) -> bool;

    /// The text of a field where it is a string that is not empty.
    fn text_of(&self, name: &str) -> Option<String> {
        let field = self.get(name);
        if field.is_filled() { field.text() } else { None }
    }
}
