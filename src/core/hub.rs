//! The state machine of a hub's task, which outlives the request that created it.
//!
//! How to drive a [`Job`]: ask [`Job::next`] for an action, store the job, perform the action, report its result to
//! the method that the action names, and store the job again. Three things need not be stored: that a task still
//! runs, a request for admission, and a routine sleep ([`Job::is_routine`]). A later process repeats them.
//!
//! So the stored phase tells the next process what may have happened, whatever ended this one:
//!
//! | phase | what is certain | after a crash |
//! | --- | --- | --- |
//! | `queued` | nothing was sent, or what was sent certainly bills nothing | goes on |
//! | `sending` | the create may have been sent | `unknown` |
//! | `waiting` | the task exists | polls on; a poll under way counts as lost |
//! | `copying` | the result is stored, its pictures may not be | copies them again, up to five times in all |
//! | `completed`, `failed` | the task has ended | – |
//! | `refused` | the server refused the request itself | – |
//! | `idle` | nothing was done; a create with the same key may try again | – |
//! | `unknown` | the create may have been carried out, and is never sent again | – |
//! | `suspended` | the task goes on; polling resumes when a client asks for it | – |

use serde::{Deserialize, Serialize};

use super::{
    abi::{Kind, Outcome, Status},
    answer::{Answer, TransportError},
    create::{Create, CreateAction},
    failure::{Failure, GOES_ON},
    limiter::RequestKind,
    limits::LONGEST_WAIT,
    ms::Ms,
    options::Options,
    parse::ParsedAnswer,
    platform::Platform,
    refusal,
    retry::backoff,
    task::Task,
    text::contains,
    url::{CREATE_PATH, EDIT_PATH},
    value::Value,
    wait::{Origin, PollResult, Wait, WaitAction},
};

/// The version of a stored [`Job`].
const VERSION: u32 = 1;
/// A suspended task reports its reason for this many gaps between polls. After that, a client's request resumes it.
const REASON_GAPS: f64 = 2.0;
/// How often the hub tries to copy the pictures. After that, the provider's URLs stay.
const MAX_COPY_ATTEMPTS: u32 = 5;
/// How long the last poll, at the end of the wait, may queue for its admission, in milliseconds.
const LAST_ADMISSION: Ms = Ms(60_000.0);
/// A refusal that is not temporary and does not judge the request, such as of the key, the account or the address, lasts
/// until the operator has acted. Duplicates that come sooner get the same refusal.
const OPERATOR_PAUSE: Ms = Ms(60_000.0);
/// A routine sleep is longer than the gap between two polls by this at most, in milliseconds.
const ROUTINE: Ms = Ms(1_000.0);

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the table above describes them
pub enum Phase {
    Queued,
    Sending,
    Waiting,
    Copying,
    Completed,
    Failed,
    Refused,
    Idle,
    Unknown,
    Suspended,
}

impl Phase {
    /// Whether the job does nothing more on its own.
    pub fn is_end(self) -> bool {
        !matches!(self, Phase::Queued | Phase::Sending | Phase::Waiting | Phase::Copying)
    }
}

/// What a hub adds to the options of a call.
#[derive(Clone, Copy, Debug)]
pub struct HubOptions {
    /// Whether creates and polls need the admission of a limiter.
    pub has_limiter: bool,
    /// Whether finished pictures are copied.
    pub copies_pictures: bool,
    /// How long an ended job is kept.
    pub retention: Ms,
}

/// What a job knows of its request, beside the options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRequest {
    /// Whether it is an edit.
    pub is_edit: bool,
    /// Whether its create asks for a task in place of a picture, and so for an answer at once.
    pub is_short: bool,
    /// How many other models may follow, one after the other.
    pub fallbacks: u32,
}

/// A create and the wait for its task: plain data, which is stored and goes on in another process. All times are
/// milliseconds of the wall clock, since no other clock outlives a process.
///
/// A field that a later version adds needs a default, and one that it renames an alias, so that the states of earlier
/// versions can be read: `tests/core/fixtures` holds some of each version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    version: u32,
    request: JobRequest,
    /// Whether the model takes no short create.
    is_async_refused: bool,
    /// Where it stands.
    pub phase: Phase,
    create: Create,
    wait: Option<Wait>,
    /// When the next action is due.
    due: f64,
    /// When the job ended.
    ended_at: f64,
    /// When a request without admission gives up.
    admission_deadline: f64,
    /// How long the limiter has asked to wait.
    #[serde(rename = "admission_wait_ms")]
    admission_wait: Ms,
    /// Whether the next request is admitted.
    is_admitted: bool,
    /// Whether a poll is under way.
    is_polling: bool,
    /// Before this the server must not be asked, whatever clients want.
    not_before: f64,
    /// How often the hub has tried to copy the pictures.
    copy_attempts: u32,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum HubAction {
    /// Ask the limiter to admit a request within this time; report to [`Job::admission_answered`].
    RequestAdmission(RequestKind, Ms),
    /// Send the create; report to [`Job::create_answered`].
    SendCreate {
        /// Below the base URL's origin.
        path: String,
        /// The time for its answer.
        timeout: Ms,
        /// Whether to set `async` in the request.
        is_short: bool,
    },
    /// Send a poll to this path with this time-out; report to [`Job::poll_answered`].
    SendPoll(String, Ms),
    /// Copy the pictures; report to [`Job::pictures_copied`].
    CopyPictures,
    /// Do nothing until this time.
    Sleep(f64),
    /// The job has ended with this failure.
    Fail(Box<Failure>),
    /// Delete everything that is stored.
    Forget,
}

/// The effect of an attempt on its job.
#[derive(Debug, PartialEq)]
pub enum JobUpdate {
    /// The generation as it stands.
    Answered(ParsedAnswer),
    /// The job tries again, for this failure if there was one.
    Retry(Option<Box<Failure>>),
    /// The job starts again with the next model: this failure certainly bills nothing.
    Fallback(Box<Failure>),
    /// The job has ended with this failure.
    Fail(Box<Failure>),
}

impl Job {
    /// A job that has not sent its create.
    pub fn new(options: &Options, request: JobRequest, now: f64) -> Job {
        Job {
            version: VERSION,
            request,
            is_async_refused: false,
            phase: Phase::Queued,
            create: Create::new(path_of(options, request), options.max_retries, false),
            wait: None,
            due: now,
            ended_at: 0.0,
            admission_deadline: now + options.max_wait,
            admission_wait: Ms::ZERO,
            is_admitted: false,
            is_polling: false,
            not_before: now,
            copy_attempts: 0,
        }
    }

    /// The job as this version stores it; `None` if a later version has stored it.
    pub fn migrated(self) -> Option<Job> {
        (self.version <= VERSION).then_some(Job { version: VERSION, ..self })
    }

    /// Whether an ended job has been kept for its retention.
    pub fn is_expired(&self, now: f64) -> bool {
        self.phase.is_end() && now >= self.due
    }

    /// The task, once it exists.
    pub fn task(&self) -> Option<&Task> {
        self.wait.as_ref().map(|wait| &wait.task)
    }

    /// Whether the request may still have to be sent.
    pub fn needs_request(&self) -> bool {
        match self.phase {
            Phase::Queued | Phase::Sending => true,
            Phase::Waiting | Phase::Suspended => self.request.fallbacks > 0,
            _ => false,
        }
    }

    /// What to do at `now`. The job may have changed: store it first.
    pub fn next(&mut self, options: &Options, hub: HubOptions, now: f64) -> HubAction {
        if self.phase == Phase::Sending {
            // The process that sent the create would have stored the answer.
            let message = "The hub was interrupted before it could store the answer to the create. It may have \
                           been carried out and billed.";
            let failure = Failure::new(Kind::Connection, Outcome::Unknown, message);
            return HubAction::Fail(self.fail(failure, hub, now));
        }
        if now < self.due {
            return sleep_until(self.due);
        }
        match self.phase {
            Phase::Queued if now >= self.admission_deadline => {
                let message = "The create was not admitted within maxWait. Nothing was carried out.";
                let mut failure = Failure::new(Kind::RateLimit, Outcome::NotSent, message);
                failure.retry_after = self.admission_wait;
                HubAction::Fail(self.fail(failure, hub, now))
            }
            Phase::Queued => {
                if !self.use_admission(hub) {
                    return self.request_admission(RequestKind::Create, now);
                }
                self.phase = Phase::Sending;
                HubAction::SendCreate {
                    path: path_of(options, self.request),
                    timeout: options.create_timeout,
                    is_short: self.is_short(),
                }
            }
            Phase::Waiting => self.next_of_wait(options, hub, now),
            // Pictures that end the process would do so forever.
            Phase::Copying if self.copy_attempts >= MAX_COPY_ATTEMPTS => {
                self.end(Phase::Completed, hub, now);
                self.next(options, hub, now)
            }
            Phase::Copying => {
                self.copy_attempts += 1;
                HubAction::CopyPictures
            }
            _ => HubAction::Forget,
        }
    }

    fn next_of_wait(&mut self, options: &Options, hub: HubOptions, now: f64) -> HubAction {
        let was_polling = core::mem::take(&mut self.is_polling);
        let Some(wait) = self.wait.as_mut() else {
            return HubAction::Forget;
        };
        if was_polling {
            // Counts as a lost poll: an answer that ends the process would do so forever, without a pause.
            wait.lost(TransportError::Connection, now, 0.5);
        }
        if wait.is_due(now) && !self.use_admission(hub) {
            if now < self.admission_deadline {
                return self.request_admission(RequestKind::Poll, now);
            }
            let message = "A poll was not admitted within maxWait.";
            let mut failure = Failure::new(Kind::WaitTimeout, Outcome::Accepted, message);
            failure.add(GOES_ON);
            failure.retry_after = self.admission_wait;
            return HubAction::Fail(self.fail(failure, hub, now));
        }
        let Some(wait) = self.wait.as_mut() else {
            return HubAction::Forget;
        };
        match wait.next(now) {
            WaitAction::Poll(until) => {
                let path = wait.path().into();
                self.is_polling = true;
                self.not_before = now + options.poll_min;
                HubAction::SendPoll(path, Ms(until - now))
            }
            WaitAction::Sleep(until) => sleep_until(until),
            WaitAction::Fail(failure) => HubAction::Fail(self.fail(failure, hub, now)),
        }
    }

    fn is_short(&self) -> bool {
        self.request.is_short && !self.is_async_refused
    }

    /// Uses up the admission. Without a limiter, no request needs one.
    fn use_admission(&mut self, hub: HubOptions) -> bool {
        core::mem::take(&mut self.is_admitted) || !hub.has_limiter
    }

    fn request_admission(&self, kind: RequestKind, now: f64) -> HubAction {
        HubAction::RequestAdmission(kind, Ms(self.admission_deadline - now))
    }

    /// Whether a sleep is the usual one between two polls.
    pub fn is_routine(options: &Options, until: f64, now: f64) -> bool {
        Ms(until - now) <= options.poll_max + ROUTINE
    }

    /// How long a client waits before it repeats an `idle` create, if at all.
    pub fn retry_after(&self, now: f64) -> Ms {
        Ms(self.not_before - now).max(Ms::ZERO)
    }

    /// The limiter asks to wait this long, or admits the request at once.
    pub fn admission_answered(&mut self, wait: Ms, now: f64) {
        self.is_admitted = wait <= Ms::ZERO;
        self.admission_wait = wait.max(Ms::ZERO);
        if now + self.admission_wait > self.admission_deadline {
            // The limiter keeps no place for a request that it would admit too late.
            self.admission_deadline = now;
        }
        self.due = (now + self.admission_wait).min(self.admission_deadline);
    }

    /// Takes the result of the create, and the task that a header of it names. `random` lies in 0..1.
    pub fn create_answered<V: Platform>(
        &mut self,
        options: &Options,
        hub: HubOptions,
        result: Result<&Answer<V>, (TransportError, bool)>,
        named: Option<Task>,
        now: f64,
        random: f64,
    ) -> JobUpdate {
        let judge = |create: &mut Create| match &result {
            Ok(answer) => create.answer(answer, random),
            Err((error, sent)) => create.lost(*error, *sent, random),
        };
        let mut action = judge(&mut self.create);
        let mut reason = None;
        if let CreateAction::Retry(ms) = action {
            // The failure that the same answer is to the last attempt.
            let last = judge(&mut Create::new(path_of(options, self.request), 0, false));
            if now + ms >= self.admission_deadline {
                action = last;
            } else if let CreateAction::Fail(failure) = last {
                reason = Some(failure);
            }
        }
        match action {
            CreateAction::Retry(ms) => {
                self.phase = Phase::Queued;
                self.due = now + ms;
                JobUpdate::Retry(reason)
            }
            CreateAction::Done(answer) => {
                self.complete(&answer, hub, now);
                if let Some(task) = answer.task.clone().filter(|_| answer.status != Status::Completed) {
                    let pause = result.map_or(Ms::ZERO, |answer| answer.retry_after);
                    self.wait_for::<V>(task, options, Origin::Created(pause), now, random);
                }
                JobUpdate::Answered(answer)
            }
            CreateAction::Fail(failure) if self.is_short() && refuses_async(&failure, result) => {
                self.is_async_refused = true;
                self.phase = Phase::Queued;
                JobUpdate::Retry(Some(failure))
            }
            CreateAction::Fail(failure) => {
                if let Some(task) = failure.lost_task(named) {
                    self.wait_for::<V>(task, options, Origin::Created(Ms::ZERO), now, random);
                    return JobUpdate::Retry(Some(failure));
                }
                if let Some(task) = failure.task.clone() {
                    self.wait_for::<V>(task, options, Origin::Created(Ms::ZERO), now, random);
                }
                self.fall_back_or_fail(failure, options, hub, now)
            }
        }
    }

    /// Takes the result of a poll. `random` lies in 0..1.
    pub fn poll_answered<V: Platform>(
        &mut self,
        options: &Options,
        hub: HubOptions,
        result: Result<&Answer<V>, (TransportError, bool)>,
        now: f64,
        random: f64,
    ) -> JobUpdate {
        self.is_polling = false;
        let Some(wait) = &mut self.wait else {
            return JobUpdate::Retry(None);
        };
        let poll_result = match result {
            Ok(answer) => wait.answer(&options.base, answer, now, random),
            Err((error, _)) => wait.lost(error, now, random),
        };
        match poll_result {
            PollResult::Answered(answer) => {
                self.complete(&answer, hub, now);
                JobUpdate::Answered(answer)
            }
            PollResult::Again => JobUpdate::Retry(None),
            PollResult::Lost(failure) => JobUpdate::Retry(Some(failure)),
            PollResult::Fail(failure) => self.fall_back_or_fail(failure, options, hub, now),
        }
    }

    /// Takes whether all pictures are copied. `random` lies in 0..1.
    pub fn pictures_copied(&mut self, is_done: bool, hub: HubOptions, now: f64, random: f64) {
        if is_done || self.copy_attempts >= MAX_COPY_ATTEMPTS {
            self.end(Phase::Completed, hub, now);
        } else {
            self.due = now + backoff(self.copy_attempts, random);
        }
    }

    /// Resumes a suspended task, since a client asks for it; returns whether it does. For a while, and for as long as
    /// the server wants no request, the task stays suspended and its reason stands.
    pub fn resume<V: Platform>(&mut self, options: &Options, now: f64, random: f64) -> bool {
        let reason_until = (self.ended_at + options.poll_max * REASON_GAPS).max(self.not_before);
        let can_resume = self.phase == Phase::Suspended && now >= reason_until;
        let Some(task) = self.task().filter(|_| can_resume).cloned() else {
            return false;
        };
        self.wait_for::<V>(task, options, Origin::Elsewhere, now, random);
        self.due = now;
        true
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
        self.admission_deadline = now + options.max_wait + LAST_ADMISSION;
        self.admission_wait = Ms::ZERO;
        let wait = Wait::new::<V>(task, options, origin, now, random)
            // Without a poll URL that leads elsewhere, the task is polled by its id.
            .or_else(|(_, task)| Wait::new::<V>(task, options, origin, now, random));
        self.wait = wait.ok();
    }

    /// Ends the job if the answer holds the result.
    fn complete(&mut self, answer: &ParsedAnswer, hub: HubOptions, now: f64) {
        if answer.status == Status::Completed && hub.copies_pictures {
            self.phase = Phase::Copying;
        } else if answer.status == Status::Completed {
            self.end(Phase::Completed, hub, now);
        }
    }

    /// Starts again with the next model, if there is one and the last one certainly bills nothing. Otherwise ends the
    /// job.
    fn fall_back_or_fail(
        &mut self,
        failure: Box<Failure>,
        options: &Options,
        hub: HubOptions,
        now: f64,
    ) -> JobUpdate {
        if self.request.fallbacks == 0 || !failure.allows_fallback() {
            return JobUpdate::Fail(self.fail(failure, hub, now));
        }
        let fallbacks = self.request.fallbacks - 1;
        *self = Job::new(options, JobRequest { fallbacks, ..self.request }, now);
        JobUpdate::Fallback(failure)
    }

    fn fail(&mut self, failure: Box<Failure>, hub: HubOptions, now: f64) -> Box<Failure> {
        let phase = match failure.outcome {
            Outcome::Failed => Phase::Failed,
            Outcome::Unknown => Phase::Unknown,
            Outcome::Accepted => Phase::Suspended,
            Outcome::Rejected if failure.kind == Kind::InvalidRequest => Phase::Refused,
            Outcome::Rejected | Outcome::NotSent => Phase::Idle,
        };
        let mut pause = refusal::pause(failure.status, failure.retry_after);
        if failure.outcome == Outcome::Rejected && !refusal::is_temporary(&failure) {
            pause = pause.max(OPERATOR_PAUSE);
        }
        self.not_before = self.not_before.max(now + pause);
        self.end(phase, hub, now);
        failure
    }

    fn end(&mut self, phase: Phase, hub: HubOptions, now: f64) {
        self.phase = phase;
        self.ended_at = now;
        self.due = now + hub.retention.min(LONGEST_WAIT);
    }
}

fn path_of(options: &Options, request: JobRequest) -> String {
    options.base.own_path(if request.is_edit { EDIT_PATH } else { CREATE_PATH })
}

/// Whether an answer refuses the field `async`. Nothing was billed, so the same request may go without it.
fn refuses_async<V: Value>(failure: &Failure, result: Result<&Answer<V>, (TransportError, bool)>) -> bool {
    let is_refusal = failure.kind == Kind::InvalidRequest && failure.outcome == Outcome::Rejected;
    let is_named = |answer: &Answer<V>| answer.error().entries().any(|entry| entry.item(1).text() == "async");
    is_refusal && (contains(&failure.message, "async") || result.is_ok_and(is_named))
}

/// Alarms take whole milliseconds: one that fires a fraction too early would have to be set again.
fn sleep_until(time: f64) -> HubAction {
    HubAction::Sleep(time.ceil())
}
