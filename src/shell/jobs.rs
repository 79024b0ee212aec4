//! What the package does: each turn carries out decisions of the core, up to where the job has to wait.

use std::{
    mem::replace,
    task::{Context, Poll},
};

use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::{
    call::{Call, Event, error, now, random, task_to_js},
    http::{Attempt, Request},
    js, trap,
};
use crate::core::{
    CREATE_PATH, Create, CreateStep, Failure, Name, Origin, Status, Step, Task, Type, Value, Verdict, Wait,
    check_key, check_request, read_task, without_query,
};

/// What a job does: `js/client.js` knows the numbers.
const GENERATE: u8 = 0;
const GENERATE_AND_WAIT: u8 = 1;
const GET_TASK: u8 = 2;
pub const WAIT_FOR_TASK: u8 = 3;

/// Whether there is nothing to wait for.
pub fn is_completed(reference: &JsValue) -> bool {
    reference.text_of(Name::Status) == Status::Completed.name()
}

/// How a turn ends: with the result of the job, with what it rejects with, or with something to wait for.
type Turn = Result<Option<JsValue>, JsValue>;

/// What a job waits for.
enum Stage {
    /// The key of a request.
    Key,
    /// The answer to a request.
    Answer,
    /// The time to repeat a create.
    Pause,
    /// The callback that takes the task of a generation.
    Announcement(Task, JsValue),
    /// The time of the next poll.
    Gap,
    /// The poll of another call.
    Other,
}

/// A job under way.
pub struct Job {
    call: Call,
    what: u8,
    stage: Stage,
    create: Create,
    /// What judges the polls, once the task is known.
    wait: Option<Wait>,
    request: Request,
    /// Why a wait has no answer.
    cause: JsValue,
}

impl Job {
    pub fn new(call: Call, what: u8) -> Job {
        let options = &call.options;
        let path = options.base.own_path(CREATE_PATH);
        let request = Request {
            path: path.clone(),
            body: JsValue::UNDEFINED,
            idempotency_key: JsValue::UNDEFINED,
            timeout: options.create_timeout,
            number: 0,
            started: 0.0,
            controller: None,
        };
        let create = Create::new(path, options.max_retries, options.relay);
        Job { call, what, stage: Stage::Pause, create, wait: None, request, cause: JsValue::UNDEFINED }
    }

    /// Goes on as far as it can. Tells whether the job has ended.
    pub fn advance(&mut self, context: &mut Context<'_>) -> bool {
        while let Poll::Ready(event) = self.call.event(context) {
            let turn = event.and_then(|event| self.take(event));
            if self.ends(turn) {
                return true;
            }
        }
        false
    }

    /// Settles the promise of the call where a turn has ended the job.
    pub fn ends(&self, turn: Turn) -> bool {
        match turn {
            Ok(None) => return false,
            Ok(Some(value)) => self.call.host.settle(true, &value),
            Err(reason) => self.call.host.settle(false, &reason),
        }
        true
    }

    /// The first turn.
    pub fn start(&mut self, input: &JsValue) -> Turn {
        if matches!(self.what, GENERATE | GENERATE_AND_WAIT) {
            check_request(input).map_err(|failure| self.fail(failure))?;
            let body = js::stringify(input);
            self.request.body = body.get(Name::Value);
            if self.request.body.is_nothing() {
                return Err(error(&Failure::not_json(), &body));
            }
            self.request.idempotency_key = if self.call.options.makes_key {
                js::random_uuid()
            } else {
                self.call.given.get(Name::IdempotencyKey)
            };
            self.send()
        } else {
            let task = read_task(input).map_err(|failure| self.fail(failure))?;
            self.wait_for(task, false)
        }
    }

    /// The turn after something has happened.
    fn take(&mut self, event: Event) -> Turn {
        let is_late = matches!(event, Event::Timeout);
        let about = if let Event::Settled(about) = event { about } else { JsValue::UNDEFINED };
        match &self.stage {
            Stage::Key if !is_late => {
                let key = about.get(Name::Value);
                if about.flag_of(Name::IsSent).is_some() {
                    return Err(self.fail_of(Failure::key_function(), &about));
                }
                // A function that has no key at hand must not send the request without one.
                check_key(&key.text(), Name::ApiKey).map_err(|failure| self.fail(failure))?;
                self.exchange(&key)
            }
            Stage::Key | Stage::Answer => {
                if about.flag_of(Name::IsRefused).is_some() {
                    return Err(self.fail(Failure::headers()));
                }
                trap::at("answer");
                self.call.unlimit();
                if is_late {
                    self.request.hang_up();
                }
                self.request.controller = None;
                let attempt = Attempt::of(self.call.host.finish(
                    is_late,
                    without_query(&self.request.path),
                    now() - self.request.started,
                    self.request.number,
                ));
                if self.wait.is_some() { self.judge_poll(&attempt) } else { self.judge_create(&attempt) }
            }
            Stage::Pause => {
                let left = self.call.left();
                // To the end, whatever comes back to life.
                if left > 0.0 {
                    self.call.sleep(left);
                    return Ok(None);
                }
                self.send()
            }
            Stage::Announcement(..) => {
                let Stage::Announcement(task, generation) = replace(&mut self.stage, Stage::Pause) else {
                    return Ok(None);
                };
                if about.flag_of(Name::IsSent).is_some() {
                    return Err(error(&Failure::callback_failed(task), &about));
                }
                self.announced(task, generation)
            }
            Stage::Gap | Stage::Other => {
                let is_gap = matches!(self.stage, Stage::Gap);
                let news = self.call.host.news(is_late && !is_gap);
                let Some(wait) = &mut self.wait else { return Ok(None) };
                if !news.is_nothing() {
                    if is_gap {
                        wait.join();
                    }
                    return self.judge_poll(&Attempt::of(news));
                }
                if is_gap {
                    if !is_late {
                        wait.wake(now());
                    }
                    self.follow()
                } else {
                    self.poll()
                }
            }
        }
    }

    /// Sends the request, as soon as its key is there.
    fn send(&mut self) -> Turn {
        self.call.check()?;
        self.request.number += u32::from(self.wait.is_none());
        self.request.started = now();
        self.call.limit(self.request.timeout);
        let key = self.call.given.get(Name::ApiKey);
        if key.kind() != Type::Function {
            return self.exchange(&key);
        }
        self.call.wait_for(js::ask(&self.call.host, Name::ApiKey as u8, &JsValue::UNDEFINED));
        self.stage = Stage::Key;
        Ok(None)
    }

    fn exchange(&mut self, key: &JsValue) -> Turn {
        let controller = AbortController::new()?;
        self.call.wait_for(js::send(
            &self.call.host,
            &self.call.options.base.url(&self.request.path),
            self.wait.is_none(),
            &controller,
            key,
            &self.request.body,
            &self.request.idempotency_key,
        ));
        self.request.controller = Some(controller);
        self.stage = Stage::Answer;
        Ok(None)
    }

    /// Does what the core makes of an attempt at a create.
    fn judge_create(&mut self, attempt: &Attempt) -> Turn {
        let step = match &attempt.result {
            Ok(reply) => self.create.answer(reply, random()),
            Err((loss, sent)) => self.create.lost(*loss, *sent, random()),
        };
        match step {
            CreateStep::Retry(ms) => {
                self.call.sleep(ms);
                self.stage = Stage::Pause;
                Ok(None)
            }
            CreateStep::Fail(failure) => Err(error(&failure, &attempt.about)),
            CreateStep::Done(meaning) => {
                let generation = attempt.generation(&meaning);
                match meaning.task {
                    Some(task) if meaning.status != Status::Completed => self.announce(task, generation),
                    _ => Ok(Some(generation)),
                }
            }
        }
    }

    /// Hands the task to `onTask`, and waits for the callback: it is the caller's place to store it.
    fn announce(&mut self, task: Task, generation: JsValue) -> Turn {
        let reference = task_to_js(&task);
        self.call.host.set_task(&reference);
        if self.call.given.kind_of(Name::OnTask) == Type::Nothing {
            return self.announced(task, generation);
        }
        self.call.wait_for(js::ask(&self.call.host, Name::OnTask as u8, &reference));
        self.stage = Stage::Announcement(task, generation);
        Ok(None)
    }

    fn announced(&mut self, task: Task, generation: JsValue) -> Turn {
        if self.what == GENERATE { Ok(Some(generation)) } else { self.wait_for(task, true) }
    }

    /// Begins to wait for a task; `own` is one of this job's own create.
    fn wait_for(&mut self, task: Task, own: bool) -> Turn {
        let origin = if own { Origin::Created } else { Origin::Elsewhere };
        match Wait::new::<JsValue>(task, &self.call.options, origin, now(), random()) {
            Ok(mut wait) => {
                if self.is_once() {
                    wait.once(now());
                }
                self.wait = Some(wait);
            }
            Err((mut failure, task)) => {
                failure.task = Some(task);
                return Err(error(&failure, &JsValue::UNDEFINED));
            }
        }
        self.request.number = 0;
        self.request.body = JsValue::UNDEFINED;
        self.request.idempotency_key = JsValue::UNDEFINED;
        self.follow()
    }

    /// Does what is next for the task.
    fn follow(&mut self) -> Turn {
        let Some(wait) = &mut self.wait else { return Ok(None) };
        match wait.next(now()) {
            Step::Poll(path, until) => {
                self.request.path = path;
                self.request.timeout = until - now();
                self.request.number += 1;
                self.poll()
            }
            Step::Sleep(until) => {
                self.call.sleep(until - now());
                self.stage = Stage::Gap;
                Ok(None)
            }
            Step::Fail(failure) => Err(self.fail_of(failure, &js::attempt(&self.cause))),
        }
    }

    /// Sends a poll, or waits for that of another call. Who asks `once` wants to know how things stand now.
    fn poll(&mut self) -> Turn {
        let options = &self.call.options;
        let url = options.base.url(&self.request.path);
        if self.is_once() || !self.call.host.join(&url, options.relay) {
            return self.send();
        }
        self.call.sleep(self.request.timeout);
        self.stage = Stage::Other;
        Ok(None)
    }

    /// Does what the core makes of a poll.
    fn judge_poll(&mut self, attempt: &Attempt) -> Turn {
        let Some(wait) = &mut self.wait else { return Ok(None) };
        let verdict = match &attempt.result {
            Ok(reply) => wait.answer(&self.call.options.base, reply, now(), random()),
            Err((loss, _)) => wait.lost(*loss, now(), random()),
        };
        match verdict {
            Verdict::Answered(meaning) => {
                let generation = attempt.generation(&meaning);
                if !self.is_once() {
                    self.call.host.tell(Name::OnUpdate as u8, &generation);
                }
                if self.is_once() || meaning.status == Status::Completed {
                    return Ok(Some(generation));
                }
            }
            Verdict::Again => {}
            Verdict::Lost(failure) if !self.is_once() => self.cause = self.fail_of(failure, &attempt.about),
            Verdict::Lost(failure) | Verdict::Fail(failure) => {
                return Err(self.fail_of(failure, &attempt.about));
            }
        }
        self.follow()
    }

    /// Whether the job asks for a task without waiting for it.
    fn is_once(&self) -> bool {
        self.what == GET_TASK
    }

    /// What a failure rejects with.
    fn fail(&self, failure: Box<Failure>) -> JsValue {
        self.fail_of(failure, &JsValue::UNDEFINED)
    }

    /// What a failure that an attempt led to rejects with. The task of a wait goes on in spite of it.
    fn fail_of(&self, mut failure: Box<Failure>, about: &JsValue) -> JsValue {
        if let Some(wait) = &self.wait {
            failure.leave_task();
            failure.task = Some(wait.task.clone());
        }
        error(&failure, about)
    }
}
