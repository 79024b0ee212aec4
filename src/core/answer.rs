//! What an answer means. Only its status and its fields decide, never the model's name.

use serde::{Deserialize, Serialize};

use super::{
    failure::{Failure, Kind, Outcome, reason},
    name::Name,
    retry::RetryAfter,
    url::last_segment,
    value::{Type, Value},
};

/// An answer as the shell received it.
#[derive(Clone, Debug)]
pub struct Reply<V> {
    /// The HTTP status; 0 where a browser hides a redirect.
    pub status: u16,
    /// The body; none where it broke off or is not JSON.
    pub body: Option<V>,
    /// The `Retry-After` header.
    pub retry_after: RetryAfter,
    /// The `Location` header, a string; nothing where there is none.
    pub location: V,
}

impl<V> Reply<V> {
    /// Whether the status says that the request was carried out.
    pub fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// A reference to a task: all that is needed to wait for it, anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The id, opaque.
    #[serde(rename = "task_id")]
    pub id: String,
    /// Where the server wants to be asked; empty where it has not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub poll_url: String,
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

/// The meaning of a successful answer, and what makes the provider's own object a generation.
#[derive(Debug, PartialEq)]
pub struct Meaning {
    /// The state, where the answer holds a generation.
    pub status: Status,
    /// The task that the answer names, or else the one that was asked about.
    pub task: Option<Task>,
    /// Whether the status is one that we do not know, and has to be kept as `provider_status`.
    pub is_foreign: bool,
}

impl Meaning {
    /// Reads the body of a successful answer. `target` is method and path, `known` the task that was asked
    /// about.
    pub fn of<V: Value>(
        target: &[&str],
        reply: &Reply<V>,
        known: Option<&Task>,
    ) -> Result<Meaning, Box<Failure>> {
        let unclear = |why| Err(Failure::unclear(target, why, reply.status));
        let Some(body) = reply.body.as_ref() else {
            let mut failure = Failure::unclear(target, "its body broke off or is not JSON", reply.status);
            failure.retry_after_ms = reply.retry_after.asked_ms(&V::nothing());
            return Err(failure);
        };
        let told = task_of(body);
        let is_told = told.is_some();
        let task = told.or_else(|| known.cloned());
        let has_images = body.get(Name::Data).any(has_image);
        let status = body.text_of(Name::Status);
        let meaning = |status, task| Ok(Meaning { status, task, is_foreign: false });
        match &*status {
            "failed" => Err(task_failure(body, task)),
            "completed" if has_images || body.entries().any(is_result) => meaning(Status::Completed, task),
            "completed" => {
                let mut failure =
                    Failure::unclear(target, "it holds no image of the completed task", reply.status);
                if task.is_some() {
                    failure.leave_task();
                    failure.task = task;
                }
                Err(failure)
            }
            "" if has_images => meaning(Status::Completed, task),
            "" if !is_told => unclear("it holds neither an image nor a task"),
            "pending" if task.is_some() => meaning(Status::Pending, task),
            // Whatever the state is called, the task is not done. An answer that names none can only be
            // the result itself.
            _ => {
                let status_now = if task.is_some() {
                    Status::Processing
                } else if has_images {
                    Status::Completed
                } else {
                    return unclear("it names neither the id nor the poll_url of its task");
                };
                Ok(Meaning {
                    status: status_now,
                    task,
                    is_foreign: status != "processing" && !status.is_empty(),
                })
            }
        }
    }
}

/// Reads the reference that a caller waits with: an id, or an object that holds one.
pub fn read_task<V: Value>(reference: &V) -> Result<Task, Box<Failure>> {
    let kind = reference.kind();
    let task = if kind == Type::Text {
        Some(Task { id: reference.text(), poll_url: String::new() })
    } else {
        task_of(reference)
    };
    task.filter(|task| is_id(&task.id))
        .ok_or_else(|| Failure::invalid(Name::Task, "an id, or an object with task_id, id or poll_url", kind))
}

fn task_of<V: Value>(body: &V) -> Option<Task> {
    let poll_url = body.text_of(Name::PollUrl);
    let mut id = body.text_of(Name::TaskId);
    if id.is_empty() {
        id = body.text_of(Name::Id);
    }
    if id.is_empty() {
        id = last_segment(&poll_url).into();
    }
    if is_id(&id) { Some(Task { id, poll_url }) } else { None }
}

/// As a path segment, an id of dots would lead elsewhere.
fn is_id(id: &str) -> bool {
    !matches!(id, "" | "." | "..")
}

fn has_image<V: Value>(item: &V) -> bool {
    item.has(Name::Url) || item.has(Name::B64Json)
}

/// Other task types put their result into fields such as `video_url`.
fn is_result<V: Value>(entry: &V) -> bool {
    let name = entry.item(0).text();
    let names_result = name.ends_with("url") && name != "poll_url" || name == "output" || name == "result";
    names_result && {
        let value = entry.item(1);
        value.is_filled() || (Type::List.bit() | Type::Object.bit()) & value.kind().bit() != 0
    }
}

fn task_failure<V: Value>(body: &V, task: Option<Task>) -> Box<Failure> {
    let (kind, end) = if body.flag_of(Name::Cancelled) == Some(true) {
        (Kind::TaskCancelled, " was cancelled")
    } else {
        (Kind::TaskFailed, " failed")
    };
    let id = task.as_ref().map_or("", |task| &task.id);
    let mut failure = Failure::new(kind, Outcome::Failed, &["The task ", id, end]);
    let said = reason(&body.get(Name::Error));
    failure.say(if said.is_empty() { &["."] } else { &[": "] });
    failure.say(&[&said]);
    failure.task = task;
    failure
}
