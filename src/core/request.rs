//! Checks what would fail at any server, before anything is sent.

use super::{
    abi::{Name, Shape},
    failure::Failure,
    task::Task,
    text::contains,
    value::{Shapes, Type, Value, is_whole},
};

/// The fields that are strings wherever they are documented.
static TEXT_FIELDS: [Name; 6] =
    [Name::Model, Name::Size, Name::Quality, Name::ResponseFormat, Name::Style, Name::User];

/// Checks the documented fields of a create. Whether a model knows a size, a quality or a number of
/// images is the server's to judge, and every other field passes through.
pub fn check_request<V: Value>(request: &V) -> Result<(), Box<Failure>> {
    if request.kind() != Type::Object {
        return Err(Failure::invalid(Name::Request, "an object with a prompt", request));
    }
    let shapes: Shapes<8> = request.shapes(Name::Prompt);
    if !shapes.is(Name::Prompt, Shape::Filled) {
        return Err(Failure::invalid(Name::Prompt, "a string that is not empty", &request.get(Name::Prompt)));
    }
    let n = if shapes.is_set(Name::N) { request.number_of(Name::N) } else { 1.0 };
    if !(is_whole(n) && n >= 1.0) {
        return Err(Failure::invalid(Name::N, "a positive integer", &request.get(Name::N)));
    }
    for &name in &TEXT_FIELDS {
        if !shapes.is_one_of(name, Shape::Nothing.bit() | Shape::Empty.bit() | Shape::Filled.bit()) {
            return Err(Failure::invalid(name, "a string", &request.get(name)));
        }
    }
    Ok(())
}

/// Checks the documented fields of an edit. Without a Blob in it, the request goes as JSON, which holds no `image`.
pub fn check_edit<V: Value>(request: &V, is_json: bool) -> Result<(), Box<Failure>> {
    check_request(request)?;
    let shapes: Shapes<4> = request.shapes(Name::Image);
    let is_set = |name| shapes.is_set(name);
    if !is_json && is_set(Name::Image)
        || is_set(Name::ImageUrl)
        || is_set(Name::ImageUrls)
        || is_set(Name::Images)
    {
        return Ok(());
    }
    Err(Failure::refusal(Name::Image, &[" must be a Blob or a list of Blobs; a URL goes into image_url."]))
}

/// Reads the reference that a caller waits with: an id, or an object that holds one.
pub fn read_task<V: Value>(reference: &V) -> Result<Task, Box<Failure>> {
    let is_id = reference.kind() == Type::Text;
    let task = if is_id {
        Some(Task { id: reference.text(), poll_url: String::new() })
    } else {
        Task::of(reference)
    };
    // No id begins so.
    let is_url = |id: &str| is_id && (id.starts_with("http") && contains(id, "://") || id.starts_with("/"));
    match task.filter(Task::has_id) {
        Some(task) if is_url(&task.id) => {
            Err(Failure::refusal(Name::Task, &[" must be an id; it is a URL: pass it as { poll_url }."]))
        }
        Some(task) => Ok(task),
        None => {
            Err(Failure::invalid(Name::Task, "an id, or an object with task_id, id or poll_url", reference))
        }
    }
}
