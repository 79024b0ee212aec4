//! The hub's shell: carries plain data between a Durable Object and the core. It keeps no job, since an object may be
//! gone at any moment. It keeps limiters, whose state forms again.
//!
//! Built with the feature `hub` alone, as a module of its own, which `js/cloudflare/core.js` uses. An action or an
//! update is an object whose `type` names it.

use std::{cell::RefCell, collections::BTreeMap};

use js_sys::{Math::random, Reflect};
use serde::{Serialize, de::DeserializeOwned};
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

use super::{error::error, value::Js};
use crate::core::{
    AdmissionRequest, Attempt, Environment, Failure, HubAction, HubOptions, Job, JobRequest, JobUpdate,
    Limiter, Ms, Options, Pauses, Phase, RateLimit, RequestKind, Task, check_request,
};

thread_local! {
    /// By the names of their objects.
    static LIMITERS: RefCell<BTreeMap<String, Limiter>> = const { RefCell::new(BTreeMap::new()) };
}

type Thrown<T> = Result<T, JsValue>;

/// The job to store, and what to do next.
#[derive(Serialize)]
struct NextAction {
    job: Job,
    action: Action,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Action {
    RequestAdmission {
        kind: RequestKind,
        timeout_ms: Ms,
    },
    SendCreate {
        url: String,
        timeout_ms: Ms,
        is_short: bool,
    },
    SendPoll {
        url: String,
        timeout_ms: Ms,
    },
    CopyPictures,
    Sleep {
        until: f64,
        is_routine: bool,
    },
    Fail {
        #[serde(with = "preserve")]
        error: JsValue,
    },
    Forget,
}

/// The job to store, and the effect of an attempt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptResult {
    job: Job,
    update: Update,
    rate_limit: Option<SharedPause>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Update {
    Answered {
        #[serde(with = "preserve")]
        generation: JsValue,
    },
    Retry {
        #[serde(with = "preserve")]
        error: JsValue,
    },
    Fallback {
        #[serde(with = "preserve")]
        error: JsValue,
    },
    Fail {
        #[serde(with = "preserve")]
        error: JsValue,
    },
}

/// The pause that a 429 asks of all tasks of the key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SharedPause {
    pause_ms: Ms,
    /// Whether it is for creates of the task's model alone.
    is_model_specific: bool,
}

fn read_options(options: &JsValue) -> Thrown<Options> {
    Options::read(&Js::from(options.clone()), Environment { browser: false })
        .map_err(|failure| error(&failure, &JsValue::UNDEFINED))
}

fn read_hub_options(options: &JsValue) -> HubOptions {
    let field = |name: &str| Reflect::get(options, &name.into()).unwrap_or_default();
    HubOptions {
        has_limiter: field("limiter").is_truthy(),
        copies_pictures: field("pictures").is_truthy(),
        retention: Ms(field("retention").as_f64().unwrap_or_default()),
    }
}

/// A job's failure as an error, with the job's task.
fn job_error(job: &Job, mut failure: Box<Failure>, attempt: &JsValue) -> JsValue {
    if let Some(task) = job.task() {
        failure.leave_task();
        failure.task = Some(task.clone());
    }
    error(&failure, attempt)
}

fn load<T: DeserializeOwned>(value: JsValue) -> Thrown<T> {
    serde_wasm_bindgen::from_value(value).map_err(JsValue::from)
}

fn save<T: Serialize>(value: &T) -> Thrown<JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(JsValue::from)
}

/// A stored job as this version stores it; `undefined` if this version cannot read it.
#[wasm_bindgen(js_name = migrateJob)]
pub fn migrate_job(job: JsValue) -> Thrown<JsValue> {
    match load::<Job>(job).ok().and_then(Job::migrated) {
        Some(job) => save(&job),
        None => Ok(JsValue::UNDEFINED),
    }
}

/// Whether an ended job has been kept for its retention.
#[wasm_bindgen(js_name = isExpired)]
pub fn is_expired(job: JsValue, now: f64) -> Thrown<bool> {
    Ok(load::<Job>(job)?.is_expired(now))
}

/// A job that has not sent its create; `job_request` is a [`JobRequest`]. It throws if the request or the options are
/// invalid.
#[wasm_bindgen(js_name = createJob)]
pub fn create_job(options: &JsValue, request: &JsValue, job_request: JsValue, now: f64) -> Thrown<JsValue> {
    let read = read_options(options)?;
    check_request(&Js::from(request.clone())).map_err(|failure| error(&failure, &JsValue::UNDEFINED))?;
    save(&Job::new(&read, load::<JobRequest>(job_request)?, now))
}

/// Whether the request of a job may still have to be sent.
#[wasm_bindgen(js_name = needsRequest)]
pub fn needs_request(job: JsValue) -> Thrown<bool> {
    Ok(load::<Job>(job)?.needs_request())
}

/// What to do at `now`, as a [`NextAction`].
#[wasm_bindgen(js_name = nextAction)]
pub fn next_action(job: JsValue, options: &JsValue, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    let read = read_options(options)?;
    let url = |path: &str| read.base.url(path);
    let action = match job.next(&read, read_hub_options(options), now) {
        HubAction::RequestAdmission(kind, timeout_ms) => Action::RequestAdmission { kind, timeout_ms },
        HubAction::SendCreate { path, timeout, is_short } => {
            Action::SendCreate { url: url(&path), timeout_ms: timeout, is_short }
        }
        HubAction::SendPoll(path, timeout_ms) => Action::SendPoll { url: url(&path), timeout_ms },
        HubAction::CopyPictures => Action::CopyPictures,
        HubAction::Sleep(until) => Action::Sleep { until, is_routine: Job::is_routine(&read, until, now) },
        HubAction::Fail(failure) => Action::Fail { error: job_error(&job, failure, &JsValue::UNDEFINED) },
        HubAction::Forget => Action::Forget,
    };
    save(&NextAction { job, action })
}

/// The limiter's answer: the job to store.
#[wasm_bindgen(js_name = admissionAnswered)]
pub fn admission_answered(job: JsValue, wait_ms: f64, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    job.admission_answered(Ms(wait_ms), now);
    save(&job)
}

/// The result of a create or a poll, as an [`AttemptResult`].
#[wasm_bindgen(js_name = attemptEnded)]
pub fn attempt_ended(
    job: JsValue,
    options: &JsValue,
    attempt: JsValue,
    model: &str,
    now: f64,
) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    let read = read_options(options)?;
    let hub = read_hub_options(options);
    let attempt = Attempt::of(Js::from(attempt));
    let result = attempt.result.as_ref().map_err(|lost| *lost);
    let rate_limit = result
        .ok()
        .and_then(|answer| RateLimit::of(answer, model))
        .map(|RateLimit { pause, is_model_specific }| SharedPause { pause_ms: pause, is_model_specific });
    let update = if job.phase == Phase::Sending {
        job.create_answered(&read, hub, result, Task::of(&attempt.value), now, random())
    } else {
        job.poll_answered(&read, hub, result, now, random())
    };
    let error = |failure| job_error(&job, failure, &attempt.value);
    let update = match update {
        JobUpdate::Answered(answer) => {
            Update::Answered { generation: answer.generation(&attempt.value).into() }
        }
        JobUpdate::Retry(failure) => Update::Retry { error: failure.map_or(JsValue::UNDEFINED, error) },
        JobUpdate::Fallback(failure) => Update::Fallback { error: error(failure) },
        JobUpdate::Fail(failure) => Update::Fail { error: error(failure) },
    };
    save(&AttemptResult { job, update, rate_limit })
}

/// How long a client waits before it repeats an idle create, in milliseconds.
#[wasm_bindgen(js_name = retryAfterMs)]
pub fn retry_after_ms(job: JsValue, now: f64) -> Thrown<f64> {
    Ok(load::<Job>(job)?.retry_after(now).0)
}

/// Whether all pictures are copied: the job to store.
#[wasm_bindgen(js_name = picturesCopied)]
pub fn pictures_copied(job: JsValue, options: &JsValue, is_done: bool, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    job.pictures_copied(is_done, read_hub_options(options), now, random());
    save(&job)
}

/// A client asks for the task: the job to store if that resumes it, otherwise `undefined`.
#[wasm_bindgen(js_name = resumeJob)]
pub fn resume_job(job: JsValue, options: &JsValue, now: f64) -> Thrown<JsValue> {
    let mut job: Job = load(job)?;
    if job.resume::<Js>(&read_options(options)?, now, random()) { save(&job) } else { Ok(JsValue::UNDEFINED) }
}

/// Starts a limiter with the pauses of the last one, or with `undefined`. It replaces one of the same name, whose
/// object is gone.
#[wasm_bindgen(js_name = startLimiter)]
pub fn start_limiter(name: String, per_minute: f64, pauses: JsValue, now: f64) {
    // Unreadable pauses must not keep the object from starting.
    let pauses: Pauses = load(pauses).unwrap_or_default();
    let limiter = Limiter::with_pauses(per_minute, pauses, now);
    LIMITERS.with_borrow_mut(|limiters| limiters.insert(name, limiter));
}

/// Asks for the admission of a request: `{wait_ms, position, length}`; `undefined` if there is no such limiter.
#[wasm_bindgen]
pub fn admit(
    name: &str,
    ticket: &str,
    identity: &str,
    kind: JsValue,
    timeout_ms: f64,
    model: &str,
    now: f64,
) -> Thrown<JsValue> {
    let request = AdmissionRequest { ticket, identity, kind: load(kind)?, model, timeout: Ms(timeout_ms) };
    LIMITERS.with_borrow_mut(|limiters| match limiters.get_mut(name) {
        Some(limiter) => save(&limiter.admit(request, now)),
        None => Ok(JsValue::UNDEFINED),
    })
}

/// Pauses all requests, or creates of a model that is not empty. Returns the pauses to store; `undefined` if there is
/// no such limiter.
#[wasm_bindgen]
pub fn pause(name: &str, ms: f64, model: &str, now: f64) -> Thrown<JsValue> {
    LIMITERS.with_borrow_mut(|limiters| match limiters.get_mut(name) {
        Some(limiter) => {
            if model.is_empty() {
                limiter.pause_all(Ms(ms), now);
            } else {
                limiter.pause_model(model, Ms(ms), now);
            }
            save(&limiter.pauses())
        }
        None => Ok(JsValue::UNDEFINED),
    })
}
