//! The state machine of a hub's task, which outlives the request that created it.
//!
//! The shell stores a [`Job`] before it carries out an act of [`Job::next`] that sends or copies something, and stores
//! the job again once it knows the result. Only then does it ask for the next act. It need not store that a task still
//! runs, nor a wait for a turn or for the next poll: a later process finds that out by asking again. So whatever ends
//! the process, the next one reads from the state what may have happened:
//!
//! | phase | what is certain | after a crash |
//! | --- | --- | --- |
//! | `queued` | nothing has been sent, or the server has said that it did nothing | goes on |
//! | `sending` | the create may have been sent | `unknown` |
//! | `waiting` | the task exists | polls on; a poll that was under way counts as lost |
//! | `keeping` | the result is stored, its pictures may not be | copies them again, up to five times in all |
//! | `completed`, `failed` | the task has ended | – |
//! | `refused` | the server refused the create | – |
//! | `idle` | nothing was done, and a create with the same key may try again | – |
//! | `unknown` | the create may have been carried out: it is never sent again | – |
//! | `left` | the task goes on, and is polled again when a client asks for it | – |

use serde::{Deserialize, Serialize};

use super::{
    abi::{Kind, Outcome, Status},
    answer::{Answer, TransportError},
    create::{Create, CreateAction},
    failure::Failure,
    limiter::RequestKind,
    limits::LONGEST_WAIT_MS,
    options::Options,
    parse::ParsedAnswer,
    platform::Platform,
    retry::backoff_ms,
    task::Task,
    url::CREATE_PATH,
    wait::{Origin, PollResult, Wait, WaitAction},
};

/// The version of a stored [`Job`]. Version 0 had no such field.
const VERSION: u32 = 1;
/// A task that was left tells why for so many gaps between polls. After that, asking for it carries it on.
const TELLS: f64 = 2.0;
/// How often the hub tries to copy the pictures. After that, the provider's URLs stay.
const MAX_KEEPS: u32 = 5;
/// The last poll comes at the end of the wait, and may wait for its turn for so long, in milliseconds.
const LAST_TURN_MS: f64 = 60_000.0;
/// The pause after a 429 that does not say how long to wait, in milliseconds.
const DEFAULT_PAUSE_MS: f64 = 1_000.0;
/// A pause is routine if it is longer than the gap between two polls by no more than this, in milliseconds.
const ROUTINE_MS: f64 = 1_000.0;

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
pub struct HubOptions {
    /// Whether creates and polls wait for their turn.
    pub limited: bool,
    /// Whether finished pictures are copied.
    pub keeps: bool,
    /// How long an ended job is kept, in milliseconds.
    pub retention: f64,
}

/// A create and the wait for its task: plain data, so that it can be stored and carried on elsewhere. All
/// times are milliseconds of the wall clock, since no other one outlives a process.
///
/// A field that a later version adds has a default, so that the states of earlier versions can be read:
/// `tests/core/fixtures` keeps some of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    #[serde(default)]
    version: u32,
    /// Where it stands.
    pub phase: Phase,
    create: Create,
    wait: Option<Wait>,
    /// When there is something to do: not before, whatever else is due.
    due: f64,
    /// When it came to its end.
    ended: f64,
    /// When a request that has not had its turn gives up. Version 0 wrote 0 for a poll that had not asked for one.
    #[serde(alias = "queue_deadline")]
    until: f64,
    /// How long the limiter wanted it to wait, in milliseconds.
    asked: f64,
    /// Whether it has got the turn that it had asked for.
    has_turn: bool,
    /// Whether a poll is under way.
    polling: bool,
    /// Before this the server must not be asked, whatever clients want.
    not_before: f64,
    /// How often the hub has tried to copy the pictures.
    keeps: u32,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum HubAction {
    /// Ask for a turn that comes within [`Job::patience`], and tell [`Job::turn`].
    Ask(RequestKind),
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
pub enum JobUpdate {
    /// The generation as it stands.
    Answered(ParsedAnswer),
    /// No answer, or one that says to come back: the job goes on. The failure, where there is one, is for the log.
    Again(Option<Box<Failure>>),
    /// The job has come to this end.
    Fail(Box<Failure>),
}

impl Job {
    /// A job that has not sent its create.
    pub fn new(options: &Options, now: f64) -> Job {
        Job {
            version: VERSION,
            phase: Phase::Queued,
            create: Create::new(options.base.own_path(CREATE_PATH), options.max_retries, false),
            wait: None,
            due: now,
            ended: 0.0,
            until: now + options.max_wait,
            asked: 0.0,
            has_turn: false,
            polling: false,
            not_before: now,
            keeps: 0,
        }
    }

    /// The job as this version stores it, or nothing if a later version has written it.
    ///
    /// Version 0 could store that a job is completed and fail to store its result: `has_result` tells. Then the task
    /// is polled again.
    pub fn migrated(self, has_result: bool) -> Option<Job> {
        let mut job = if self.version > VERSION { None } else { Some(Job { version: VERSION, ..self }) }?;
        if job.phase == Phase::Completed && !has_result {
            job.phase = if job.wait.is_some() { Phase::Left } else { Phase::Unknown };
        }
        Some(job)
    }

    /// Whether an ended job has been kept for as long as it has to be.
    pub fn is_expired(&self, now: f64) -> bool {
        self.phase.is_end() && now >= self.due
    }

    /// The task, once there is one.
    pub fn task(&self) -> Option<&Task> {
        self.wait.as_ref().map(|wait| &wait.task)
    }

    /// What to do at `now`. The job may have changed: store it first.
    pub fn next(&mut self, options: &Options, terms: HubOptions, now: f64) -> HubAction {
        if self.phase == Phase::Sending {
            // The process that sent it would have stored the result.
            let failure = Failure::new(
                Kind::Connection,
                Outcome::Unknown,
                &[
                    "The hub was interrupted before it could store the answer to the create. It may have been \
                   carried out and billed.",
                ],
            );
            return HubAction::Fail(self.fail(failure, terms, now));
        }
        if now < self.due {
            return sleep_until(self.due);
        }
        match self.phase {
            Phase::Queued if now >= self.until => {
                let message = ["The create did not get its turn within maxWait. Nothing was carried out."];
                let mut failure = Failure::new(Kind::RateLimit, Outcome::NotSent, &message);
                failure.retry_after_ms = self.asked;
                HubAction::Fail(self.fail(failure, terms, now))
            }
            Phase::Queued => {
                if !self.takes_turn(terms) {
                    return HubAction::Ask(RequestKind::Create);
                }
                self.phase = Phase::Sending;
                HubAction::Send(options.base.own_path(CREATE_PATH), options.create_timeout)
            }
            // Pictures that end the process would do so for ever.
            Phase::Keeping if self.keeps >= MAX_KEEPS => {
                self.end(Phase::Completed, terms, now);
                self.next(options, terms, now)
            }
            Phase::Keeping => {
                self.keeps += 1;
                HubAction::Keep
            }
            _ => self.follow(options, terms, now),
        }
    }

    fn follow(&mut self, options: &Options, terms: HubOptions, now: f64) -> HubAction {
        let Some(wait) = self.wait.as_mut().filter(|_| self.phase == Phase::Waiting) else {
            return HubAction::Forget;
        };
        if core::mem::take(&mut self.polling) {
            // An answer that ends the process would do so for ever, and without a pause.
            wait.lost(TransportError::Connection, now, 0.5);
        }
        if wait.is_due(now) && !self.takes_turn(terms) {
            if self.until == 0.0 {
                self.until = now + options.max_wait;
            }
            if now >= self.until {
                let message =
                    ["A poll did not get its turn within maxWait. The task goes on at the server: \
                     waitForTask(error.task) waits on."];
                let mut failure = Failure::new(Kind::WaitTimeout, Outcome::Accepted, &message);
                failure.retry_after_ms = self.asked;
                return HubAction::Fail(self.fail(failure, terms, now));
            }
            return HubAction::Ask(RequestKind::Poll);
        }
        match self.wait.as_mut().map(|wait| wait.next(now)) {
            Some(WaitAction::Poll(path, until)) => {
                self.polling = true;
                self.not_before = now + options.poll_min;
                HubAction::Poll(path, until - now)
            }
            Some(WaitAction::Sleep(until)) => sleep_until(until),
            Some(WaitAction::Fail(failure)) => HubAction::Fail(self.fail(failure, terms, now)),
            None => HubAction::Forget,
        }
    }

    fn takes_turn(&mut self, terms: HubOptions) -> bool {
        core::mem::take(&mut self.has_turn) || !terms.limited
    }

    /// Whether a sleep is one that every task has between its polls. A later process finds it out by asking again,
    /// so that it need not be stored.
    pub fn is_routine(options: &Options, until: f64, now: f64) -> bool {
        until - now <= options.poll_max + ROUTINE_MS
    }

    /// Whether a client that repeats an `idle` create has to wait: for so many milliseconds; 0 where it need not.
    pub fn pause_ms(&self, now: f64) -> f64 {
        (self.not_before - now).max(0.0)
    }

    /// How long the turn that it asks for may take, in milliseconds.
    pub fn patience(&self, now: f64) -> f64 {
        self.until - now
    }

    /// Takes what the limiter says: to go, or to ask again after so many milliseconds.
    pub fn turn(&mut self, wait_ms: f64, now: f64) {
        self.has_turn = wait_ms <= 0.0;
        self.asked = wait_ms.max(0.0);
        if self.asked > self.patience(now) {
            // A request that will not have its turn in time has no place in the queue.
            self.until = now;
        }
        self.due = (now + self.asked).min(self.until);
    }

    /// Judges what came of the create. `random` lies in 0..1.
    pub fn sent<V: Platform>(
        &mut self,
        options: &Options,
        terms: HubOptions,
        result: Result<&Answer<V>, (TransportError, bool)>,
        now: f64,
        random: f64,
    ) -> JobUpdate {
        let judge = |create: &mut Create| match &result {
            Ok(reply) => create.answer(reply, random),
            Err((loss, sent)) => create.lost(*loss, *sent, random),
        };
        let mut step = judge(&mut self.create);
        let mut reason = None;
        if let CreateAction::Retry(ms) = step {
            // Without another attempt, the same answer is this failure.
            let last = judge(&mut Create::new(options.base.own_path(CREATE_PATH), 0, false));
            if now + ms >= self.until {
                step = last;
            } else if let CreateAction::Fail(failure) = last {
                reason = Some(failure);
            }
        }
        match step {
            CreateAction::Retry(ms) => {
                self.phase = Phase::Queued;
                self.due = now + ms;
                JobUpdate::Again(reason)
            }
            CreateAction::Done(meaning) => {
                self.take(&meaning, terms, now);
                if let Some(task) = meaning.task.clone().filter(|_| meaning.status != Status::Completed) {
                    self.wait_for::<V>(task, options, Origin::Created, now, random);
                }
                JobUpdate::Answered(meaning)
            }
            CreateAction::Fail(failure) => {
                if let Some(task) = failure.task.clone() {
                    self.wait_for::<V>(task, options, Origin::Created, now, random);
                }
                JobUpdate::Fail(self.fail(failure, terms, now))
            }
        }
    }

    /// Judges what came of a poll. `random` lies in 0..1.
    pub fn polled<V: Platform>(
        &mut self,
        options: &Options,
        terms: HubOptions,
        result: Result<&Answer<V>, (TransportError, bool)>,
        now: f64,
        random: f64,
    ) -> JobUpdate {
        self.polling = false;
        let Some(wait) = &mut self.wait else {
            return JobUpdate::Again(None);
        };
        let verdict = match result {
            Ok(reply) => wait.answer(&options.base, reply, now, random),
            Err((loss, _)) => wait.lost(loss, now, random),
        };
        match verdict {
            PollResult::Answered(meaning) => {
                self.take(&meaning, terms, now);
                JobUpdate::Answered(meaning)
            }
            PollResult::Again => JobUpdate::Again(None),
            PollResult::Lost(failure) => JobUpdate::Again(Some(failure)),
            PollResult::Fail(failure) => JobUpdate::Fail(self.fail(failure, terms, now)),
        }
    }

    /// Takes whether the pictures are copied. `random` lies in 0..1.
    pub fn kept(&mut self, done: bool, terms: HubOptions, now: f64, random: f64) {
        if done || self.keeps >= MAX_KEEPS {
            self.end(Phase::Completed, terms, now);
        } else {
            self.due = now + backoff_ms(self.keeps, random);
        }
    }

    /// A client asks for the task. One that was left a while ago is polled again, but not before the server wants
    /// it: until then the reason stands. Returns whether it is polled again.
    pub fn resume<V: Platform>(&mut self, options: &Options, now: f64, random: f64) -> bool {
        let tells_until = (self.ended + TELLS * options.poll_max).max(self.not_before);
        let was_left = self.phase == Phase::Left && now >= tells_until;
        let task = self.task().filter(|_| was_left).cloned();
        task.is_some_and(|task| {
            self.wait_for::<V>(task, options, Origin::Elsewhere, now, random);
            self.due = now;
            true
        })
    }

    fn wait_for<V: Platform>(
        &mut self,
        task: Task,
        options: &Options,
        origin: Origin,
        now: f64,
        random: f64,
    ) {
        self.phase = Phase::Waiting;
        self.until = now + options.max_wait + LAST_TURN_MS;
        self.asked = 0.0;
        let wait = Wait::new::<V>(task, options, origin, now, random)
            // Where its poll URL leads elsewhere, the id has to do.
            .or_else(|(_, task)| Wait::new::<V>(task, options, origin, now, random));
        self.wait = wait.ok();
    }

    /// Takes an answer that says how the task stands.
    fn take(&mut self, meaning: &ParsedAnswer, terms: HubOptions, now: f64) {
        if meaning.status == Status::Completed {
            if terms.keeps {
                self.phase = Phase::Keeping;
            } else {
                self.end(Phase::Completed, terms, now);
            }
        }
    }

    fn fail(&mut self, failure: Box<Failure>, terms: HubOptions, now: f64) -> Box<Failure> {
        let phase = match failure.outcome {
            Outcome::Failed => Phase::Failed,
            Outcome::Unknown => Phase::Unknown,
            Outcome::Accepted => Phase::Left,
            Outcome::Rejected if !matches!(failure.status, 429 | 503) => Phase::Refused,
            Outcome::Rejected | Outcome::NotSent => Phase::Idle,
        };
        let is_pause = failure.status == 429 && failure.retry_after_ms == 0.0;
        let pause = if is_pause { DEFAULT_PAUSE_MS } else { failure.retry_after_ms };
        self.not_before = self.not_before.max(now + pause);
        self.end(phase, terms, now);
        failure
    }

    fn end(&mut self, phase: Phase, terms: HubOptions, now: f64) {
        self.phase = phase;
        self.ended = now;
        self.due = now + terms.retention.min(LONGEST_WAIT_MS);
    }
}

/// Alarms take whole milliseconds: one that fires a fraction too early would have to be set again.
fn sleep_until(time: f64) -> HubAction {
    HubAction::Sleep(time.ceil())
}
