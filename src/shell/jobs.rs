//! What the package does: loops that carry out the core's decisions.

use wasm_bindgen::JsValue;

use super::{
    call::{Call, End, Interrupt, now, random, task_to_js},
    http::{self, Attempt, Request},
    js,
};
use crate::core::{
    CREATE_PATH, Create, CreateStep, Failure, Kind, Outcome, Status, Step, Task, Value, Verdict, Wait,
    check_request, read_task,
};

/// What a job does: `js/client.js` knows the numbers.
const GENERATE: u8 = 0;
const GENERATE_AND_WAIT: u8 = 1;
const GET_TASK: u8 = 2;
pub const WAIT_FOR_TASK: u8 = 3;

/// Whether there is nothing to wait for.
pub fn is_completed(reference: &JsValue) -> bool {
    reference.get("status").text() == Status::Completed.name()
}

/// Does a job on its input.
pub async fn perform(call: &Call, job: u8, input: &JsValue) -> Result<JsValue, End> {
    let own = matches!(job, GENERATE | GENERATE_AND_WAIT);
    let task = if own {
        match create(call, input).await? {
            (_, Some(task)) if job == GENERATE_AND_WAIT => task,
            (generation, _) => return Ok(generation),
        }
    } else {
        read_task(input)?
    };
    let once = job == GET_TASK;
    let mut wait = Wait::new::<JsValue>(task, &call.options, own, now(), random())
        .map_err(|(failure, task)| End::from(failure).of_task(&task))?;
    if once {
        wait.once();
    }
    follow(call, &mut wait, once).await.map_err(|end| end.of_task(&wait.task))
}

/// Sends a create until the core is content. The task comes along where the generation is not completed.
async fn create(call: &Call, request: &JsValue) -> Result<(JsValue, Option<Task>), End> {
    let options = &call.options;
    check_request(request)?;
    let body = js::stringify(request).map_err(|cause| {
        End::with_cause(Failure::refusal("request", &["request must be plain JSON."]), &cause)
    })?;
    let path = options.base.own_path(CREATE_PATH);
    let key = if options.makes_key { js::random_uuid() } else { call.option("idempotencyKey") };
    let mut machine = Create::new(path.clone(), options.max_retries, options.relay);
    let mut number = 0;
    loop {
        number += 1;
        let request = Request {
            method: "POST",
            path: &path,
            body: &body,
            idempotency_key: &key,
            timeout: options.create_timeout,
            streams: false,
            number,
        };
        let attempt = http::send(call, &request).await?;
        let step = match &attempt.result {
            Ok(reply) => machine.answer(reply, random()),
            Err((loss, sent)) => machine.lost(*loss, *sent, random()),
        };
        match step {
            CreateStep::Retry(ms) => call.rest(ms).await?,
            CreateStep::Fail(failure) => return Err(attempt.failed(failure)),
            CreateStep::Done(meaning) => {
                let generation = attempt.generation(&meaning);
                let task = meaning.task.filter(|_| meaning.status != Status::Completed);
                if let Some(task) = &task {
                    announce(call, task).await.map_err(|end| end.of_task(task))?;
                }
                return Ok((generation, task));
            }
        }
    }
}

/// Hands the task to `onTask`, and waits for the callback: it is the caller's place to store it.
async fn announce(call: &Call, task: &Task) -> Result<(), End> {
    let reference = task_to_js(task);
    call.host.set_task(&reference);
    let on_task = call.option("onTask");
    if on_task.is_nothing() {
        return Ok(());
    }
    let result = call.settled(&js::current(&on_task, &reference), None).await;
    match result {
        Ok(Err(cause)) => {
            let message =
                ["onTask failed: see error.cause. The task goes on at the server: waitForTask(error.task) \
                 waits on."];
            Err(End::with_cause(Failure::new(Kind::Callback, Outcome::Accepted, &message), &cause))
        }
        Err(Interrupt::Aborted(reason)) => Err(End::Thrown(reason)),
        // Without a timer there is no time-out.
        Ok(Ok(_)) | Err(Interrupt::Timeout) => Ok(()),
    }
}

/// Polls a task to its end or, `once`, to the first answer.
async fn follow(call: &Call, wait: &mut Wait, once: bool) -> Result<JsValue, End> {
    let mut cause = JsValue::UNDEFINED;
    let mut number = 0;
    loop {
        let attempt = match wait.next(now()) {
            Step::Poll(path, timeout) => {
                number += 1;
                poll(call, &path, timeout, number, once).await?
            }
            Step::Sleep(ms) => {
                let is_woken = call.sleep(ms).await?;
                let Some(attempt) = news(call, false) else {
                    if is_woken {
                        wait.wake(now());
                    }
                    continue;
                };
                wait.join();
                attempt
            }
            Step::Fail(failure) => return Err(End::with_cause(failure, &cause)),
        };
        let verdict = match &attempt.result {
            Ok(reply) => wait.answer(&call.options.base, reply, now(), random()),
            Err((loss, _)) => wait.lost(*loss, now(), random()),
        };
        match verdict {
            Verdict::Answered(meaning) => {
                let generation = attempt.generation(&meaning);
                if !once {
                    call.tell("onUpdate", &generation);
                }
                if once || meaning.status == Status::Completed {
                    return Ok(generation);
                }
            }
            Verdict::Again => {}
            Verdict::Lost(failure) if !once => cause = attempt.failed(failure).of_task(&wait.task).into_js(),
            Verdict::Lost(failure) | Verdict::Fail(failure) => return Err(attempt.failed(failure)),
        }
    }
}

/// Sends a poll, or waits for that of another call. Who asks `once` wants to know how things stand now.
async fn poll(call: &Call, path: &str, timeout: f64, number: u32, once: bool) -> Result<Attempt, End> {
    while !once && call.host.join(&call.options.base.url(path)) {
        let is_late = !call.sleep(timeout).await?;
        if let Some(attempt) = news(call, is_late) {
            return Ok(attempt);
        }
    }
    let (body, idempotency_key) = (&JsValue::UNDEFINED, &JsValue::UNDEFINED);
    let streams = call.options.streams && !once;
    http::send(call, &Request { method: "GET", path, body, idempotency_key, timeout, streams, number }).await
}

/// What another call was answered, or that it has come too late.
fn news(call: &Call, is_late: bool) -> Option<Attempt> {
    let news = call.host.news(is_late);
    if news.is_nothing() { None } else { Some(Attempt::of(news)) }
}
