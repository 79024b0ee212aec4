//! What is checked of a request before it is sent: what would fail at any server.

use super::{
    failure::Failure,
    name::Name,
    value::{Type, Value},
};

/// The fields that are strings wherever they are documented.
static TEXT_FIELDS: [Name; 6] =
    [Name::Model, Name::Size, Name::Quality, Name::ResponseFormat, Name::Style, Name::User];

/// Checks the documented fields of a create. Whether a model knows a size, a quality or a number of
/// images is the server's to judge, and every other field passes through.
pub fn check_request<V: Value>(request: &V) -> Result<(), Box<Failure>> {
    let kind = request.kind();
    if kind != Type::Object {
        return Err(Failure::invalid(Name::Request, "an object with a prompt", kind));
    }
    if !request.has(Name::Prompt) {
        let kind = request.kind_of(Name::Prompt);
        let got = if kind == Type::Text { Type::Nothing } else { kind };
        return Err(Failure::invalid(Name::Prompt, "a string that is not empty", got));
    }
    let kind = request.kind_of(Name::N);
    let n = request.number_of(Name::N);
    if !(kind == Type::Nothing || is_whole(n) && n >= 1.0) {
        return Err(Failure::invalid(Name::N, "a positive integer", kind));
    }
    for &name in &TEXT_FIELDS {
        let kind = request.kind_of(name);
        if (Type::Nothing.bit() | Type::Text.bit()) & kind.bit() == 0 {
            return Err(Failure::invalid(name, "a string", kind));
        }
    }
    Ok(())
}

/// Whether a number is an integer of at least 0 that a `u32` holds.
#[allow(clippy::float_cmp)] // exactly equal is what is meant
pub fn is_whole(number: f64) -> bool {
    f64::from(number as u32) == number
}
