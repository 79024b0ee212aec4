//! What an answer means. Only its status and its fields decide, never the model's name.

use serde::{Deserialize, Serialize};

use super::{
    failure::{Failure, Kind, Outcome},
    retry::RetryAfter,
    url::{is_dots, last_segment},
    value::{Type, Value},
};

/// An answer as the shell received it.
#[derive(Debug)]
pub struct Reply<V> {
    /// The HTTP status; 0 where a browser hides a redirect.
    pub status: u16,
    /// The body; none where it broke off or is not JSON.
    pub body: Option<V>,
    /// The `Retry-After` header.
    pub retry_after: RetryAfter,
}

impl<V> Reply<V> {
    /// Whether the status says that the request was carried out.
    pub fn is_success(&self) -> bool {
        matches!(self.status, 200..300)
    }
}

/// A reference to a task: all that is needed to wait for it, anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The id, opaque.
    #[serde(rename = "task_id")]
    pub id: String,
    /// Where the server wants to be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_url: Option<String>,
}

/// The three states of a generation that has not failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waiting for its turn.
    Pending,
    /// Being worked on, or in a state that we do not know.
    Processing,
    /// Done.
    Completed,
}

impl Status {
    /// The text of the `status` field.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Processing => "processing",
            Status::Completed => "completed",
        }
    }
}

/// What has to be set on the provider's own object to make it a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// `status`.
    pub status: Status,
    /// `task_id`, where there is a task.
    pub task_id: Option<String>,
    /// `provider_status`: a status that we do not know.
    pub provider_status: Option<String>,
}

/// The meaning of a successful answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The images are there.
    Completed(Patch),
    /// A task is still running.
    Running(Task, Patch),
    /// The task ended without images.
    Failed(Failure),
    /// The answer cannot be understood; why.
    Unclear(&'static str),
}

impl Meaning {
    /// Reads the body of a successful answer. `known` is the task that was asked about.
    pub fn of<V: Value>(body: &V, known: Option<&Task>) -> Meaning {
        if body.kind() != Type::Object {
            return Meaning::Unclear("the answer is not a JSON object");
        }
        let told = task_of(body);
        let task = told.as_ref().or(known);
        let images = body.get("data").items().iter().any(has_image);
        let status = body.text_of("status");
        let patch = |status, provider_status| Patch {
            status,
            task_id: task.map(|task| task.id.clone()),
            provider_status,
        };
        match status.as_deref() {
            Some("failed") => Meaning::Failed(task_failure(body, task)),
            Some("completed") => {
                if images || body.names().iter().any(|name| is_result(body, name)) {
                    Meaning::Completed(patch(Status::Completed, None))
                } else {
                    Meaning::Unclear("the task is completed, but the answer holds no image")
                }
            }
            None if images => Meaning::Completed(patch(Status::Completed, None)),
            None if told.is_none() => {
                Meaning::Unclear("the answer holds neither an image nor a task")
            }
            _ => {
                let Some(task) = task else {
                    return if images {
                        Meaning::Completed(patch(Status::Completed, status.clone()))
                    } else {
                        Meaning::Unclear("the answer names a running task, but neither its id nor its poll_url")
                    };
                };
                let patch = match status.as_deref() {
                    Some("pending") => patch(Status::Pending, None),
                    Some("processing") | None => patch(Status::Processing, None),
                    Some(_) => patch(Status::Processing, status),
                };
                Meaning::Running(task.clone(), patch)
            }
        }
    }
}

/// Reads the reference that a caller waits with: an id, or an object that holds one.
pub fn read_task<V: Value>(reference: &V) -> Result<Task, Failure> {
    let task = match reference.kind() {
        Type::Text => reference.text().map(|id| Task { id, poll_url: None }),
        _ => task_of(reference),
    };
    task.filter(|task| !task.id.is_empty() && !is_dots(&task.id)).ok_or_else(|| {
        Failure::invalid("task", "an id, or an object with task_id, id or poll_url", reference.kind())
    })
}

fn task_of<V: Value>(body: &V) -> Option<Task> {
    let poll_url = body.text_of("poll_url");
    let id = body
        .text_of("task_id")
        .or_else(|| body.text_of("id"))
        .or_else(|| last_segment(poll_url.as_deref()?).map(Into::into))?;
    Some(Task { id, poll_url })
}

fn has_image<V: Value>(item: &V) -> bool {
    item.get("url").is_filled() || item.get("b64_json").is_filled()
}

/// Other task types put their result into fields such as `video_url`.
fn is_result<V: Value>(body: &V, name: &str) -> bool {
    let names_result = name != "poll_url" && (name.ends_with("url") || name.ends_with("urls"))
        || name == "output"
        || name == "result";
    names_result && {
        let value = body.get(name);
        value.is_filled() || matches!(value.kind(), Type::List | Type::Object)
    }
}

fn task_failure<V: Value>(body: &V, task: Option<&Task>) -> Failure {
    let cancelled = body.get("cancelled").flag() == Some(true);
    let error = body.get("error");
    let mut message = String::from("The task ");
    if let Some(task) = task {
        message.push_str(&task.id);
        message.push(' ');
    }
    message.push_str(if cancelled { "was cancelled" } else { "failed" });
    match error.text().or_else(|| error.text_of("message")) {
        Some(reason) => {
            message.push_str(": ");
            message.push_str(&reason);
        }
        None => message.push('.'),
    }
    let kind = if cancelled { Kind::TaskCancelled } else { Kind::TaskFailed };
    let mut failure = Failure::new(kind, Outcome::Failed, message);
    failure.code = error.text_of("code");
    failure.error_type = error.text_of("type");
    failure.hint = error.text_of("hint");
    failure
}
