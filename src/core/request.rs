//! Checks what would fail at any server, before anything is sent.

use super::{
    abi::Name,
    failure::Failure,
    task::Task,
    text::contains,
    value::{Type, Value, is_whole},
};

/// The fields that are strings wherever they are documented.
static TEXT_FIELDS: [Name; 6] =
    [Name::Model, Name::Size, Name::Quality, Name::ResponseFormat, Name::Style, Name::User];

/// The fields that name the pictures of an edit in JSON.
static URL_FIELDS: [Name; 3] = [Name::ImageUrl, Name::ImageUrls, Name::Images];

/// Checks the documented fields of a create. Whether a model knows a size, a quality or a number of
/// images is the server's to judge, and every other field passes through.
pub fn check_request<V: Value>(request: &V) -> Result<(), Box<Failure>> {
    if request.kind() != Type::Object {
        return Err(Failure::invalid(Name::Request, "an object with a prompt", request));
    }
    if !request.has(Name::Prompt) {
        return Err(Failure::invalid(Name::Prompt, "a string that is not empty", &request.get(Name::Prompt)));
    }
    let n = request.get(Name::N);
    if !(n.is_nothing() || is_whole(n.number()) && n.number() >= 1.0) {
        return Err(Failure::invalid(Name::N, "a positive integer", &n));
    }
    for &name in &TEXT_FIELDS {
        let value = request.get(name);
        if !matches!(value.kind(), Type::Nothing | Type::Text) {
            return Err(Failure::invalid(name, "a string", &value));
        }
    }
    Ok(())
}

/// Checks the documented fields of an edit. Without a Blob in it, the request goes as JSON, which holds no `image`.
pub fn check_edit<V: Value>(request: &V, is_json: bool) -> Result<(), Box<Failure>> {
    check_request(request)?;
    let is_set = |name: &Name| request.kind_of(*name) != Type::Nothing;
    if !is_json && is_set(&Name::Image) || URL_FIELDS.iter().any(is_set) {
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
