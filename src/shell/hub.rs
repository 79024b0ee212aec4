//! The hub's shell: carries plain data between a Durable Object and the core. It keeps nothing of a job, since an
//! object may be gone at any moment; what it keeps of a fleet forms anew.
//!
//! Built with the feature `hub` alone, as a module of its own: `js/cloudflare/core.js` uses it.

use std::{cell::RefCell, collections::BTreeMap};

use js_sys::{Array, Reflect};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;

use super::{
    call::{error, random},
    http::Attempt,
};
use crate::core::{
    Act, Environment, Failure, Fleet, Job, Need, Options, Phase, Ruling, Terms, check_request, slow_ms,
};

thread_local! {
    /// By the names of their objects.
    static FLEETS: RefCell<BTreeMap<String, Fleet>> = const { RefCell::new(BTreeMap::new()) };
}

type Thrown<T> = Result<T, JsValue>;

fn read_options(options: &JsValue) -> Thrown<Options> {
    Options::read(options, Environment { browser: false })
        .map_err(|failure| error(&failure, &JsValue::UNDEFINED))
}

fn read_terms(options: &JsValue) -> Terms {
    let field = |name: &str| Reflect::get(options, &name.into()).unwrap_or_default();
    Terms {
        limited: field("limited").is_truthy(),
        keeps: field("keeps").is_truthy(),
        retention: field("retention").as_f64().unwrap_or_default(),
    }
}

/// What a job has come to, as an error. Its task goes on in spite of it.
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
fn said(job: &Job, what: &str, first: &JsValue, second: &JsValue) -> Thrown<JsValue> {
    Ok(Array::of4(&save(job)?, &what.into(), first, second).into())
}

/// A job that has not sent its create. It throws where the request or the options cannot be used.
#[wasm_bindgen]
pub fn begin(options: &JsValue, request: &JsValue, now: f64) -> Thrown<JsValue> {
    let read = read_options(options)?;
    check_request(request).map_err(|failure| error(&failure, &JsValue::UNDEFINED))?;
    save(&Job::new(&read, now))
}

/// What to do at `now`: `[job, act, first, second]`.
#[wasm_bindgen]
pub fn next(job: JsValue, options: &JsValue, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    let read = read_options(options)?;
    let nothing = JsValue::UNDEFINED;
    match job.next(&read, read_terms(options), now) {
        Act::Ask(need) => said(&job, "ask", &save(&need)?, &nothing),
        Act::Send(path, timeout) => said(&job, "send", &read.base.url(&path).into(), &timeout.into()),
        Act::Poll(path, timeout) => said(&job, "poll", &read.base.url(&path).into(), &timeout.into()),
        Act::Keep => said(&job, "keep", &nothing, &nothing),
        Act::Sleep(until) => said(&job, "sleep", &until.into(), &nothing),
        Act::Fail(failure) => said(&job, "fail", &fail(&job, failure, &nothing), &nothing),
        Act::Forget => said(&job, "forget", &nothing, &nothing),
    }
}

/// Takes what the limiter says.
#[wasm_bindgen]
pub fn turn(job: JsValue, wait_ms: f64, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    job.turn(wait_ms, now);
    save(&job)
}

/// Judges what came of a create or a poll: `[job, ruling, generation or error, slow]`, where `slow` is how long the
/// whole fleet has to wait.
#[wasm_bindgen]
pub fn judge(job: JsValue, options: &JsValue, about: JsValue, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    let read = read_options(options)?;
    let terms = read_terms(options);
    let attempt = Attempt::of(about);
    let result = attempt.result.as_ref().map_err(|lost| *lost);
    let slow = result.map_or(0.0, slow_ms).into();
    let ruling = if job.phase == Phase::Sending {
        job.sent(&read, terms, result, now, random())
    } else {
        job.polled(&read, terms, result, now, random())
    };
    match ruling {
        Ruling::Answered(meaning) => said(&job, "answered", &attempt.generation(&meaning), &slow),
        Ruling::Again => said(&job, "again", &JsValue::UNDEFINED, &slow),
        Ruling::Fail(failure) => said(&job, "fail", &fail(&job, failure, &attempt.value), &slow),
    }
}

/// Takes whether the pictures have been copied.
#[wasm_bindgen]
pub fn kept(job: JsValue, options: &JsValue, done: bool, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    job.kept(done, read_terms(options), now, random());
    save(&job)
}

/// Somebody asks for the task: the job, where it has to be carried on for that; otherwise nothing.
#[wasm_bindgen]
pub fn resume(job: JsValue, options: &JsValue, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    if job.resume::<JsValue>(&read_options(options)?, now, random()) {
        save(&job)
    } else {
        Ok(JsValue::UNDEFINED)
    }
}

/// Begins a fleet, in place of one of that name whose object is gone.
#[wasm_bindgen]
pub fn muster(name: String, per_minute: f64, now: f64) {
    FLEETS.with_borrow_mut(|fleets| fleets.insert(name, Fleet::new(per_minute, now)));
}

/// How long the job can wait for its turn, in milliseconds.
#[wasm_bindgen]
pub fn patience(job: JsValue, now: f64) -> Thrown<f64> {
    Ok(load::<Job>(job)?.patience(now))
}

/// Asks for a turn that is of use within so many milliseconds: `{wait_ms, position, length}`.
#[wasm_bindgen]
pub fn ask(
    name: &str,
    ticket: &str,
    identity: &str,
    need: JsValue,
    patience_ms: f64,
    now: f64,
) -> Thrown<JsValue> {
    let need: Need = load(need)?;
    FLEETS.with_borrow_mut(|fleets| match fleets.get_mut(name) {
        Some(fleet) => save(&fleet.ask_within(ticket, identity, need, patience_ms, now)),
        None => Ok(JsValue::UNDEFINED),
    })
}

/// The provider has refused a request: nobody sends any for so many milliseconds.
#[wasm_bindgen]
pub fn slow(name: &str, ms: f64, now: f64) {
    FLEETS.with_borrow_mut(|fleets| {
        if let Some(fleet) = fleets.get_mut(name) {
            fleet.slow(ms, now);
        }
    });
}
