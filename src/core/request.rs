//! Checks what would fail at any server, before anything is sent.

use super::{
    abi::Name,
    failure::Failure,
    task::Task,
    value::{Type, Value, is_whole},
};

/// The fields that are strings wherever they are documented.
static TEXT_FIELDS: [Name; 6] =
    [Name::Model, Name::Size, Name::Quality, Name::ResponseFormat, Name::Style, Name::User];

/// The fields that name the pictures of an edit.
static IMAGE_FIELDS: [Name; 4] = [Name::Image, Name::ImageUrl, Name::ImageUrls, Name::Images];

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

/// Checks the documented fields of an edit.
pub fn check_edit<V: Value>(request: &V) -> Result<(), Box<Failure>> {
    check_request(request)?;
    if IMAGE_FIELDS.iter().any(|name| request.kind_of(*name) != Type::Nothing) {
        return Ok(());
    }
    Err(Failure::refusal(
        Name::Image,
        &[" is missing: pass a Blob or several as image, or a URL as image_url, image_urls or images."],
    ))
}

/// Reads the reference that a caller waits with: an id, or an object that holds one.
pub fn read_task<V: Value>(reference: &V) -> Result<Task, Box<Failure>> {
    let kind = reference.kind();
    let task = if kind == Type::Text {
        Some(Task { id: reference.text(), poll_url: String::new() })
    } else {
        Task::of(reference)
    };
    task.filter(Task::has_id)
        .ok_or_else(|| Failure::invalid(Name::Task, "an id, or an object with task_id, id or poll_url", kind))
}
