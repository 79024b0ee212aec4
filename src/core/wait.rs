//! The state machine of a wait. It never loses a task.

use serde::{Deserialize, Serialize};

use super::{
    abi::{Kind, Outcome, Status},
    answer::{Answer, TransportError},
    failure::{Failure, GOES_ON},
    ms::Ms,
    options::Options,
    parse::ParsedAnswer,
    platform::Platform,
    retry::backoff,
    task::Task,
    text::{copy, join, number, without_query},
    url::Base,
};

/// How long after a create some servers of the provider may not know the task.
const FRESH: Ms = Ms(10_000.0);
/// A poll that is sent shortly before the deadline, or when it has come, has this time:
/// it may bring the result.
const LAST_POLL: Ms = Ms(5_000.0);
/// The polls that come before most tasks are done.
const EARLY_POLLS: u32 = 6;
/// After these, gaps are drawn from this part of the interval.
const LATE_PART: f64 = 0.8;
/// A relay's stream says something every 15 s, if only that nothing has changed. One that is silent for this
/// long is dead.
const SILENT: Ms = Ms(30_000.0);
/// Sleeps and attempts end at the deadline. One that ends later than this behind it was suspended: a
/// laptop slept, or a page was frozen.
const SUSPENDED: Ms = Ms(5_000.0);

/// A wait for a task: plain data, so that it can be stored and carried on elsewhere.
///
/// All times are milliseconds of one clock, which the caller chooses and keeps to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // independent of each other, and stored
pub struct Wait {
    /// The task as it is known now.
    pub task: Task,
    /// The path to poll, below the base URL's origin.
    path: String,
    /// The other path that may know a task without a poll URL. It is empty where the server has named the path,
    /// which then serves the whole wait.
    other_path: String,
    /// Whether the poll under way has gone on to the other path.
    swapped: bool,
    /// Whether the task was missing when it was last polled, and not fresh any more.
    missed: bool,
    fresh_until: f64,
    deadline: f64,
    /// When the next poll is due.
    due: f64,
    /// When the poll under way runs out of time.
    until: f64,
    /// When the last answer came.
    answered_at: f64,
    /// Before this the server does not want to be polled, whatever wakes us.
    not_before: f64,
    polls: u32,
    max_polls: u32,
    /// Polls in a row that brought no answer.
    lost_polls: u32,
    /// Whether the next poll is the last one.
    is_last: bool,
    /// Whether one poll is all that is wanted.
    is_single: bool,
    poll_min: Ms,
    poll_max: Ms,
    poll_timeout: Ms,
    /// Why the wait has to end although the task goes on.
    end: WaitEnd,
    /// How long the server wanted to be left alone when the wait ended.
    retry_after: Ms,
}

/// Where a wait's task comes from: that decides when it is polled first, and how long a 404 means nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// This call has just created it, and the server wants to be left alone for this time. No task is done at once, so
    /// the first poll comes after one gap.
    Created(Ms),
    /// This process has created it: its `generate` returned at this time.
    Generated(f64),
    /// A stored task, or an id.
    Elsewhere,
}

/// Why a wait ends before its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum WaitEnd {
    NotYet,
    Deadline,
    Budget,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum WaitAction {
    /// Send a poll to [`Wait::path`]; its answer has to be there at this time.
    Poll(f64),
    /// Sleep until this time.
    Sleep(f64),
    /// Give up; the task goes on.
    Fail(Box<Failure>),
}

/// What a poll brought.
#[derive(Debug, PartialEq)]
pub enum PollResult {
    /// The task as it stands: the wait is over where it is completed.
    Answered(ParsedAnswer),
    /// Not known there yet, or not there: the wait goes on.
    Again,
    /// No answer, or one that asks to come back later: the wait goes on, and this is why.
    Lost(Box<Failure>),
    /// The wait is over.
    Fail(Box<Failure>),
}

impl Wait {
    /// A wait for `task` that begins `now`. `random` lies in 0..1.
    ///
    /// A task whose poll URL must not be called comes back without it, so that it can be polled by id.
    pub fn new<V: Platform>(
        mut task: Task,
        options: &Options,
        origin: Origin,
        now: f64,
        random: f64,
    ) -> Result<Wait, (Box<Failure>, Task)> {
        let (path, other_path) = if task.poll_url.is_empty() {
            (options.base.task_path::<V>(&task.id, false), options.base.task_path::<V>(&task.id, true))
        } else {
            let Some(path) = options.base.poll_path::<V>(&task.poll_url) else {
                task.poll_url = String::new();
                let message = "The poll_url leads to another server, which must not get the key. \
                     waitForTask(error.task) asks by id.";
                return Err((Failure::new(Kind::UntrustedUrl, Outcome::Accepted, message), task));
            };
            (path, String::new())
        };
        let fresh_until = match origin {
            Origin::Created(_) => now + FRESH,
            Origin::Generated(at) => at + FRESH,
            Origin::Elsewhere => now,
        };
        let mut wait = Wait {
            task,
            path,
            other_path,
            swapped: false,
            missed: false,
            fresh_until,
            deadline: now + options.max_wait,
            due: now,
            until: now,
            answered_at: now,
            not_before: now,
            polls: 0,
            max_polls: options.max_polls,
            lost_polls: 0,
            is_last: false,
            is_single: false,
            poll_min: options.poll_min,
            poll_max: options.poll_max,
            poll_timeout: options.poll_timeout,
            end: WaitEnd::NotYet,
            retry_after: Ms::ZERO,
        };
        if let Origin::Created(retry_after) = origin {
            wait.sleep(now, random, Ms::ZERO, retry_after);
        }
        Ok(wait)
    }

    /// Makes a wait end with its first poll, which has its own time-out for a deadline.
    pub fn once(&mut self, now: f64) {
        self.is_single = true;
        self.deadline = now + self.poll_timeout;
    }

    /// The path to poll, below the base URL's origin.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the next thing to do at `now` is a poll.
    pub fn is_due(&self, now: f64) -> bool {
        self.end == WaitEnd::NotYet && now >= self.due
    }

    /// When the next poll is due, as things stand; none where there is none to come.
    pub fn due(&self) -> Option<f64> {
        if self.end == WaitEnd::NotYet { Some(self.due) } else { None }
    }

    /// Whether no poll has been answered since one was lost.
    pub fn is_lost(&self) -> bool {
        self.lost_polls > 0
    }

    /// When a stream of answers counts as dead, unless one comes before.
    pub fn silent_at(&self) -> f64 {
        self.answered_at + SILENT
    }

    /// What to do at `now`. A poll counts as sent.
    pub fn next(&mut self, now: f64) -> WaitAction {
        if self.end != WaitEnd::NotYet {
            return WaitAction::Fail(self.failure());
        }
        if now < self.due {
            return WaitAction::Sleep(self.due);
        }
        if !self.swapped {
            self.polls += 1;
            self.is_last |= now >= self.deadline;
        }
        // The other path shares the time of the first, unless a suspension has used it up.
        if !self.swapped || now >= self.until {
            self.until = (now + self.poll_timeout).min(self.deadline.max(now + LAST_POLL));
        }
        WaitAction::Poll(self.until)
    }

    /// Takes a poll that another wait for the same task has sent while this one slept for one of its own:
    /// judge what it brought.
    pub fn join(&mut self) {
        if !self.swapped {
            self.polls += 1;
            self.is_last = false;
        }
    }

    /// When the runtime comes back to life: a page becomes visible, or the network returns. A poll that a
    /// back-off of our own holds up is due as soon as the cadence allows.
    pub fn wake(&mut self, now: f64) {
        if self.lost_polls > 0 {
            self.due = self.due.min(self.not_before.max(now));
            self.is_last = self.due >= self.deadline;
        }
    }

    /// Judges the answer to a poll. `random` lies in 0..1.
    pub fn answer<V: Platform>(
        &mut self,
        base: &Base,
        answer: &Answer<V>,
        now: f64,
        random: f64,
    ) -> PollResult {
        let target = self.target();
        self.answered_at = now;
        let failure = if answer.is_success() {
            match ParsedAnswer::of(&target, answer, Some(&self.task)) {
                Ok(parsed) => {
                    if parsed.status != Status::Completed {
                        self.missed = false;
                        if let Some(task) = &parsed.task {
                            self.learn::<V>(base, &task.poll_url);
                        }
                        self.lost_polls = 0;
                        self.sleep(now, random, Ms::ZERO, answer.retry_after);
                    }
                    return PollResult::Answered(parsed);
                }
                Err(failure) => failure,
            }
        } else {
            Failure::of_answer(&target, answer)
        };
        let is_passing = match failure.kind {
            // A success that says nothing of the task is no answer: the right one has not arrived.
            Kind::Response => answer.is_success(),
            Kind::RateLimit | Kind::Server => true,
            // Something between us and the service has not passed this poll on, or not waited for its answer.
            _ => matches!(failure.status, 421 | 425 | 499),
        };
        if is_passing && !failure.is_final {
            self.lose(failure, now, random)
        } else if matches!(failure.kind, Kind::NotFound | Kind::TaskNotFound) {
            self.miss(failure, now, random)
        } else {
            PollResult::Fail(accepted(failure))
        }
    }

    /// Judges a poll that brought no answer. `random` lies in 0..1.
    pub fn lost(&mut self, error: TransportError, now: f64, random: f64) -> PollResult {
        let failure = Failure::lost(&self.target(), error, Outcome::Accepted);
        self.lose(failure, now, random)
    }

    fn target(&self) -> String {
        join(&["GET ", without_query(&self.path)])
    }

    /// The task is not at this path. A bare id may be at the other one; and what is missing everywhere counts only
    /// when it still is after a gap, since the provider's servers do not learn of a task all at once.
    fn miss(&mut self, failure: Box<Failure>, now: f64, random: f64) -> PollResult {
        let retry_after = failure.retry_after;
        // A poll that was late because of a suspension may run beyond the deadline; a pause of the server's may not.
        let is_in_time = now + retry_after < self.until && retry_after <= self.left(now);
        if !self.swapped && !self.other_path.is_empty() && is_in_time {
            core::mem::swap(&mut self.path, &mut self.other_path);
            self.swapped = true;
            self.due = now + retry_after;
            self.not_before = self.due;
            return PollResult::Again;
        }
        let is_fresh = now < self.fresh_until;
        let is_second = !is_fresh && core::mem::replace(&mut self.missed, true);
        self.sleep(now, random, Ms::ZERO, retry_after);
        // Without a further poll, this is the last word on the task.
        if self.is_single || is_second || !is_fresh && self.end != WaitEnd::NotYet {
            return PollResult::Fail(accepted(failure));
        }
        PollResult::Again
    }

    /// Polls are free to repeat, so a lost one is waited out.
    fn lose(&mut self, failure: Box<Failure>, now: f64, random: f64) -> PollResult {
        let backoff = backoff(self.lost_polls, random);
        self.lost_polls += 1;
        self.sleep(now, random, backoff, failure.retry_after);
        let failure = accepted(failure);
        if self.is_single { PollResult::Fail(failure) } else { PollResult::Lost(failure) }
    }

    /// Takes the path that the server names, unless it has named one already or this one is not to be
    /// trusted: then the path at hand goes on serving.
    fn learn<V: Platform>(&mut self, base: &Base, poll_url: &str) {
        if self.other_path.is_empty() || poll_url.is_empty() {
            return;
        }
        if let Some(path) = base.poll_path::<V>(poll_url) {
            self.task.poll_url = copy(poll_url);
            self.path = path;
            self.other_path = String::new();
        }
    }

    /// Sets the time of the next poll, after the longest of a gap of the cadence, our `backoff` and what the server
    /// wants, or ends the wait where there is none.
    fn sleep(&mut self, now: f64, random: f64, backoff: Ms, retry_after: Ms) {
        let left = self.deadline - now;
        let cadence = self.cadence(random);
        // Waits that were put off together must not return together: what chance adds stays.
        let gap = cadence.max(backoff).max(retry_after + (cadence - self.poll_min));
        if self.max_polls > 0 && self.polls >= self.max_polls {
            self.end = WaitEnd::Budget;
        } else if self.is_last || retry_after > self.left(now) || left <= 0.0 && left > -SUSPENDED.0 {
            self.end = WaitEnd::Deadline;
        }
        self.retry_after = retry_after;
        self.swapped = false;
        self.is_last = gap.0 >= left;
        self.due = now + gap.min(self.left(now));
        self.not_before = now + retry_after.max(self.poll_min);
    }

    /// The time until the deadline.
    fn left(&self, now: f64) -> Ms {
        Ms((self.deadline - now).max(0.0))
    }

    fn failure(&self) -> Box<Failure> {
        let (kind, when) = match self.end {
            WaitEnd::Budget => (Kind::PollBudget, " was still running after maxPolls polls"),
            _ => (Kind::WaitTimeout, " was still running when maxWait ended"),
        };
        let mut failure = Failure::new(kind, Outcome::Accepted, "The task ");
        failure.say(&self.task.id);
        failure.say(when);
        if self.retry_after > Ms::ZERO {
            failure.say("; the server asks to wait ");
            failure.say(&number((self.retry_after.0 / 1_000.0).ceil() as u32));
            failure.say(" s");
        }
        failure.add(GOES_ON);
        failure.retry_after = self.retry_after;
        failure
    }

    /// A gap between two polls. Each is drawn by chance, so that many clients never poll in step.
    ///
    /// Few tasks are done within half a minute: until then, gaps are of the longer half. What that saves goes
    /// into shorter ones when most are done, where each second counts.
    fn cadence(&self, random: f64) -> Ms {
        let part = match self.polls {
            0 => random,
            1..=EARLY_POLLS => 0.5 + random / 2.0,
            _ => random * LATE_PART,
        };
        self.poll_min + (self.poll_max - self.poll_min) * part
    }
}

/// After a task exists, whatever fails leaves it as it is.
fn accepted(mut failure: Box<Failure>) -> Box<Failure> {
    failure.leave_task();
    failure
}
