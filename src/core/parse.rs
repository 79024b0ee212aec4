//! What a successful answer means. Only its status and its fields decide, never the model's name.

use super::{
    abi::{Kind, Name, Outcome, Shape, Status},
    answer::Answer,
    failure::Failure,
    platform::Platform,
    task::Task,
    value::Value,
};

/// What a successful answer says, and what makes the provider's own object a generation.
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
        target: &str,
        answer: &Answer<V>,
        known: Option<&Task>,
    ) -> Result<ParsedAnswer, Box<Failure>> {
        let unclear = |why| Err(Failure::unclear(target, why, answer));
        let Some(body) = answer.body.as_ref() else {
            return unclear(
                "its body is not JSON: it broke off, or is a web page. Check baseUrl, or the dev server's proxy",
            );
        };
        let named = Task::of(body);
        let is_named = named.is_some();
        let task = named.or_else(|| known.cloned());
        // A number is no word.
        let status = if body.has(Name::Status) { body.text_of(Name::Status) } else { String::new() };
        let word = Word::of(&status);
        let has_result = has_result(body)
            // Beside an error there is none: a URL there is more likely a link.
            || word == Word::Done && body.is_of(Name::Error, Shape::NOTHING) && has_other_result(body);
        let end = match word {
            Word::Done if has_result => "",
            _ if word == Word::Cancelled || body.is_of(Name::Cancelled, Shape::TRUE) => CANCELLED,
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
        let is_foreign = status != status_now.text() && !status.is_empty();
        Ok(ParsedAnswer { status: status_now, task, is_foreign })
    }

    /// The provider's own object as a generation, out of the attempt that has brought it.
    pub fn generation<V: Platform>(&self, attempt: &V) -> V {
        let id = self.task.as_ref().map_or("", |task| &task.id);
        V::generation(attempt, self.status, self.is_foreign, id)
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

/// Whether a value has one of the fields that hold a result, whatever the status is called.
fn holds_result<V: Value>(value: &V) -> bool {
    has_any(value, Name::Url)
}

/// Whether one of these fields is filled in, from the first to the last one that holds a result.
fn has_any<V: Value>(value: &V, first: Name) -> bool {
    value.mask(first, Name::ModelUrl as u32 - first as u32 + 1, Shape::FILLED) != 0
}

fn has_result<V: Value>(body: &V) -> bool {
    body.get(Name::Data).any(holds_result)
        // A `url` of the answer itself may be a link.
        || has_any(body, Name::VideoUrl)
        || holds_result(&body.get(Name::Video))
        || body.get(Name::Videos).any(|item| item.is_filled() || holds_result(item))
}

/// A task that is done may have put its result into a field that we do not know.
fn has_other_result<V: Value>(body: &V) -> bool {
    body.entries().any(|entry| {
        let name = entry.item(0).text();
        let value = entry.item(1);
        (name.ends_with("url") && name != "poll_url" || name == "output" || name == "result")
            && (value.is_filled() || value.entries().length() > 0)
    })
}

const CANCELLED: &str = " was cancelled";

fn task_failure<V: Value>(body: &V, task: Option<Task>, end: &str) -> Box<Failure> {
    let kind = if end == CANCELLED { Kind::TaskCancelled } else { Kind::TaskFailed };
    let mut failure = Failure::new(kind, Outcome::Failed, "The task");
    if let Some(task) = &task {
        failure.say(" ");
        failure.say(&task.id);
    }
    failure.say(end);
    failure.say_reason(&body.reason());
    failure.task = task;
    failure
}
