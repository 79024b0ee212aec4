//! The hub's shell: carries plain data between a Durable Object and the core. It keeps nothing of a job, since an
//! object may be gone at any moment; what it keeps of a limiter forms anew.
//!
//! Built with the feature `hub` alone, as a module of its own: `js/cloudflare/core.js` uses it.

use std::{cell::RefCell, collections::BTreeMap};

use js_sys::{Array, Math::random, Reflect};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;

use super::error::error;
use crate::core::{
    Attempt, Environment, Failure, HubAction, HubOptions, Job, JobUpdate, Limiter, Options, Pauses, Phase,
    RequestKind, check_request, names_model, pause_asked_ms,
};

thread_local! {
    /// By the names of their objects.
    static LIMITERS: RefCell<BTreeMap<String, Limiter>> = const { RefCell::new(BTreeMap::new()) };
}

type Thrown<T> = Result<T, JsValue>;

fn read_options(options: &JsValue) -> Thrown<Options> {
    Options::read(options, Environment { browser: false })
        .map_err(|failure| error(&failure, &JsValue::UNDEFINED))
}

fn read_terms(options: &JsValue) -> HubOptions {
    let field = |name: &str| Reflect::get(options, &name.into()).unwrap_or_default();
    HubOptions {
        limited: field("limited").is_truthy(),
        keeps: field("keeps").is_truthy(),
        retention: field("retention").as_f64().unwrap_or_default(),
    }
}

/// A job's failure as an error, with the job's task.
fn fail(job: &Job, mut failure: Box<Failure>, about: &JsValue) -> JsValue {
    if let Some(task) = job.task() {
        failure.leave_task();
        failure.task = Some(task.clone());
    }
    error(&failure, about)
}

fn load<T: DeserializeOwned>(state: JsValue) -> Thrown<T> {
    serde_wasm_bindgen::from_value(state).map_err(JsValue::from)
}

fn save<T: Serialize>(value: &T) -> Thrown<JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(JsValue::from)
}

/// The job as it is now, what to do or what came of it, and two values that belong to that.
fn reply(job: &Job, what: &str, first: &JsValue, second: &JsValue) -> Thrown<JsValue> {
    Ok(Array::of4(&save(job)?, &what.into(), first, second).into())
}

/// A stored job as this version stores it; nothing where this version cannot read it.
#[wasm_bindgen]
pub fn migrate(job: JsValue, has_result: bool) -> Thrown<JsValue> {
    match load::<Job>(job).ok().and_then(|job| job.migrated(has_result)) {
        Some(job) => save(&job),
        None => Ok(JsValue::UNDEFINED),
    }
}

/// Whether an ended job has been kept for as long as it has to be.
#[wasm_bindgen]
pub fn expired(job: JsValue, now: f64) -> Thrown<bool> {
    Ok(load::<Job>(job)?.is_expired(now))
}

/// A job that has not sent its create. It throws where the request or the options cannot be used.
#[wasm_bindgen]
pub fn begin(options: &JsValue, request: &JsValue, now: f64) -> Thrown<JsValue> {
    let read = read_options(options)?;
    check_request(request).map_err(|failure| error(&failure, &JsValue::UNDEFINED))?;
    save(&Job::new(&read, now))
}

/// What to do at `now`: `[job, act, first, second]`. A sleep comes with its end and whether it is routine.
#[wasm_bindgen]
pub fn next(job: JsValue, options: &JsValue, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    let read = read_options(options)?;
    let nothing = JsValue::UNDEFINED;
    match job.next(&read, read_terms(options), now) {
        HubAction::Ask(need) => reply(&job, "ask", &save(&need)?, &nothing),
        HubAction::Send(path, timeout) => reply(&job, "send", &read.base.url(&path).into(), &timeout.into()),
        HubAction::Poll(path, timeout) => reply(&job, "poll", &read.base.url(&path).into(), &timeout.into()),
        HubAction::Keep => reply(&job, "keep", &nothing, &nothing),
        HubAction::Sleep(until) => {
            reply(&job, "sleep", &until.into(), &Job::is_routine(&read, until, now).into())
        }
        HubAction::Fail(failure) => reply(&job, "fail", &fail(&job, failure, &nothing), &nothing),
        HubAction::Forget => reply(&job, "forget", &nothing, &nothing),
    }
}

/// Takes what the limiter says.
#[wasm_bindgen]
pub fn turn(job: JsValue, wait_ms: f64, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    job.turn(wait_ms, now);
    save(&job)
}

/// Judges what came of a create or a poll: `[job, ruling, generation or error, pause]`. The pause is how long the
/// whole limiter has to wait in milliseconds, or all creates of the model, where the answer refuses that:
/// `{ms, of_model}`.
#[wasm_bindgen]
pub fn judge(job: JsValue, options: &JsValue, about: JsValue, model: &str, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    let read = read_options(options)?;
    let terms = read_terms(options);
    let attempt = Attempt::of(about);
    let result = attempt.result.as_ref().map_err(|lost| *lost);
    let ms = result.map_or(0.0, pause_asked_ms);
    let of_model = result.is_ok_and(|reply| names_model(reply, model));
    let pause = if ms > 0.0 { save(&Pause { ms, of_model })? } else { JsValue::UNDEFINED };
    let ruling = if job.phase == Phase::Sending {
        job.sent(&read, terms, result, now, random())
    } else {
        job.polled(&read, terms, result, now, random())
    };
    match ruling {
        JobUpdate::Answered(meaning) => reply(&job, "answered", &meaning.generation(&attempt.value), &pause),
        JobUpdate::Again(failure) => {
            let failure = failure.map_or(JsValue::UNDEFINED, |failure| fail(&job, failure, &attempt.value));
            reply(&job, "again", &failure, &pause)
        }
        JobUpdate::Fail(failure) => reply(&job, "fail", &fail(&job, failure, &attempt.value), &pause),
    }
}

/// How long an answer asks others to wait.
#[derive(Serialize)]
struct Pause {
    ms: f64,
    /// Whether it is for creates of its model alone.
    of_model: bool,
}

/// For how many milliseconds a client that repeats an idle create has to wait.
#[wasm_bindgen]
pub fn pause_ms(job: JsValue, now: f64) -> Thrown<f64> {
    Ok(load::<Job>(job)?.pause_ms(now))
}

/// Takes whether the pictures have been copied.
#[wasm_bindgen]
pub fn kept(job: JsValue, options: &JsValue, done: bool, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    job.kept(done, read_terms(options), now, random());
    save(&job)
}

/// A client asks for the task: the job, where that carries it on; otherwise nothing.
#[wasm_bindgen]
pub fn resume(job: JsValue, options: &JsValue, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    if job.resume::<JsValue>(&read_options(options)?, now, random()) {
        save(&job)
    } else {
        Ok(JsValue::UNDEFINED)
    }
}

/// Begins a limiter, in place of one of that name whose object is gone: with the pauses of that one, or `undefined`.
#[wasm_bindgen]
pub fn muster(name: String, per_minute: f64, pauses: JsValue, now: f64) {
    // Pauses that cannot be read are not worth an object that never starts.
    let pauses: Pauses = load(pauses).unwrap_or_default();
    let limiter = Limiter::with_pauses(per_minute, pauses, now);
    LIMITERS.with_borrow_mut(|limiters| limiters.insert(name, limiter));
}

/// How long the job can wait for its turn, in milliseconds.
#[wasm_bindgen]
pub fn patience(job: JsValue, now: f64) -> Thrown<f64> {
    Ok(load::<Job>(job)?.patience(now))
}

/// Asks for a turn that is of use within so many milliseconds: `{wait_ms, position, length}`; nothing where there is
/// no such limiter.
#[wasm_bindgen]
pub fn ask(
    name: &str,
    ticket: &str,
    identity: &str,
    need: JsValue,
    patience_ms: f64,
    model: &str,
    now: f64,
) -> Thrown<JsValue> {
    let need: RequestKind = load(need)?;
    LIMITERS.with_borrow_mut(|limiters| match limiters.get_mut(name) {
        Some(limiter) => save(&limiter.ask_for(model, ticket, identity, need, patience_ms, now)),
        None => Ok(JsValue::UNDEFINED),
    })
}

/// The provider has refused a request: nobody sends any for so many milliseconds, or none of the model, where it is
/// not empty. Returns the pauses to store; nothing where there is no such limiter.
#[wasm_bindgen]
pub fn slow(name: &str, ms: f64, model: &str, now: f64) -> Thrown<JsValue> {
    LIMITERS.with_borrow_mut(|limiters| match limiters.get_mut(name) {
        Some(limiter) => {
            if model.is_empty() {
                limiter.pause_all(ms, now);
            } else {
                limiter.pause_model(model, ms, now);
            }
            save(&limiter.pauses())
        }
        None => Ok(JsValue::UNDEFINED),
    })
}
