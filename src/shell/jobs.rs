//! What the package does: loops that carry out the core's decisions.

use wasm_bindgen::JsValue;

use super::{
    call::{Call, End, Interrupt, now, random},
    http::{self, Attempt, Request},
    js,
};
use crate::core::{
    CREATE_PATH, Create, CreateStep, Failure, Kind, Outcome, Step, Task, Type, Value, Verdict, Wait,
    check_request, read_task,
};

pub async fn generate(call: &Call, request: &JsValue) -> Result<JsValue, End> {
    create(call, request).await.map(|(generation, _)| generation)
}

pub async fn generate_and_wait(call: &Call, request: &JsValue) -> Result<JsValue, End> {
    match create(call, request).await? {
        (generation, None) => Ok(generation),
        (_, Some(task)) => {
            let wait = Wait::new(task, &call.options, true, now(), random());
            poll_until(call, wait, Until::Done).await
        }
    }
}

pub async fn wait_for_task(call: &Call, reference: &JsValue) -> Result<JsValue, End> {
    if reference.text_of("status").as_deref() == Some("completed") {
        return Ok(reference.clone());
    }
    let wait = Wait::new(read_task(reference)?, &call.options, false, now(), random());
    poll_until(call, wait, Until::Done).await
}

pub async fn get_task(call: &Call, reference: &JsValue) -> Result<JsValue, End> {
    let wait = Wait::once(read_task(reference)?, &call.options, now());
    poll_until(call, wait, Until::Answered).await
}

pub async fn to_blob(call: &Call, image: &JsValue) -> Result<JsValue, End> {
    let b64_json = image.get("b64_json");
    if b64_json.is_filled() {
        return call.host.decode(&b64_json).map_err(|cause| {
            End::with_cause(Failure::invalid("b64_json", "a picture in base64", Type::Text), cause)
        });
    }
    match image.text_of("url") {
        Some(url) => http::download(call, &url).await,
        None => Err(Failure::invalid("image", "an image with url or b64_json", image.kind()).into()),
    }
}

/// Sends a create until the core is content. A task comes with its generation.
async fn create(call: &Call, request: &JsValue) -> Result<(JsValue, Option<Task>), End> {
    let options = &call.options;
    check_request(request)?;
    let body = js::stringify(request)
        .map_err(|cause| End::with_cause(Failure::invalid("request", "plain JSON", Type::Object), cause))?;
    let path = options.base.own_path(CREATE_PATH);
    let key = options.idempotency_key.clone().or_else(|| options.relay.then(js::random_uuid));
    let mut machine = Create::new(&path, options.max_retries, options.relay);
    let mut number = 0;
    loop {
        number += 1;
        let attempt = http::send(
            call,
            &Request {
                method: "POST",
                path: &path,
                body: Some(&body),
                idempotency_key: key.as_deref(),
                timeout: options.create_timeout(),
                number,
            },
        )
        .await?;
        let step = match &attempt {
            Attempt::Answered(answer) => machine.answer(&answer.reply, random()),
            Attempt::Lost { loss, sent, .. } => machine.lost(*loss, *sent, random()),
        };
        match step {
            CreateStep::Retry(ms) => call.rest(ms).await?,
            CreateStep::Completed(patch) => return Ok((attempt.generation(&patch), None)),
            CreateStep::Task(task, patch) => {
                announce(call, &task).await.map_err(|end| end.of_task(&task))?;
                return Ok((attempt.generation(&patch), Some(task)));
            }
            CreateStep::Fail(failure) => return Err(attempt.failed(failure)),
        }
    }
}

/// Hands the task to `onTask`, and waits for the callback: it is the caller's place to store it.
async fn announce(call: &Call, task: &Task) -> Result<(), End> {
    let Some(on_task) = call.function("onTask") else { return Ok(()) };
    let task = serde_wasm_bindgen::to_value(task).unwrap_or_default();
    let result = match on_task.call1(&JsValue::UNDEFINED, &task) {
        Ok(value) => call.settled(&value, None).await,
        Err(cause) => Ok(Err(cause)),
    };
    match result {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(cause)) => {
            let message = "onTask failed: see error.cause. The task goes on at the server: \
                           waitForTask(error.task) waits for it."
                .into();
            Err(End::with_cause(Failure::new(Kind::Callback, Outcome::Accepted, message), cause))
        }
        Err(Interrupt::Aborted(reason)) => Err(End::Thrown(reason)),
        // Without a timer there is no time-out.
        Err(Interrupt::Timeout) => Ok(()),
    }
}

/// How far a task is followed.
#[derive(PartialEq)]
enum Until {
    /// To its end.
    Done,
    /// To the first answer.
    Answered,
}

async fn poll_until(call: &Call, wait: Result<Wait, (Failure, Task)>, until: Until) -> Result<JsValue, End> {
    let mut wait = wait.map_err(|(failure, task)| End::from(failure).of_task(&task))?;
    let result = follow(call, &mut wait, until).await;
    result.map_err(|end| end.of_task(&wait.task))
}

async fn follow(call: &Call, wait: &mut Wait, until: Until) -> Result<JsValue, End> {
    let mut cause = JsValue::UNDEFINED;
    let mut number = 0;
    loop {
        let (path, timeout) = match wait.next(now()) {
            Step::Poll(path, timeout) => (path, timeout),
            Step::Sleep(ms) => {
                if call.sleep(ms).await? {
                    wait.wake(now());
                }
                continue;
            }
            Step::Fail(failure) => return Err(End::with_cause(failure, cause)),
        };
        number += 1;
        let request =
            Request { method: "GET", path: &path, body: None, idempotency_key: None, timeout, number };
        let attempt = http::send(call, &request).await?;
        let verdict = match &attempt {
            Attempt::Answered(answer) => wait.answer(&call.options.base, &answer.reply, now(), random()),
            Attempt::Lost { loss, .. } => wait.lost(*loss, now(), random()),
        };
        match verdict {
            Verdict::Completed(patch) => {
                let generation = attempt.generation(&patch);
                call.tell("onUpdate", &generation);
                return Ok(generation);
            }
            Verdict::Running(patch) => {
                let generation = attempt.generation(&patch);
                if until == Until::Answered {
                    return Ok(generation);
                }
                call.tell("onUpdate", &generation);
            }
            Verdict::Again => {}
            Verdict::Lost(failure) if until == Until::Done => {
                cause = attempt.failed(failure).into_js();
            }
            Verdict::Lost(failure) | Verdict::Fail(failure) => return Err(attempt.failed(failure)),
        }
    }
}
