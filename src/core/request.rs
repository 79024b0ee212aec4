//! What is checked of a request before it is sent: what would fail at any server.

use super::{
    failure::Failure,
    value::{Type, Value},
};

/// The fields that are strings wherever they are documented.
const TEXT_FIELDS: [&str; 6] = ["model", "size", "quality", "response_format", "style", "user"];

/// Checks the documented fields of a create. Whether a model knows a size, a quality or a number of
/// images is the server's to judge, and every other field passes through.
pub fn check_request<V: Value>(request: &V) -> Result<(), Failure> {
    if request.kind() != Type::Object {
        return Err(Failure::invalid("request", "an object with a prompt", request.kind()));
    }
    let prompt = request.get("prompt");
    if !prompt.is_filled() {
        return Err(Failure::invalid("prompt", "a string that is not empty", prompt.kind()));
    }
    let n = request.get("n");
    if n.kind() != Type::Nothing && !n.number().is_some_and(|n| is_whole(n) && n >= 1.0) {
        return Err(Failure::invalid("n", "a positive integer", n.kind()));
    }
    for name in TEXT_FIELDS {
        let field = request.get(name);
        if !matches!(field.kind(), Type::Nothing | Type::Text) {
            return Err(Failure::invalid(name, "a string", field.kind()));
        }
    }
    Ok(())
}

/// Whether a number is an integer that is small enough to be exact.
pub fn is_whole(number: f64) -> bool {
    number.abs() <= f64::from(u32::MAX) && f64::from(number as u32) == number
}
