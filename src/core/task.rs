//! Tasks, as callers and answers name them.

use serde::{Deserialize, Serialize};

use super::{abi::Name, text::copy, url::last_segment, value::Value};

/// A task: all that is needed to wait for it, anywhere.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The id, opaque.
    #[serde(rename = "task_id")]
    pub id: String,
    /// Where the server wants to be polled; empty where it names no URL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub poll_url: String,
}

impl Clone for Task {
    fn clone(&self) -> Task {
        Task { id: copy(&self.id), poll_url: copy(&self.poll_url) }
    }
}

impl Task {
    /// The task that an object names, if it names one.
    pub fn of<V: Value>(body: &V) -> Option<Task> {
        let poll_url = body.text_of(Name::PollUrl);
        let mut id = body.text_of(Name::TaskId);
        if id.is_empty() {
            id = body.text_of(Name::Id);
        }
        if id.is_empty() {
            id = copy(last_segment(&poll_url));
        }
        let task = Task { id, poll_url };
        if task.has_id() { Some(task) } else { None }
    }

    /// Whether the id can be one segment of a path. Dots would lead elsewhere.
    pub fn has_id(&self) -> bool {
        !matches!(&*self.id, "" | "." | "..")
    }
}
