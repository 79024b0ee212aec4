//! What an answer means. Only its status and its fields decide, never the model's name.

use serde::{Deserialize, Serialize};

use super::{
    failure::{Failure, Kind, Outcome},
    name::Name,
    retry::RetryAfter,
    url::last_segment,
    value::{Type, Value},
};

/// An answer as the shell received it.
#[derive(Clone, Debug)]
pub struct Answer<V> {
    /// The HTTP status; 0 where a browser hides a redirect.
    pub status: u16,
    /// The body; none where it broke off or is not JSON.
    pub body: Option<V>,
    /// The `Retry-After` header.
    pub retry_after: RetryAfter,
    /// The origin that the `Location` header leads to, a string; nothing where there is none, or where it is a path.
    pub location: V,
}

impl<V: Value> Answer<V> {
    /// Whether the status says that the request was carried out.
    pub fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Why it refuses, or nothing.
    pub fn reason(&self) -> String {
        self.body.as_ref().map_or_else(String::new, V::reason)
    }

    /// What the body says of an error.
    pub fn error(&self) -> V {
        self.body.as_ref().map_or_else(V::nothing, |body| body.get(Name::Error))
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
pub struct ParsedAnswer {
    /// The state, where the answer holds a generation.
    pub status: Status,
    /// The task that the answer names, or else the one that was asked about.
    pub task: Option<Task>,
    /// Whether the status is one that we do not know, and has to be kept as `provider_status`.
    pub is_foreign: bool,
}

impl ParsedAnswer {
    /// Reads the body of a successful answer. `target` is method and path, `known` the task that was asked
    /// about.
    pub fn of<V: Value>(
        target: &[&str],
        reply: &Answer<V>,
        known: Option<&Task>,
    ) -> Result<ParsedAnswer, Box<Failure>> {
        let unclear = |why| Err(Failure::unclear(target, why, reply));
        let Some(body) = reply.body.as_ref() else {
            return unclear("its body broke off or is not JSON");
        };
        let named = task_of(body);
        let is_named = named.is_some();
        let task = named.or_else(|| known.cloned());
        // A number is no word.
        let status = if body.has(Name::Status) { body.text_of(Name::Status) } else { String::new() };
        let word = Word::of(&status);
        let has_result = has_result(body) || word == Word::Done && has_other_result(body);
        let end = match word {
            Word::Done if has_result => "",
            _ if word == Word::Cancelled || body.flag_of(Name::Cancelled) == Some(true) => CANCELLED,
            Word::Done => " was completed without a result",
            Word::Failed => " failed",
            _ => "",
        };
        if !end.is_empty() {
            return Err(task_failure(body, task, end));
        }
        let is_running = matches!(word, Word::Pending | Word::Processing);
        // An answer that names no task can only be the result itself.
        let status_now = if has_result && (!is_running || task.is_none()) {
            Status::Completed
        } else if status.is_empty() && !is_named {
            return unclear("it holds neither an image nor a task");
        } else if task.is_none() {
            return unclear("it names neither the id nor the poll_url of its task");
        } else if word == Word::Pending {
            Status::Pending
        } else {
            Status::Processing
        };
        let is_foreign = status != status_now.name() && !status.is_empty();
        Ok(ParsedAnswer { status: status_now, task, is_foreign })
    }
}

/// What the word of a status means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Pending,
    Processing,
    Done,
    Failed,
    Cancelled,
    /// A word that we do not know, or none.
    Other,
}

/// The words that providers of such APIs use, in any case of letters.
static WORDS: [(&str, Word); 5] = [
    ("pending queued submitted created waiting starting", Word::Pending),
    ("processing running in_progress generating", Word::Processing),
    ("completed succeeded success done finished", Word::Done),
    ("failed failure error expired timeout rejected", Word::Failed),
    ("cancelled canceled aborted", Word::Cancelled),
];

impl Word {
    fn of(status: &str) -> Word {
        let has = |words: &str| {
            words
                .as_bytes()
                .split(|byte| *byte == b' ')
                .any(|word| word.eq_ignore_ascii_case(status.as_bytes()))
        };
        WORDS.iter().find(|(words, _)| has(words)).map_or(Word::Other, |(_, word)| *word)
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

/// The fields that hold a result, whatever the status is called: first those of the answer itself, then those of an
/// element of its data as well.
static RESULTS: [Name; 5] = [Name::VideoUrl, Name::AudioUrl, Name::ModelUrl, Name::Url, Name::B64Json];

fn has_any<V: Value>(value: &V, names: &[Name]) -> bool {
    names.iter().any(|name| value.has(*name))
}

fn has_result<V: Value>(body: &V) -> bool {
    body.get(Name::Data).any(|item| has_any(item, &RESULTS))
        || has_any(body, &RESULTS[..3])
        || has_any(&body.get(Name::Video), &RESULTS)
        || body.get(Name::Videos).any(|item| item.is_filled() || has_any(item, &RESULTS))
}

/// A task that is done may have put its result into a field that we do not know. Beside an error it has none: a
/// URL there is more likely a link.
fn has_other_result<V: Value>(body: &V) -> bool {
    body.kind_of(Name::Error) == Type::Nothing
        && body.entries().any(|entry| {
            let name = entry.item(0).text();
            let value = entry.item(1);
            (name.ends_with("url") && name != "poll_url" || name == "output" || name == "result")
                && (value.is_filled() || value.entries().length() > 0)
        })
}

const CANCELLED: &str = " was cancelled";

fn task_failure<V: Value>(body: &V, task: Option<Task>, end: &str) -> Box<Failure> {
    let kind = if end == CANCELLED { Kind::TaskCancelled } else { Kind::TaskFailed };
    let (gap, id) = task.as_ref().map_or(("", ""), |task| (" ", &task.id));
    let reason = body.reason();
    let link = if reason.is_empty() { "." } else { ": " };
    let mut failure = Failure::new(kind, Outcome::Failed, &["The task", gap, id, end, link, &reason]);
    failure.task = task;
    failure
}
