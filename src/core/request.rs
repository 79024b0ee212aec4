//! Checks what would fail at any server, before anything is sent.

use super::{
    abi::{Name, Shape},
    failure::Failure,
    task::Task,
    text::contains,
    value::{Value, is_whole},
};

/// The fields that are strings wherever they are documented, in the order of their names.
static TEXT_FIELDS: [Name; 6] =
    [Name::Model, Name::Size, Name::Quality, Name::ResponseFormat, Name::Style, Name::User];

/// Checks the documented fields of a create. Whether a model knows a size, a quality or a number of
/// images is the server's to judge, and every other field passes through.
pub fn check_request<V: Value>(request: &V) -> Result<(), Box<Failure>> {
    if !request.is(Shape::OBJECT) {
        return Err(Failure::invalid(Name::Request, "an object with a prompt", request));
    }
    if !request.has(Name::Prompt) {
        return Err(Failure::invalid(Name::Prompt, "a string that is not empty", &request.get(Name::Prompt)));
    }
    let n = request.number_of(Name::N);
    if !(is_whole(n) && n >= 1.0 || request.is_of(Name::N, Shape::NOTHING)) {
        return Err(Failure::invalid(Name::N, "a positive integer", &request.get(Name::N)));
    }
    let wrong = request.mask(TEXT_FIELDS[0], TEXT_FIELDS.len() as u32, !(Shape::NOTHING | Shape::TEXT));
    match TEXT_FIELDS.get(wrong.trailing_zeros() as usize) {
        Some(&name) => Err(Failure::invalid(name, "a string", &request.get(name))),
        None => Ok(()),
    }
}

/// Checks the documented fields of an edit. Without a Blob in it, the request goes as JSON, which holds no `image`.
pub fn check_edit<V: Value>(request: &V, is_json: bool) -> Result<(), Box<Failure>> {
    check_request(request)?;
    // The names of URLs follow that of pictures.
    let first = if is_json { Name::ImageUrl } else { Name::Image };
    if request.mask(first, Name::Images as u32 - first as u32 + 1, !Shape::NOTHING) != 0 {
        return Ok(());
    }
    Err(Failure::refusal(Name::Image, " must be a Blob or a list of Blobs; a URL goes into image_url."))
}

/// Reads the task that a caller waits for: an id, or an object that holds one.
pub fn read_task<V: Value>(input: &V) -> Result<Task, Box<Failure>> {
    let is_id = input.is(Shape::TEXT);
    let task = if is_id { Some(Task { id: input.text(), poll_url: String::new() }) } else { Task::of(input) };
    // No id begins so. A storage keeps texts, and that of an object is its JSON or
    // `[object Object]`; that of an id begins with a double quote.
    let is_other =
        |id: &str| contains(id, "://") || matches!(id.as_bytes().first(), Some(b'/' | b'{' | b'[' | 0x22));
    match task.filter(Task::has_id) {
        Some(task) if is_id && is_other(&task.id) => Err(Failure::refusal(
            Name::Task,
            " must be an id; pass a URL as { poll_url }, stored JSON as JSON.parse(text).",
        )),
        Some(task) => Ok(task),
        None => Err(Failure::invalid(Name::Task, "an id, or an object with task_id, id or poll_url", input)),
    }
}
