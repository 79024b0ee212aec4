//! What the package does: each turn carries out decisions of the core, up to where the job has to wait.
//!
//! Settling is the first act of an end. Nothing enters the module from inside: every turn begins in a microtask or a
//! timer of its own.

use std::mem::replace;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::{
    call::{Call, Event, error, now, random, task_to_js},
    http::Attempt,
    js, trap,
};
use crate::core::{
    CREATE_PATH, Create, CreateAction, Failure, Name, Origin, Outcome, PollResult, Status, Task,
    TransportError, Type, Value, Wait, WaitAction, check_key, check_request, read_task, without_query,
};

/// What a job does: `js/client/client.js` knows the numbers.
const GENERATE: u8 = 0;
const GENERATE_AND_WAIT: u8 = 1;
const GET_TASK: u8 = 2;
pub const WAIT_FOR_TASK: u8 = 3;

/// What a job waits for beside work of its own: `js/client/call.js` and `js/client/poll-sharing.js` know the numbers.
const GAP: u8 = 0;
const STREAM: u8 = 2;
const PAUSE: u8 = 3;

/// Whether there is nothing to wait for.
pub fn is_completed(reference: &JsValue) -> bool {
    reference.text_of(Name::Status) == Status::Completed.name()
}

/// Whether a turn has ended the job, and settled the promise of its call. Otherwise there is something to wait for.
type Turn = bool;

/// What a job waits for.
enum Stage {
    /// Key and headers of a request.
    Credentials,
    /// The answer to a request.
    Answer,
    /// The time to repeat a create.
    Pause,
    /// The callback that takes the task of a generation.
    Announcement(Task, JsValue),
    /// The time of the next poll.
    Gap,
    /// The poll of another call, or its stream.
    Shared(u8),
}

/// The request at hand.
struct Request {
    /// Below the base URL's origin.
    path: String,
    /// When it has to have an answer.
    until: f64,
    /// Counts the attempts of a create, or the polls of a wait, from 1.
    number: u32,
    started: f64,
    /// Ends its fetch, while that is under way.
    fetch: Option<AbortController>,
}

impl Drop for Job {
    /// Ends a fetch that nothing waits for any more.
    fn drop(&mut self) {
        if let Some(fetch) = &self.request.fetch {
            fetch.abort();
        }
    }
}

/// A job under way.
pub struct Job {
    call: Call,
    command: u8,
    stage: Stage,
    create: Create,
    /// What judges the polls, once the task is known.
    wait: Option<Wait>,
    request: Request,
    /// Why a wait has no answer.
    cause: JsValue,
}

impl Job {
    pub fn new(call: Call, command: u8) -> Job {
        let options = &call.options;
        let path = options.base.own_path(CREATE_PATH);
        let create = Create::new(path.clone(), options.max_retries, options.relay);
        let request = Request { path, until: 0.0, number: 0, started: 0.0, fetch: None };
        Job { call, command, stage: Stage::Pause, create, wait: None, request, cause: JsValue::UNDEFINED }
    }

    /// Goes on after something has woken the job.
    pub fn advance(&mut self) -> Turn {
        match self.call.event() {
            Some(event) => self.handle(event),
            None => self.call.ends_by_abort(),
        }
    }

    /// Ends the job with its result.
    fn done(&self, value: &JsValue) -> Turn {
        self.call.settle(true, value)
    }

    /// Ends the job with a failure that an attempt led to.
    fn fail_by(&self, failure: Box<Failure>, attempt: &JsValue) -> Turn {
        self.call.settle(false, &self.error(failure, attempt))
    }

    /// Ends the job with a failure.
    fn fail(&self, failure: Box<Failure>) -> Turn {
        self.fail_by(failure, &JsValue::UNDEFINED)
    }

    /// The first turn.
    pub fn start(&mut self, input: &JsValue) -> Turn {
        if matches!(self.command, GENERATE | GENERATE_AND_WAIT) {
            if let Err(failure) = check_request(input) {
                return self.fail(failure);
            }
            let body = self.call.host.get(Name::Body);
            if body.kind_of(Name::Value) == Type::Nothing {
                return self.fail_by(Failure::not_json(), &body);
            }
            self.send_create()
        } else {
            let task = match read_task(input) {
                Ok(task) => task,
                Err(failure) => return self.fail(failure),
            };
            let age = self.call.host.number_of(Name::Age);
            let origin = if age >= 0.0 { Origin::Generated(now() - age) } else { Origin::Elsewhere };
            self.wait_for(task, origin)
        }
    }

    /// The turn after something has happened.
    fn handle(&mut self, event: Event) -> Turn {
        match (&self.stage, event) {
            (Stage::Credentials, Event::Settled(credentials)) => {
                if credentials.flag_of(Name::IsSent).is_some() {
                    return self.fail_by(Failure::key_function(), &credentials);
                }
                // A function that has no key at hand must not send the request without one.
                if self.call.given.kind_of(Name::ApiKey) == Type::Function {
                    let key = credentials.get(Name::Value);
                    let key = if key.is_filled() { key.text() } else { String::new() };
                    if let Err(failure) = check_key(&key, Name::ApiKey) {
                        return self.fail(failure);
                    }
                }
                if credentials.flag_of(Name::IsRefused).is_some() {
                    return self.fail(Failure::headers());
                }
                self.exchange()
            }
            (Stage::Answer, Event::Settled(_)) => self.finish(false),
            (Stage::Credentials | Stage::Answer, Event::Timeout) => self.finish(true),
            (Stage::Pause, Event::Timeout) => self.send_create(),
            (Stage::Announcement(..), event) => {
                let Stage::Announcement(task, generation) = replace(&mut self.stage, Stage::Pause) else {
                    return false;
                };
                let (failure, value) = match event {
                    Event::Settled(value) if value.flag_of(Name::IsSent).is_none() => {
                        return self.announced(task, &generation);
                    }
                    Event::Settled(value) => (Failure::callback_failed(task), value),
                    _ => (Failure::callback_late(task), JsValue::UNDEFINED),
                };
                self.fail_by(failure, &value)
            }
            (Stage::Gap, Event::Settled(value)) => {
                if let Some(wait) = &mut self.wait {
                    wait.join();
                }
                self.judge_poll(&Attempt::of(value))
            }
            (Stage::Gap, event) => {
                if let (Some(wait), Event::Woken) = (&mut self.wait, event) {
                    wait.wake(now());
                }
                self.follow()
            }
            (Stage::Shared(_), Event::Settled(value)) => self.judge_poll(&Attempt::of(value)),
            (Stage::Shared(kind), Event::Timeout) if *kind != STREAM || !self.is_silent() => {
                let attempt = Attempt {
                    result: Err((TransportError::Timeout, true)),
                    value: js::attempt(&JsValue::UNDEFINED),
                };
                self.judge_poll(&attempt)
            }
            // The other call has given up, or its stream is silent.
            (Stage::Shared(_), _) => self.send(),
            (_, Event::Woken) | (Stage::Pause, _) => false,
        }
    }

    /// Waits for a promise of the host's, until some time at most. The caller may have aborted in the meantime.
    fn wait_until(&mut self, stage: Stage, promise: Promise, until: f64) -> Turn {
        self.stage = stage;
        self.call.wait_for(promise, until);
        self.call.ends_by_abort()
    }

    /// Sleeps until some time, unless something of a `kind` ends it before.
    fn sleep_until(&mut self, stage: Stage, kind: u8, until: f64) -> Turn {
        self.stage = stage;
        self.call.sleep(kind, until);
        self.call.ends_by_abort()
    }

    fn send_create(&mut self) -> Turn {
        self.request.number += 1;
        self.request.until = now() + self.call.options.create_timeout;
        self.send()
    }

    /// Prepares a request.
    fn send(&mut self) -> Turn {
        if self.call.ends_by_abort() {
            return true;
        }
        self.request.started = now();
        let credentials = self.call.host.prepare();
        self.wait_until(Stage::Credentials, credentials, self.request.until)
    }

    /// Sends a request, or waits for that of another call. `getTask` is to tell how things stand now.
    fn exchange(&mut self) -> Turn {
        let options = &self.call.options;
        let url = options.base.url(&self.request.path);
        let extra = if let Some(wait) = self.wait.as_ref().filter(|_| !self.is_once()) {
            let kind = self.call.host.join(&url, self.is_silent());
            if kind > 0 {
                let until = if kind == STREAM {
                    self.request.until.min(wait.silent_at())
                } else {
                    self.request.until
                };
                return self.sleep_until(Stage::Shared(kind), kind, until);
            }
            options.relay
        } else {
            self.wait.is_none() && options.makes_key
        };
        let controller = AbortController::new().expect("a controller");
        let answer = self.call.host.send(&url, self.wait.is_none(), &controller, extra);
        self.request.fetch = Some(controller);
        self.wait_until(Stage::Answer, answer, self.request.until)
    }

    /// Does what the core makes of the attempt that has ended.
    fn finish(&mut self, is_late: bool) -> Turn {
        trap::at("answer");
        if let Some(fetch) = self.request.fetch.take()
            && is_late
        {
            fetch.abort();
        }
        let attempt = Attempt::of(self.call.host.finish(
            is_late,
            without_query(&self.request.path),
            now() - self.request.started,
            self.request.number,
        ));
        if self.wait.is_some() { self.judge_poll(&attempt) } else { self.judge_create(&attempt) }
    }

    /// Does what the core makes of an attempt at a create.
    fn judge_create(&mut self, attempt: &Attempt) -> Turn {
        let step = match &attempt.result {
            Ok(reply) => self.create.answer(reply, random()),
            Err((loss, sent)) => self.create.lost(*loss, *sent, random()),
        };
        match step {
            CreateAction::Retry(ms) => self.sleep_until(Stage::Pause, PAUSE, now() + ms),
            CreateAction::Fail(failure) => self.fail_by(failure, &attempt.value),
            CreateAction::Done(meaning) => {
                let generation = attempt.generation(&meaning);
                match meaning.task {
                    Some(task) if meaning.status != Status::Completed => self.announce(task, generation),
                    _ => self.done(&generation),
                }
            }
        }
    }

    /// Hands the task to `onTask`, and waits for the callback: it is the caller's place to store it.
    fn announce(&mut self, task: Task, generation: JsValue) -> Turn {
        let reference = task_to_js(&task);
        self.call.host.set_task(&reference);
        if self.call.given.kind_of(Name::OnTask) == Type::Nothing {
            return self.announced(task, &generation);
        }
        let taken = self.call.host.announce(&reference);
        let until = self.call.options.announce_until(now());
        self.wait_until(Stage::Announcement(task, generation), taken, until)
    }

    fn announced(&mut self, task: Task, generation: &JsValue) -> Turn {
        if self.command == GENERATE { self.done(generation) } else { self.wait_for(task, Origin::Created) }
    }

    /// Begins to wait for a task.
    fn wait_for(&mut self, task: Task, origin: Origin) -> Turn {
        match Wait::new::<JsValue>(task, &self.call.options, origin, now(), random()) {
            Ok(mut wait) => {
                if self.is_once() {
                    wait.once(now());
                }
                self.wait = Some(wait);
            }
            Err((mut failure, task)) => {
                failure.task = Some(task);
                return self.fail(failure);
            }
        }
        self.request.number = 0;
        self.follow()
    }

    /// Does what is next for the task.
    fn follow(&mut self) -> Turn {
        let Some(wait) = &mut self.wait else { return false };
        match wait.next(now()) {
            WaitAction::Poll(path, until) => {
                self.request.path = path;
                self.request.until = until;
                self.request.number += 1;
                self.send()
            }
            WaitAction::Sleep(until) => self.sleep_until(Stage::Gap, GAP, until),
            WaitAction::Fail(failure) => self.fail_by(failure, &js::attempt(&self.cause)),
        }
    }

    /// Does what the core makes of a poll.
    fn judge_poll(&mut self, attempt: &Attempt) -> Turn {
        let is_once = self.is_once();
        let Some(wait) = &mut self.wait else { return false };
        let verdict = match &attempt.result {
            Ok(reply) => wait.answer(&self.call.options.base, reply, now(), random()),
            Err((loss, _)) => wait.lost(*loss, now(), random()),
        };
        let next_poll_ms = wait.due().map_or(-1.0, |due| due - now());
        match verdict {
            PollResult::Answered(meaning) => {
                let generation = attempt.generation(&meaning);
                let is_over = meaning.status == Status::Completed;
                if is_once {
                    return self.done(&generation);
                }
                self.call.host.update(&generation, if is_over { -1.0 } else { next_poll_ms });
                if is_over {
                    return self.done(&generation);
                }
            }
            PollResult::Again => {}
            PollResult::Lost(failure) => self.cause = self.error(failure, &attempt.value),
            PollResult::Fail(failure) => {
                if failure.outcome == Outcome::Failed && !is_once {
                    self.call.host.update(&attempt.failed(&wait.task), -1.0);
                }
                return self.fail_by(failure, &attempt.value);
            }
        }
        self.follow()
    }

    /// Whether the job asks for a task without waiting for it.
    fn is_once(&self) -> bool {
        self.command == GET_TASK
    }

    /// Whether a stream that answers this wait has been silent for too long.
    fn is_silent(&self) -> bool {
        self.wait.as_ref().is_some_and(|wait| now() >= wait.silent_at())
    }

    /// The error of a failure that an attempt led to. The task of a wait goes on in spite of it.
    fn error(&self, mut failure: Box<Failure>, attempt: &JsValue) -> JsValue {
        if let Some(wait) = &self.wait {
            failure.leave_task();
            failure.task = Some(wait.task.clone());
        }
        error(&failure, attempt)
    }
}
