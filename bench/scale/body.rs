//! The few answers of a provider, as cheap as they can be: millions of them are judged.

use lemondata_wasm::core::{Location, Name, Platform, Status, Value, abi::Shape};

/// A body, or a part of one.
#[derive(Clone, Copy, Debug)]
pub enum Body {
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

impl Value for Body {
    fn nothing() -> Body {
        Body::Nothing
    }

    fn is(&self, shapes: u16) -> bool {
        let shape = match self {
            Body::Nothing => Shape::Nothing,
            Body::Id(_) | Body::Text(_) => Shape::Filled,
            Body::Yes => Shape::True,
            Body::One => Shape::Number,
            Body::Images => Shape::List,
            _ => Shape::Object,
        };
        shapes & shape.bit() != 0
    }

    fn get(&self, name: Name) -> Body {
        match (self, name) {
            (Body::Created(number), Name::TaskId) => Body::Id(*number),
            (Body::Created(_), Name::Status) => Body::Text("pending"),
            (Body::Running, Name::Status) => Body::Text("processing"),
            (Body::Done, Name::Status) => Body::Text("completed"),
            (Body::Done, Name::Data) => Body::Images,
            (Body::Done, Name::Url) => Body::Text("https://files.example/x.png"),
            (Body::Refused, Name::Error) => Body::Refused,
            (Body::Refused, Name::Retryable) => Body::Yes,
            (Body::Refused, Name::RetryAfter) => Body::One,
            _ => Body::Nothing,
        }
    }

    fn entries(&self) -> Body {
        Body::Nothing
    }

    fn length(&self) -> u32 {
        u32::from(matches!(self, Body::Images))
    }

    fn item(&self, _: u32) -> Body {
        Body::Done
    }

    fn text(&self) -> String {
        match self {
            Body::Id(number) => format!("img_{number}"),
            Body::Text(text) => (*text).into(),
            _ => String::new(),
        }
    }

    fn number(&self) -> f64 {
        if matches!(self, Body::One) { 1.0 } else { f64::NAN }
    }

    fn flag(&self) -> Option<bool> {
        matches!(self, Body::Yes).then_some(true)
    }

    fn is_filled(&self) -> bool {
        matches!(self, Body::Id(_) | Body::Text(_))
    }

    fn reason(&self) -> String {
        String::new()
    }

    fn description(&self) -> String {
        String::new()
    }
}

impl Platform for Body {
    fn parse_url(_: &str, _: &str) -> Option<Location> {
        None
    }

    fn encode_segment(text: &str) -> String {
        text.into()
    }

    fn generation(_: &Body, status: Status, _: bool, _: &str) -> Body {
        if status == Status::Completed { Body::Done } else { Body::Running }
    }
}
