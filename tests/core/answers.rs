//! What an answer means.

use lemondata_wasm::core::{
    Create, CreateAction, Kind, Name, Outcome, ParsedAnswer, Status, Task, read_task,
};
use serde_json::{Value as Plain, json};

use crate::{
    help::{bodiless, reply, task},
    json::Json,
};

const ID: &str = "img_abc123def456";
const OTHER_ID: &str = "ldtask_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const PATH: &str = "/v1/images/generations";
const TARGET: &str = "POST /v1/images/generations";

/// What a test expects of an answer: a state, the id of a task (or none), and whether the state is one that we
/// do not know; or else an error.
type Expected<'a> = Result<(Status, &'a str, bool), (Kind, Outcome)>;

const UNCLEAR: Expected<'static> = Err((Kind::Response, Outcome::Unknown));

const FAILED: Expected<'static> = Err((Kind::TaskFailed, Outcome::Failed));
const CANCELLED: Expected<'static> = Err((Kind::TaskCancelled, Outcome::Failed));

fn check(name: &str, body: &Plain, known: Option<&Task>, expected: Expected<'_>) {
    let parsed = ParsedAnswer::of(TARGET, &reply(200, body.clone()), known);
    let got = parsed.map_err(|failure| (failure.kind, failure.outcome)).map(|parsed| {
        (parsed.status, parsed.task.map(|task| task.id).unwrap_or_default(), parsed.is_foreign)
    });
    let got = got.as_ref().map(|(status, id, is_foreign)| (*status, id.as_str(), *is_foreign));
    assert_eq!(got.map_err(|error| *error), expected, "{name}: {body}");
}

macro_rules! example {
    ($name:literal) => {
        ($name, include_str!(concat!("../server/examples/", $name, ".json")))
    };
}

#[test]
fn every_example_is_understood() {
    let examples: [(_, Expected<'_>); 10] = [
        (example!("inline-url"), Ok((Status::Completed, "", false))),
        (example!("inline-b64"), Ok((Status::Completed, "", false))),
        (example!("completed"), Ok((Status::Completed, ID, false))),
        (example!("pending-images-path"), Ok((Status::Pending, ID, false))),
        (example!("pending-no-poll-url"), Ok((Status::Pending, ID, false))),
        (example!("pending-tasks-path"), Ok((Status::Pending, OTHER_ID, false))),
        (example!("processing"), Ok((Status::Processing, OTHER_ID, false))),
        (example!("failed-string"), Err((Kind::TaskFailed, Outcome::Failed))),
        (example!("failed-object"), Err((Kind::TaskFailed, Outcome::Failed))),
        (example!("cancelled"), Err((Kind::TaskCancelled, Outcome::Failed))),
    ];
    for ((name, text), expected) in examples {
        check(name, &serde_json::from_str(text).unwrap(), None, expected);
    }
}

#[test]
fn every_example_of_an_error_names_its_code_its_reason_and_its_hint() {
    let examples = [
        (400, example!("error-400-model-not-found"), Kind::InvalidRequest),
        (401, example!("error-401"), Kind::Authentication),
        (402, example!("error-402"), Kind::PaymentRequired),
        (404, example!("error-404-task"), Kind::TaskNotFound),
        (429, example!("error-429"), Kind::RateLimit),
        (503, example!("error-503"), Kind::Server),
    ];
    for (status, (name, text), kind) in examples {
        let body: Plain = serde_json::from_str(text).unwrap();
        let answer = reply(status, body.clone());
        let CreateAction::Fail(failure) = Create::new(PATH.into(), 0, false).answer(&answer, 0.5) else {
            panic!("{name} is not an error");
        };
        assert_eq!((failure.kind, failure.outcome), (kind, Outcome::Rejected), "{name}");
        let asked = body["error"]["retry_after"].as_f64().unwrap_or(0.0) * 1_000.0;
        assert_eq!(failure.retry_after.0, asked, "{name}");
        for part in ["code", "message", "hint"] {
            let said = body["error"][part].as_str().unwrap_or_default();
            assert!(failure.message.contains(said), "{name}: {}", failure.message);
        }
    }
}

#[test]
fn rule_5_only_status_and_fields_decide() {
    let image = json!([{"url": "https://cdn.example/1.png"}]);
    let placeholder = json!([{"url": "", "revised_prompt": "a cat"}]);
    let pending = Ok((Status::Pending, "t", false));
    let running = Ok((Status::Processing, "t", false));
    let foreign = Ok((Status::Processing, "t", true));
    let done = Ok((Status::Completed, "t", false));
    let foreign_done = Ok((Status::Completed, "t", true));
    let inline = Ok((Status::Completed, "", false));
    let cases = [
        // The id, in either field; the first that is filled.
        ("task_id", json!({"task_id": "t", "status": "pending"}), pending),
        ("id", json!({"id": "t", "status": "pending"}), pending),
        ("both ids", json!({"task_id": "t", "id": "u", "status": "pending"}), pending),
        ("empty task_id", json!({"task_id": "", "id": "t", "status": "pending"}), pending),
        ("null task_id", json!({"task_id": null, "id": "t", "status": "pending"}), pending),
        ("poll_url alone", json!({"poll_url": "/v1/tasks/t?x=/y", "status": "pending"}), pending),
        ("no id at all", json!({"status": "pending"}), UNCLEAR),
        (
            "a poll_url with a slash at its end",
            json!({"poll_url": "/v1/tasks/t/", "status": "pending"}),
            pending,
        ),
        ("a poll_url without an id", json!({"poll_url": "//", "status": "pending"}), UNCLEAR),
        ("a numeric id", json!({"id": 42, "status": "pending"}), Ok((Status::Pending, "42", false))),
        ("a numeric task_id", json!({"task_id": 7, "id": "u"}), Ok((Status::Processing, "7", false))),
        ("an id that is no whole number", json!({"id": 4.5, "status": "pending"}), UNCLEAR),
        // The status.
        ("processing", json!({"id": "t", "status": "processing"}), running),
        ("an unknown status", json!({"id": "t", "status": "dreaming"}), foreign),
        ("another case", json!({"id": "t", "status": "COMPLETED", "data": image}), foreign_done),
        ("unknown, with an image", json!({"id": "t", "status": "upscaled", "data": image}), foreign_done),
        ("unknown, with a video", json!({"id": "t", "status": "encoded", "video_url": "x"}), foreign_done),
        (
            "unknown, with links",
            json!({"id": "t", "status": "dreaming", "status_url": "x", "output": []}),
            foreign,
        ),
        (
            "unknown, with a placeholder",
            json!({"id": "t", "status": "dreaming", "data": placeholder}),
            foreign,
        ),
        ("unknown, without a task", json!({"status": "dreaming"}), UNCLEAR),
        (
            "unknown, image, no task",
            json!({"status": "ok", "data": image}),
            Ok((Status::Completed, "", true)),
        ),
        ("no status, but a task", json!({"id": "t"}), running),
        ("a status that is no string", json!({"id": "t", "status": 1}), running),
        // Placeholders say nothing about completion.
        ("pending with placeholders", json!({"id": "t", "status": "pending", "data": placeholder}), pending),
        ("pending with an image", json!({"id": "t", "status": "pending", "data": image}), pending),
        ("no status, placeholders", json!({"id": "t", "data": placeholder}), running),
        ("no status, an image", json!({"id": "t", "data": image}), done),
        // Inline.
        ("inline", json!({"data": image}), inline),
        ("inline, second image only", json!({"data": [{"url": ""}, {"b64_json": "aGk="}]}), inline),
        ("inline without images", json!({"data": []}), UNCLEAR),
        ("inline with placeholders", json!({"data": placeholder}), UNCLEAR),
        ("inline, data not a list", json!({"data": {"url": "https://cdn.example/1.png"}}), UNCLEAR),
        ("inline, items not objects", json!({"data": ["https://cdn.example/1.png", null, 1]}), UNCLEAR),
    ];
    for (name, body, expected) in cases {
        check(name, &body, None, expected);
    }
}

#[test]
fn a_task_is_done_only_with_a_result() {
    let image = json!([{"url": "https://cdn.example/1.png"}]);
    let placeholder = json!([{"url": "", "revised_prompt": "a cat"}]);
    let running = Ok((Status::Processing, "t", false));
    let done = Ok((Status::Completed, "t", false));
    let foreign_done = Ok((Status::Completed, "t", true));
    let inline = Ok((Status::Completed, "", false));
    let cases = [
        ("completed", json!({"id": "t", "status": "completed", "data": image}), done),
        ("completed, no task", json!({"status": "completed", "data": image}), inline),
        ("completed without data", json!({"id": "t", "status": "completed"}), FAILED),
        ("completed, empty", json!({"id": "t", "status": "completed", "data": []}), FAILED),
        ("completed, placeholders", json!({"id": "t", "status": "completed", "data": placeholder}), FAILED),
        ("a poll_url is no result", json!({"poll_url": "/v1/tasks/t", "status": "completed"}), FAILED),
        ("video", json!({"id": "t", "status": "completed", "video_url": "https://cdn.example/v"}), done),
        ("a video object", json!({"id": "t", "status": "done", "video": {"url": "x"}}), foreign_done),
        ("videos", json!({"id": "t", "status": "success", "videos": [{"url": "x"}]}), foreign_done),
        ("videos as texts", json!({"id": "t", "status": "completed", "videos": ["x"]}), done),
        ("audio", json!({"id": "t", "status": "completed", "audio_url": "x"}), done),
        ("a model", json!({"id": "t", "status": "completed", "model_url": "x"}), done),
        ("audio in data", json!({"id": "t", "status": "completed", "data": [{"audio_url": "x"}]}), done),
        ("a video without a status", json!({"id": "t", "video_url": "x"}), done),
        ("an inline video", json!({"video": {"url": "x"}}), inline),
        (
            "empty videos",
            json!({"id": "t", "status": "completed", "videos": [{"url": ""}, "", null]}),
            FAILED,
        ),
        ("several", json!({"id": "t", "status": "completed", "url": ["https://cdn.example/v"]}), done),
        ("output", json!({"id": "t", "status": "completed", "output": {"glb": "x"}}), done),
        ("no output", json!({"id": "t", "status": "completed", "output": {}, "result": []}), FAILED),
        ("a filtered image", json!({"id": "t", "status": "completed", "error": {"message": "no"}}), FAILED),
        (
            "a filtered image beside a link",
            json!({"id": "t", "status": "completed", "error": "no", "image_url": "https://cdn.example/reference"}),
            FAILED,
        ),
        (
            "an error beside an image",
            json!({"id": "t", "status": "completed", "error": "1 of 2", "data": image}),
            done,
        ),
        ("done without a task and a result", json!({"status": "succeeded", "data": []}), FAILED),
        ("an empty video_url", json!({"id": "t", "status": "completed", "video_url": ""}), FAILED),
        ("a null video_url", json!({"id": "t", "status": "completed", "video_url": null}), FAILED),
        ("a video while running", json!({"id": "t", "status": "processing", "video_url": "x"}), running),
        // Whatever else a server may say.
        ("a failure without a word", json!({"status": "failed"}), Err((Kind::TaskFailed, Outcome::Failed))),
        (
            "cancelled: false",
            json!({"status": "failed", "cancelled": false}),
            Err((Kind::TaskFailed, Outcome::Failed)),
        ),
        ("cancelled by flag alone", json!({"id": "t", "status": "pending", "cancelled": true}), CANCELLED),
        (
            "an image before it was cancelled",
            json!({"id": "t", "status": "completed", "cancelled": true, "data": image}),
            done,
        ),
        ("null", json!(null), UNCLEAR),
        ("a list", json!([{"url": "https://cdn.example/1.png"}]), UNCLEAR),
        ("a string", json!("completed"), UNCLEAR),
        ("a number", json!(1), UNCLEAR),
        ("an empty object", json!({}), UNCLEAR),
        ("an error under status 200", json!({"error": {"message": "no"}}), UNCLEAR),
    ];
    for (name, body, expected) in cases {
        check(name, &body, None, expected);
    }
}

#[test]
fn rule_5_the_model_s_name_decides_nothing() {
    for model in ["dall-e-3", "flux-pro", "midjourney", ""] {
        let pending = json!({"model": model, "id": "t", "status": "pending"});
        check(model, &pending, None, Ok((Status::Pending, "t", false)));
        let inline = json!({"model": model, "data": [{"b64_json": "aGk="}]});
        check(model, &inline, None, Ok((Status::Completed, "", false)));
    }
}

#[test]
fn a_poll_that_names_no_task_is_about_the_one_that_was_asked_for() {
    let known = task("known", "");
    let cases = [
        (json!({"status": "pending"}), Ok((Status::Pending, "known", false))),
        (json!({"status": "queued"}), Ok((Status::Pending, "known", true))),
        (json!({"status": 500, "error": "Internal Server Error"}), UNCLEAR),
        (json!({"status": "pending", "id": "told"}), Ok((Status::Pending, "told", false))),
        (json!({"status": "completed", "video_url": "x"}), Ok((Status::Completed, "known", false))),
        (json!({"progress": 4}), UNCLEAR),
    ];
    for (body, expected) in cases {
        check("poll", &body, Some(&known), expected);
    }
}

#[test]
fn a_failed_task_says_why() {
    let known = task("t", "");
    let cases = [
        (json!({"status": "failed", "error": "Content policy"}), "The task t failed: Content policy"),
        (json!({"status": "failed", "error": {"code": "x", "message": "No"}}), "The task t failed: No"),
        (json!({"status": "failed", "error": null}), "The task t failed."),
        (json!({"status": "failed", "cancelled": true}), "The task t was cancelled."),
        (json!({"status": "failed", "cancelled": true, "error": "Late"}), "The task t was cancelled: Late"),
        (json!({"status": "expired", "message": "Too old"}), "The task t failed: Too old"),
        (json!({"status": "completed", "data": []}), "The task t was completed without a result."),
        (
            json!({"status": "completed", "error": {"message": "Filtered", "code": "content_policy"}}),
            "The task t was completed without a result: Filtered",
        ),
    ];
    for (body, message) in cases {
        let failure = ParsedAnswer::of(TARGET, &reply(200, body), Some(&known)).unwrap_err();
        assert_eq!(failure.message, message);
        assert_eq!(failure.task.as_ref(), Some(&known));
    }
}

#[test]
fn a_task_that_was_never_named_fails_without_a_name() {
    let body = json!({"status": "COMPLETED", "data": [], "error": "Filtered"});
    let CreateAction::Fail(failure) = Create::new(PATH.into(), 2, true).answer(&reply(200, body), 0.5) else {
        panic!("it is done or repeated");
    };
    assert_eq!((failure.kind, failure.outcome, &failure.task), (Kind::TaskFailed, Outcome::Failed, &None));
    assert_eq!(failure.message, "The task was completed without a result: Filtered");
}

#[test]
fn the_words_of_every_dialect_are_understood_in_any_case_of_letters() {
    let image = json!([{"url": "https://cdn.example/1.png"}]);
    let words: [(&str, Expected<'_>, Expected<'_>); 5] = [
        (
            "pending queued submitted created waiting starting",
            Ok((Status::Pending, "t", true)),
            Ok((Status::Pending, "t", true)),
        ),
        (
            "processing running in_progress generating",
            Ok((Status::Processing, "t", true)),
            Ok((Status::Processing, "t", true)),
        ),
        ("completed succeeded success done finished", FAILED, Ok((Status::Completed, "t", true))),
        ("failed failure error expired timeout rejected", FAILED, FAILED),
        ("cancelled canceled aborted", CANCELLED, CANCELLED),
    ];
    for (words, bare, with_image) in words {
        for word in words.split(' ') {
            let title = format!("{}{}", word[..1].to_uppercase(), &word[1..]);
            for word in [word.to_owned(), word.to_uppercase(), title] {
                let keep = |expected: Expected<'_>| {
                    expected.map(|(status, _, _)| (status, "t", status.text() != word))
                };
                check(&word, &json!({"id": "t", "status": word}), None, keep(bare));
                check(&word, &json!({"id": "t", "status": word, "data": image}), None, keep(with_image));
            }
        }
    }
    // A part of a word, and more than one of them, is another word.
    for word in ["", "complete", "done finished", " done", "done ", "dОne"] {
        let parsed = ParsedAnswer::of(TARGET, &reply(200, json!({"id": "t", "status": word})), None);
        assert_eq!(parsed.map(|parsed| parsed.status).ok(), Some(Status::Processing), "{word:?}");
    }
}

#[test]
fn a_success_that_says_nothing_of_a_task_says_why_and_when_to_ask_again() {
    let body = json!({"error": {"message": "Overloaded", "retryable": false, "retry_after": 7}});
    let failure = ParsedAnswer::of(TARGET, &reply(200, body), None).unwrap_err();
    let expected =
        "POST /v1/images/generations was answered, but it holds neither an image nor a task: Overloaded";
    assert_eq!(failure.message, expected);
    assert_eq!((failure.is_final, failure.retry_after.0), (true, 7_000.0));
}

#[test]
fn a_success_without_json_is_unclear() {
    let failure = ParsedAnswer::of::<Json>(TARGET, &bodiless(200), None).unwrap_err();
    assert_eq!((failure.kind, failure.outcome, failure.status), (Kind::Response, Outcome::Unknown, 200));
}

#[test]
fn rule_7_a_payload_is_never_copied() {
    // The test's own `text` panics on whatever was reached through `b64_json`.
    let big = "A".repeat(1 << 16);
    let image = json!([{"b64_json": big}]);
    check("inline", &json!({"data": image}), None, Ok((Status::Completed, "", false)));
    let task = json!({"id": "t", "status": "completed", "data": image});
    check("task", &task, None, Ok((Status::Completed, "t", false)));
    let odd = json!({"id": "t", "status": "completed", "b64_json": big, "video_url": {"b64_json": big}});
    check("elsewhere", &odd, None, Ok((Status::Completed, "t", false)));
}

#[test]
fn a_reference_is_an_id_or_an_object_that_holds_one() {
    let cases = [
        (json!("img_1"), Some(task("img_1", ""))),
        (json!({"task_id": "t"}), Some(task("t", ""))),
        (json!({"id": "t", "poll_url": "/v1/tasks/t"}), Some(task("t", "/v1/tasks/t"))),
        (json!({"poll_url": "/v1/tasks/t"}), Some(task("t", "/v1/tasks/t"))),
        (json!({"status": "pending", "task_id": "t", "data": []}), Some(task("t", ""))),
        (json!(""), None),
        (json!("."), None),
        (json!(".."), None),
        (json!({"id": ".."}), None),
        (json!({}), None),
        (json!({"id": 7}), Some(task("7", ""))),
        (json!({"poll_url": "/v1/tasks/t/"}), Some(task("t", "/v1/tasks/t/"))),
        (json!(7), None),
        (json!(null), None),
        (json!(["t"]), None),
    ];
    for (reference, expected) in cases {
        let got = read_task(&Json::from(reference.clone()));
        if let Err(failure) = &got {
            assert_eq!(
                (failure.kind, failure.param),
                (Kind::InvalidRequest, Some(Name::Task)),
                "{reference}"
            );
            assert_eq!(failure.outcome, Outcome::NotSent, "{reference}");
        }
        assert_eq!(got.ok(), expected, "{reference}");
    }
}

#[test]
fn a_reference_is_plain_json() {
    let bare = serde_json::to_value(task("t", "")).unwrap();
    assert_eq!(bare, json!({"task_id": "t"}));
    let whole = serde_json::to_value(task("t", "/v1/tasks/t")).unwrap();
    assert_eq!(whole, json!({"task_id": "t", "poll_url": "/v1/tasks/t"}));
    assert_eq!(serde_json::from_value::<Task>(bare).unwrap(), task("t", ""));
}

#[test]
fn an_id_of_dots_is_none() {
    for id in [".", ".."] {
        let body = json!({"status": "pending", "task_id": id});
        let failure = ParsedAnswer::of(TARGET, &reply(200, body.clone()), None).expect_err("no task");
        assert_eq!(failure.kind, Kind::Response, "{id}");
        // Where the task is known, it stays that.
        check(id, &body, Some(&task("t", "")), Ok((Status::Pending, "t", false)));
    }
}
