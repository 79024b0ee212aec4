//! The few answers of a provider, as cheap as they can be: millions of them are judged.

use lemondata_wasm::core::{Location, Name, Type, Value};

/// A body, or a part of one.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Nothing,
    /// The answer to a create: the task of this number.
    Created(u32),
    Running,
    Done,
    /// A refusal that did nothing.
    Refused,
    Id(u32),
    Text(&'static str),
    Yes,
    One,
    Images,
}

impl Value for Answer {
    fn nothing() -> Answer {
        Answer::Nothing
    }

    fn kind(&self) -> Type {
        match self {
            Answer::Nothing => Type::Nothing,
            Answer::Id(_) | Answer::Text(_) => Type::Text,
            Answer::Yes => Type::Flag,
            Answer::One => Type::Number,
            Answer::Images => Type::List,
            _ => Type::Object,
        }
    }

    fn get(&self, name: Name) -> Answer {
        match (self, name) {
            (Answer::Created(number), Name::TaskId) => Answer::Id(*number),
            (Answer::Created(_), Name::Status) => Answer::Text("pending"),
            (Answer::Running, Name::Status) => Answer::Text("processing"),
            (Answer::Done, Name::Status) => Answer::Text("completed"),
            (Answer::Done, Name::Data) => Answer::Images,
            (Answer::Done, Name::Url) => Answer::Text("https://files.example/x.png"),
            (Answer::Refused, Name::Error) => Answer::Refused,
            (Answer::Refused, Name::Retryable) => Answer::Yes,
            (Answer::Refused, Name::RetryAfter) => Answer::One,
            _ => Answer::Nothing,
        }
    }

    fn entries(&self) -> Answer {
        Answer::Nothing
    }

    fn length(&self) -> u32 {
        u32::from(matches!(self, Answer::Images))
    }

    fn item(&self, _: u32) -> Answer {
        Answer::Done
    }

    fn text(&self) -> String {
        match self {
            Answer::Id(number) => format!("img_{number}"),
            Answer::Text(text) => (*text).into(),
            _ => String::new(),
        }
    }

    fn number(&self) -> f64 {
        if matches!(self, Answer::One) { 1.0 } else { f64::NAN }
    }

    fn flag(&self) -> Option<bool> {
        matches!(self, Answer::Yes).then_some(true)
    }

    fn is_filled(&self) -> bool {
        matches!(self, Answer::Id(_) | Answer::Text(_))
    }

    fn reason(&self) -> String {
        String::new()
    }

    fn parse_url(_: &str, _: &str) -> Option<Location> {
        None
    }

    fn encode_segment(text: &str) -> String {
        text.into()
    }
}
