//! The state machine of a wait. It never loses a task.

use serde::{Deserialize, Serialize};

use super::{
    Loss,
    answer::{Meaning, Patch, Reply, Task},
    failure::{Failure, Kind, Outcome, lost, push_number, unclear},
    options::Options,
    retry::backoff_ms,
    url::{Base, PathError},
    value::Value,
};

/// For so long after our own create, the server may not have heard of the task everywhere.
const FRESH_MS: f64 = 10_000.0;
/// The time for the one poll that is still sent when the deadline has come, in milliseconds.
const LAST_POLL_MS: f64 = 5_000.0;
/// Sleeps and attempts end at the deadline. One that ends later than this behind it was suspended: a
/// laptop slept, or a page was frozen.
const SUSPENDED_MS: f64 = 5_000.0;

/// A wait for a task: plain data, so that it can be stored and carried on elsewhere.
///
/// All times are milliseconds of one clock, which the caller chooses and keeps to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wait {
    /// The task as it is known now.
    pub task: Task,
    /// The path to poll, below the base URL's origin.
    path: String,
    /// For a task without a poll URL: the other path that may know it.
    other_path: Option<String>,
    /// Whether the path is the server's own word, which then serves the whole wait.
    path_is_given: bool,
    fresh_until: f64,
    deadline: f64,
    /// When the next poll is due.
    due: f64,
    /// Before this the server does not want to be asked, whatever wakes us.
    not_before: f64,
    polls: u32,
    max_polls: Option<u32>,
    /// Polls in a row that brought no answer.
    losses: u32,
    /// Whether the next poll is the last one.
    is_last: bool,
    poll_min: f64,
    poll_max: f64,
    poll_timeout: f64,
    /// Why the wait has to end although the task goes on.
    end: Option<Failure>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send a poll to this path below the base URL's origin, with this time-out in milliseconds.
    Poll(String, f64),
    /// Sleep for so many milliseconds.
    Sleep(f64),
    /// Give up; the task goes on.
    Fail(Failure),
}

/// What a poll brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The images are there.
    Completed(Patch),
    /// Still running.
    Running(Patch),
    /// Not known there yet, or not there: the wait goes on.
    Again,
    /// No answer, or one that asks to come back later: the wait goes on, and this is why.
    Lost(Failure),
    /// The wait is over.
    Fail(Failure),
}

impl Wait {
    /// A wait for `task`, known since `now`. After our `own` create it first sleeps for one gap, since no
    /// task is done at once; a task from elsewhere may be, and is asked for at once.
    ///
    /// A task whose poll URL must not be called comes back without it, so that it can be asked for by id.
    pub fn new(
        task: Task,
        options: &Options,
        own: bool,
        now: f64,
        random: f64,
    ) -> Result<Wait, (Failure, Task)> {
        let (path, other_path) = match &task.poll_url {
            Some(poll_url) => match options.base.poll_path(poll_url) {
                Ok(path) => (path, None),
                Err(why) => return Err((untrusted(why), Task { poll_url: None, ..task })),
            },
            None => {
                let (path, other) = options.base.task_paths(&task.id);
                (path, Some(other))
            }
        };
        let mut wait = Wait {
            path_is_given: other_path.is_none(),
            task,
            path,
            other_path,
            fresh_until: if own { now + FRESH_MS } else { now },
            deadline: now + options.max_wait,
            due: now,
            not_before: now,
            polls: 0,
            max_polls: options.max_polls,
            losses: 0,
            is_last: false,
            poll_min: options.poll_min,
            poll_max: options.poll_max,
            poll_timeout: options.poll_timeout(),
            end: None,
        };
        if own {
            wait.sleep(now, wait.cadence(random), None);
        }
        Ok(wait)
    }

    /// A wait that asks once, whatever the limits of waits are.
    pub fn once(task: Task, options: &Options, now: f64) -> Result<Wait, (Failure, Task)> {
        let options = Options { max_wait: f64::MAX, max_polls: None, ..options.clone() };
        Wait::new(task, &options, false, now, 0.0)
    }

    /// What to do at `now`. A poll counts as sent.
    pub fn next(&mut self, now: f64) -> Step {
        if let Some(failure) = &self.end {
            return Step::Fail(failure.clone());
        }
        if now < self.due {
            return Step::Sleep(self.due - now);
        }
        self.polls += 1;
        let left = self.deadline - now;
        if left <= 0.0 {
            self.is_last = true;
        }
        let time = if self.is_last { left.max(LAST_POLL_MS) } else { left };
        Step::Poll(self.path.clone(), self.poll_timeout.min(time))
    }

    /// When the runtime comes back to life: a page becomes visible, or the network returns. A poll that a
    /// back-off of our own holds up is due as soon as the cadence allows.
    pub fn wake(&mut self, now: f64) {
        if self.losses > 0 {
            self.due = self.due.min(self.not_before.max(now));
            self.is_last = self.due >= self.deadline;
        }
    }

    /// Judges the answer to a poll. `random` lies in 0..1.
    pub fn answer<V: Value>(&mut self, base: &Base, reply: &Reply<V>, now: f64, random: f64) -> Verdict {
        let asked = reply.retry_after.asked_ms::<V>(None);
        match (reply.is_success(), &reply.body) {
            (true, Some(body)) => match Meaning::of(body, Some(&self.task)) {
                Meaning::Completed(patch) => Verdict::Completed(patch),
                Meaning::Failed(failure) => Verdict::Fail(failure),
                Meaning::Unclear(why) => {
                    Verdict::Fail(accepted(unclear(&self.target(), why, reply.status)))
                }
                Meaning::Running(told, patch) => {
                    self.learn(base, told.poll_url);
                    self.losses = 0;
                    self.sleep(now, self.cadence(random), asked);
                    Verdict::Running(patch)
                }
            },
            (true, None) => {
                let why = "the body broke off or is not JSON";
                self.lose(unclear(&self.target(), why, reply.status), now, random)
            }
            (false, body) => {
                let failure =
                    Failure::of_answer(&self.target(), reply.status, body.as_ref(), &reply.retry_after);
                self.refused(failure, now, random)
            }
        }
    }

    /// Judges a poll that brought no answer. `random` lies in 0..1.
    pub fn lost(&mut self, loss: Loss, now: f64, random: f64) -> Verdict {
        self.lose(lost(&self.target(), loss, Outcome::Accepted), now, random)
    }

    fn refused(&mut self, failure: Failure, now: f64, random: f64) -> Verdict {
        match failure.kind {
            Kind::RateLimit | Kind::Server if failure.retryable != Some(false) => {
                self.lose(failure, now, random)
            }
            Kind::NotFound | Kind::TaskNotFound if now < self.fresh_until => {
                self.sleep(now, self.cadence(random), failure.retry_after_ms);
                Verdict::Again
            }
            Kind::NotFound | Kind::TaskNotFound if self.other_path.is_some() => {
                if let Some(path) = self.other_path.take() {
                    self.path = path;
                }
                self.sleep(now, 0.0, None);
                Verdict::Again
            }
            _ => Verdict::Fail(accepted(failure)),
        }
    }

    /// Polls are free to repeat, so a lost one is waited out.
    fn lose(&mut self, failure: Failure, now: f64, random: f64) -> Verdict {
        let own = self.cadence(random).max(backoff_ms(self.losses, random));
        self.losses += 1;
        self.sleep(now, own, failure.retry_after_ms);
        if let Some(end) = &mut self.end {
            // The reason of the last loss says more than the deadline alone.
            end.status = failure.status;
            end.code.clone_from(&failure.code);
            end.hint.clone_from(&failure.hint);
        }
        Verdict::Lost(accepted(failure))
    }

    /// Takes the path that the server names, unless it has named one already or this one is not to be
    /// trusted: then the path at hand goes on serving.
    fn learn(&mut self, base: &Base, poll_url: Option<String>) {
        if self.path_is_given {
            return;
        }
        if let Some(poll_url) = poll_url
            && let Ok(path) = base.poll_path(&poll_url)
        {
            self.task.poll_url = Some(poll_url);
            self.path = path;
            self.path_is_given = true;
            self.other_path = None;
        }
    }

    /// Sets the time of the next poll, or ends the wait where there is none.
    fn sleep(&mut self, now: f64, own: f64, asked: Option<f64>) {
        let left = self.deadline - now;
        self.not_before = now + asked.unwrap_or(self.poll_min.min(own));
        if self.max_polls.is_some_and(|max| self.polls >= max) {
            self.end = Some(self.give_up(Kind::PollBudget, "after the number of polls in maxPolls", asked));
        } else if self.is_last || -SUSPENDED_MS < left && left <= 0.0 || asked.is_some_and(|asked| asked > left) {
            self.end = Some(self.give_up(Kind::WaitTimeout, "when maxWait ended", asked));
        } else if left <= 0.0 {
            self.due = now;
        } else {
            let gap = asked.unwrap_or(0.0).max(own);
            self.is_last = gap >= left;
            self.due = now + gap.min(left);
        }
    }

    fn give_up(&self, kind: Kind, when: &str, asked: Option<f64>) -> Failure {
        let mut message = [
            "The task ",
            &self.task.id,
            " was still running ",
            when,
            ". It goes on at the server: waitForTask(error.task) resumes the wait",
        ]
        .concat();
        if let Some(asked) = asked {
            message.push_str("; the server asks to wait for another ");
            push_number(&mut message, (asked / 1_000.0) as u32);
            message.push_str(" s");
        }
        message.push('.');
        Failure { retry_after_ms: asked, ..Failure::new(kind, Outcome::Accepted, message) }
    }

    fn cadence(&self, random: f64) -> f64 {
        self.poll_min + (self.poll_max - self.poll_min) * random
    }

    /// Method and path of a poll, for messages: never its query.
    fn target(&self) -> String {
        ["GET ", self.path.split('?').next().unwrap_or_default()].concat()
    }
}

/// After a task exists, whatever fails leaves it as it is.
fn accepted(mut failure: Failure) -> Failure {
    failure.leave_task();
    failure
}

fn untrusted(why: PathError) -> Failure {
    let message = match why {
        PathError::Foreign => {
            "The poll_url of the task names another server, which must not get the key. \
             waitForTask(error.task) asks for the task by its id instead."
        }
        PathError::Malformed => {
            "The poll_url of the task is not a plain path from the root. waitForTask(error.task) asks for the \
             task by its id instead."
        }
    };
    Failure::new(Kind::UntrustedUrl, Outcome::Accepted, message.into())
}
