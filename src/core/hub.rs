//! The state machine of a hub's task, which outlives whoever has asked for it.
//!
//! The shell stores a [`Job`] before it sends or copies anything that [`Job::next`] says, and stores what came of it;
//! it does not ask for what is next before. It may leave out that a task still runs, and that it waits for a turn or
//! the next poll: a later process comes to the same by asking again. So whatever ends the process, that one reads from
//! the state what may have happened since:
//!
//! | phase | what is certain | after a crash |
//! | --- | --- | --- |
//! | `queued` | nothing has been sent, or the server has said that it did nothing | goes on |
//! | `sending` | the create may have been sent | `unknown` |
//! | `waiting` | the task exists | polls on; a poll that was under way counts as lost |
//! | `keeping` | the result is stored, its pictures may not be | copies them again, up to five times in all |
//! | `completed`, `failed` | the task has ended | – |
//! | `refused` | the server refused the create | – |
//! | `idle` | nothing was done, and whoever comes with the key may try again | – |
//! | `unknown` | the create may have been carried out: it is never sent again | – |
//! | `left` | the task goes on, and nobody polls it until somebody asks for it | – |

use serde::{Deserialize, Serialize};

use super::{
    Loss,
    answer::{Meaning, Reply, Status, Task},
    create::{Create, CreateStep},
    failure::{Failure, Kind, Outcome},
    fleet::Need,
    options::{LONGEST_WAIT_MS, Options},
    retry::backoff_ms,
    url::CREATE_PATH,
    value::Value,
    wait::{Origin, Step, Verdict, Wait},
};

/// For the time of so many polls, whoever asks for a task that was left hears why; after that, asking carries it on.
const TELLS: f64 = 2.0;
/// How often pictures are tried to be copied; after that, those of the provider have to do.
const MAX_KEEPS: u32 = 5;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the table above says it
pub enum Phase {
    Queued,
    Sending,
    Waiting,
    Keeping,
    Completed,
    Failed,
    Refused,
    Idle,
    Unknown,
    Left,
}

impl Phase {
    /// Whether the job has nothing more to do by itself.
    pub fn is_end(self) -> bool {
        !matches!(self, Phase::Queued | Phase::Sending | Phase::Waiting | Phase::Keeping)
    }
}

/// What a hub is asked to do beside the options of a call.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Whether creates and polls wait for their turn.
    pub limited: bool,
    /// Whether finished pictures are copied.
    pub keeps: bool,
    /// How long an ended job is kept, in milliseconds.
    pub retention: f64,
}

/// A create and the wait for its task: plain data, so that it can be stored and carried on elsewhere. All
/// times are milliseconds of the wall clock, since no other one outlives a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Where it stands.
    pub phase: Phase,
    create: Create,
    wait: Option<Wait>,
    /// When there is something to do: not before, whatever else is due.
    due: f64,
    /// When it came to its end.
    ended: f64,
    /// When a request that has not had its turn gives up; 0 where none has asked for one.
    queue_deadline: f64,
    /// How long the limiter wanted it to wait, in milliseconds.
    asked: f64,
    /// Whether it has got the turn that it had asked for.
    has_turn: bool,
    /// Whether a poll is under way.
    polling: bool,
    /// Before this no poll may be sent, whoever asks for the task.
    not_before: f64,
    /// How often the pictures have been tried to be copied.
    keeps: u32,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Act {
    /// Ask for a turn that comes within [`Job::patience`], and tell [`Job::turn`].
    Ask(Need),
    /// Send the create to this path with this time-out in milliseconds, and tell [`Job::sent`].
    Send(String, f64),
    /// Send a poll to this path with this time-out in milliseconds, and tell [`Job::polled`].
    Poll(String, f64),
    /// Copy the pictures, and tell [`Job::kept`].
    Keep,
    /// Do nothing until this time.
    Sleep(f64),
    /// The job has come to this end.
    Fail(Box<Failure>),
    /// Delete everything.
    Forget,
}

/// What came of an attempt.
#[derive(Debug, PartialEq)]
pub enum Ruling {
    /// The generation as it stands.
    Answered(Meaning),
    /// No answer, or one that says to come back: the job goes on.
    Again,
    /// The job has come to this end.
    Fail(Box<Failure>),
}

impl Job {
    /// A job that has not sent its create.
    pub fn new(options: &Options, now: f64) -> Job {
        Job {
            phase: Phase::Queued,
            create: Create::new(options.base.own_path(CREATE_PATH), options.max_retries, false),
            wait: None,
            due: now,
            ended: 0.0,
            queue_deadline: now + options.max_wait,
            asked: 0.0,
            has_turn: false,
            polling: false,
            not_before: now,
            keeps: 0,
        }
    }

    /// The task, once there is one.
    pub fn task(&self) -> Option<&Task> {
        self.wait.as_ref().map(|wait| &wait.task)
    }

    /// What to do at `now`. The job may have changed: store it first.
    pub fn next(&mut self, options: &Options, terms: Terms, now: f64) -> Act {
        if self.phase == Phase::Sending {
            // Whoever sent it would have told what came of it.
            let failure = Failure::new(
                Kind::Connection,
                Outcome::Unknown,
                &[
                    "The hub was interrupted before it could store the answer to the create. It may have been \
                   carried out and billed.",
                ],
            );
            return Act::Fail(self.fail(failure, terms, now));
        }
        if now < self.due {
            return sleep_until(self.due);
        }
        match self.phase {
            Phase::Queued if now >= self.queue_deadline => {
                let message = ["The create did not get its turn within maxWait. Nothing was carried out."];
                let mut failure = Failure::new(Kind::RateLimit, Outcome::NotSent, &message);
                failure.retry_after_ms = self.asked;
                Act::Fail(self.fail(failure, terms, now))
            }
            Phase::Queued => {
                if !self.takes_turn(terms) {
                    return Act::Ask(Need::Create);
                }
                self.phase = Phase::Sending;
                Act::Send(options.base.own_path(CREATE_PATH), options.create_timeout)
            }
            // Pictures that end the process would do so for ever.
            Phase::Keeping if self.keeps >= MAX_KEEPS => {
                self.end(Phase::Completed, terms, now);
                self.next(options, terms, now)
            }
            Phase::Keeping => {
                self.keeps += 1;
                Act::Keep
            }
            _ => self.follow(options, terms, now),
        }
    }

    fn follow(&mut self, options: &Options, terms: Terms, now: f64) -> Act {
        let Some(wait) = self.wait.as_mut().filter(|_| self.phase == Phase::Waiting) else {
            return Act::Forget;
        };
        if core::mem::take(&mut self.polling) {
            // An answer that ends the process would do so for ever, and without a pause.
            wait.lost(Loss::Connection, now, 0.5);
        }
        if wait.is_due(now) && !self.takes_turn(terms) {
            if self.queue_deadline == 0.0 {
                self.queue_deadline = now + options.max_wait;
            } else if now >= self.queue_deadline {
                let message =
                    ["A poll did not get its turn within maxWait. The task goes on at the server: \
                     waitForTask(error.task) waits on."];
                let failure = Failure::new(Kind::WaitTimeout, Outcome::Accepted, &message);
                return Act::Fail(self.fail(failure, terms, now));
            }
            return Act::Ask(Need::Poll);
        }
        match self.wait.as_mut().map(|wait| wait.next(now)) {
            Some(Step::Poll(path, until)) => {
                self.queue_deadline = 0.0;
                self.polling = true;
                self.not_before = now + options.poll_min;
                Act::Poll(path, until - now)
            }
            Some(Step::Sleep(until)) => sleep_until(until),
            Some(Step::Fail(failure)) => Act::Fail(self.fail(failure, terms, now)),
            None => Act::Forget,
        }
    }

    fn takes_turn(&mut self, terms: Terms) -> bool {
        core::mem::take(&mut self.has_turn) || !terms.limited
    }

    /// How long the turn that it asks for may take, in milliseconds. A poll has all the time: its task is there.
    pub fn patience(&self, now: f64) -> f64 {
        if self.phase == Phase::Queued { self.queue_deadline - now } else { LONGEST_WAIT_MS }
    }

    /// Takes what the limiter says: to go, or to ask again after so many milliseconds.
    pub fn turn(&mut self, wait_ms: f64, now: f64) {
        self.has_turn = wait_ms <= 0.0;
        self.asked = wait_ms.max(0.0);
        if self.asked > self.patience(now) {
            // A create that will not have its turn in time has no place in the queue.
            self.queue_deadline = now;
        }
        self.due = (now + self.asked).min(self.queue_deadline);
    }

    /// Judges what came of the create. `random` lies in 0..1.
    pub fn sent<V: Value>(
        &mut self,
        options: &Options,
        terms: Terms,
        result: Result<&Reply<V>, (Loss, bool)>,
        now: f64,
        random: f64,
    ) -> Ruling {
        let step = match result {
            Ok(reply) => self.create.answer(reply, random),
            Err((loss, sent)) => self.create.lost(loss, sent, random),
        };
        match step {
            CreateStep::Retry(ms) => {
                self.phase = Phase::Queued;
                self.due = (now + ms).min(self.queue_deadline);
                Ruling::Again
            }
            CreateStep::Done(meaning) => {
                self.take(&meaning, terms, now);
                if let Some(task) = meaning.task.clone().filter(|_| meaning.status != Status::Completed) {
                    self.wait_for::<V>(task, options, Origin::Created, now, random);
                }
                Ruling::Answered(meaning)
            }
            CreateStep::Fail(failure) => {
                if let Some(task) = failure.task.clone() {
                    self.wait_for::<V>(task, options, Origin::Created, now, random);
                }
                Ruling::Fail(self.fail(failure, terms, now))
            }
        }
    }

    /// Judges what came of a poll. `random` lies in 0..1.
    pub fn polled<V: Value>(
        &mut self,
        options: &Options,
        terms: Terms,
        result: Result<&Reply<V>, (Loss, bool)>,
        now: f64,
        random: f64,
    ) -> Ruling {
        self.polling = false;
        let Some(wait) = &mut self.wait else {
            return Ruling::Again;
        };
        let verdict = match result {
            Ok(reply) => wait.answer(&options.base, reply, now, random),
            Err((loss, _)) => wait.lost(loss, now, random),
        };
        match verdict {
            Verdict::Answered(meaning) => {
                self.take(&meaning, terms, now);
                Ruling::Answered(meaning)
            }
            Verdict::Again | Verdict::Lost(_) => Ruling::Again,
            Verdict::Fail(failure) => Ruling::Fail(self.fail(failure, terms, now)),
        }
    }

    /// Takes whether the pictures have been copied. `random` lies in 0..1.
    pub fn kept(&mut self, done: bool, terms: Terms, now: f64, random: f64) {
        if done || self.keeps >= MAX_KEEPS {
            self.end(Phase::Completed, terms, now);
        } else {
            self.due = now + backoff_ms(self.keeps, random);
        }
    }

    /// Somebody asks for the task: one that was left a while ago is polled again. Tells whether it is.
    pub fn resume<V: Value>(&mut self, options: &Options, now: f64, random: f64) -> bool {
        let was_left = self.phase == Phase::Left && now >= self.ended + TELLS * options.poll_max;
        let task = self.task().filter(|_| was_left).cloned();
        task.is_some_and(|task| {
            self.wait_for::<V>(task, options, Origin::Elsewhere, now, random);
            self.due = now.max(self.not_before);
            true
        })
    }

    fn wait_for<V: Value>(&mut self, task: Task, options: &Options, origin: Origin, now: f64, random: f64) {
        self.phase = Phase::Waiting;
        self.queue_deadline = 0.0;
        let wait = Wait::new::<V>(task, options, origin, now, random)
            // Where its poll URL leads elsewhere, the id has to do.
            .or_else(|(_, task)| Wait::new::<V>(task, options, origin, now, random));
        self.wait = wait.ok();
    }

    /// Takes an answer that says how the task stands.
    fn take(&mut self, meaning: &Meaning, terms: Terms, now: f64) {
        if meaning.status == Status::Completed {
            if terms.keeps {
                self.phase = Phase::Keeping;
            } else {
                self.end(Phase::Completed, terms, now);
            }
        }
    }

    fn fail(&mut self, failure: Box<Failure>, terms: Terms, now: f64) -> Box<Failure> {
        let phase = match failure.outcome {
            Outcome::Failed => Phase::Failed,
            Outcome::Unknown => Phase::Unknown,
            Outcome::Accepted => Phase::Left,
            Outcome::Rejected if !matches!(failure.status, 429 | 503) => Phase::Refused,
            Outcome::Rejected | Outcome::NotSent => Phase::Idle,
        };
        self.not_before = self.not_before.max(now + failure.retry_after_ms);
        self.end(phase, terms, now);
        failure
    }

    fn end(&mut self, phase: Phase, terms: Terms, now: f64) {
        self.phase = phase;
        self.ended = now;
        self.due = now + terms.retention.min(LONGEST_WAIT_MS);
    }
}

/// Alarms take whole milliseconds: one that fires a fraction too early would have to be set again.
fn sleep_until(time: f64) -> Act {
    Act::Sleep(time.ceil())
}
