//! Which error an HTTP answer or its absence is, and what it says.

use lemondata_wasm::core::{Answer, Create, CreateAction, Failure, Kind, Outcome, TransportError};
use serde_json::{Value as Plain, json};

use crate::{
    help::{bodiless, message, reply, task},
    json::Json,
};

const PATH: &str = "/v1/images/generations";

fn failure_of(answer: &Answer<Json>) -> Box<Failure> {
    Failure::of_answer(&format!("POST {PATH}"), answer)
}

#[test]
fn every_status_has_its_kind_and_its_outcome() {
    let rejected = [
        (0, Kind::Response),
        (300, Kind::Response),
        (301, Kind::Response),
        (302, Kind::Response),
        (303, Kind::Response),
        (307, Kind::Response),
        (308, Kind::Response),
        (399, Kind::Response),
        (400, Kind::InvalidRequest),
        (401, Kind::Authentication),
        (402, Kind::PaymentRequired),
        (403, Kind::PermissionDenied),
        (404, Kind::NotFound),
        (405, Kind::InvalidRequest),
        (409, Kind::InvalidRequest),
        (413, Kind::InvalidRequest),
        (422, Kind::InvalidRequest),
        (429, Kind::RateLimit),
        (451, Kind::InvalidRequest),
        (421, Kind::InvalidRequest),
        (425, Kind::InvalidRequest),
    ];
    let unknown = [304, 408, 500, 501, 502, 503, 504, 507, 520, 522, 524, 529, 530, 599];
    let all = rejected.map(|(status, kind)| (status, kind, Outcome::Rejected));
    let unknown = unknown.map(|status| (status, Kind::Server, Outcome::Unknown));
    // A proxy says so of a connection that it has lost, while the service may have gone on.
    let closed = [(499, Kind::InvalidRequest, Outcome::Unknown)];
    for (status, kind, outcome) in all.into_iter().chain(unknown).chain(closed) {
        // An intermediary may answer with HTML, nothing, or JSON of its own under any status.
        for answer in [bodiless(status), reply(status, json!(null)), reply(status, json!({"error": 1}))] {
            let failure = failure_of(&answer);
            assert_eq!((failure.kind, failure.outcome), (kind, outcome), "{status}");
            assert_eq!((failure.status, failure.is_final), (status, false), "{status}");
            let expected = format!("POST {PATH} was answered with status {status}");
            assert!(failure.message.starts_with(&expected), "{}", failure.message);
        }
    }
}

#[test]
fn only_a_503_marked_retryable_has_done_nothing() {
    for (status, retryable, outcome) in [
        (503, json!(true), Outcome::Rejected),
        (503, json!(false), Outcome::Unknown),
        (503, json!(null), Outcome::Unknown),
        (503, json!("true"), Outcome::Unknown),
        (500, json!(true), Outcome::Unknown),
        (502, json!(true), Outcome::Unknown),
        (504, json!(true), Outcome::Unknown),
        (408, json!(true), Outcome::Unknown),
        (429, json!(false), Outcome::Rejected),
    ] {
        let failure = failure_of(&reply(status, json!({"error": {"retryable": retryable}})));
        assert_eq!(failure.outcome, outcome, "{status} {retryable}");
        assert_eq!(failure.is_final, retryable == json!(false), "{status} {retryable}");
    }
}

#[test]
fn a_lost_task_is_told_by_its_code() {
    let coded = json!({"error": {"code": "async_task_not_found"}});
    assert_eq!(failure_of(&reply(404, coded.clone())).kind, Kind::TaskNotFound);
    assert_eq!(failure_of(&reply(404, json!({"error": {"code": "no_such_route"}}))).kind, Kind::NotFound);
    assert_eq!(failure_of(&reply(500, coded)).kind, Kind::Server);
    let typed = json!({"error": {"type": "async_task_not_found"}});
    assert_eq!(failure_of(&reply(404, typed.clone())).kind, Kind::TaskNotFound);
    assert_eq!(failure_of(&reply(400, typed)).kind, Kind::InvalidRequest);
}

#[test]
fn a_message_says_what_happened_why_and_what_to_do() {
    let cases: [(u16, Plain, &str); 11] = [
        (400, json!({"error": {"message": "Bad size", "code": "x"}}), "400 (x): Bad size"),
        (400, json!({"error": "Bad size."}), "400: Bad size."),
        (400, json!({"error": {"hint": "Use auto."}}), "400. Use auto."),
        (400, json!({"error": {"message": "Bad size.", "hint": "Use auto."}}), "400: Bad size. Use auto."),
        (400, json!({"error": {"message": "Bad size", "hint": "Use auto."}}), "400: Bad size. Use auto."),
        (
            400,
            json!({"error": {"message": "Bad size. Use auto.", "hint": "Use auto."}}),
            "400: Bad size. Use auto.",
        ),
        (
            400,
            json!({"error": {"message": "No dalle3", "did_you_mean": "dall-e-3"}}),
            "400: No dalle3. Did you mean dall-e-3?",
        ),
        (400, json!({"error": {"did_you_mean": "auto", "hint": "Use auto."}}), "400. Use auto."),
        (401, json!({}), "401. Check the API key."),
        (402, json!({"error": {"message": "Poor.", "hint": "Top up."}}), "402: Poor. Top up."),
        (302, json!(null), "302. Redirects are not followed: check baseUrl."),
    ];
    for (status, body, expected) in cases {
        let failure = failure_of(&reply(status, body));
        assert_eq!(failure.message, format!("POST {PATH} was answered with status {expected}"));
    }
}

#[test]
fn a_reason_is_found_wherever_a_server_or_a_gateway_puts_it() {
    let cases: [(Plain, &str); 21] = [
        (json!({"error": {"message": "Bad size"}}), ": Bad size"),
        (json!({"error": "Bad size"}), ": Bad size"),
        (json!({"message": "Bad size"}), ": Bad size"),
        (json!({"detail": "Bad size"}), ": Bad size"),
        (json!({"error": {"detail": "Bad size"}}), ": Bad size"),
        (json!({"detail": {"message": "Bad size"}}), ": Bad size"),
        (json!({"detail": [{"loc": ["body", "size"], "msg": "Bad", "type": "value_error"}]}), ": size: Bad"),
        (json!({"detail": [{"loc": [], "msg": "Bad"}, {"loc": ["n"], "msg": "Huge"}]}), ": Bad; n: Huge"),
        (json!({"detail": [{"loc": ["body", 0], "msg": "Bad"}]}), ": 0: Bad"),
        (json!({"errors": ["Bad size", "Huge n"]}), ": Bad size; Huge n"),
        (json!({"errors": [{"message": "Bad size"}]}), ": Bad size"),
        (json!({"errors": [{"field": "size", "message": "bad"}, null, {}, 7]}), ": size: bad; 7"),
        (json!({"errors": ["1", "2", "3", "4", "5", "6"]}), ": 1; 2; 3; 4; 5"),
        // The first that says something counts.
        (json!({"error": {}, "message": "Bad size", "detail": "x"}), ": Bad size"),
        (json!({"error": {"message": ""}, "message": "", "detail": [], "errors": "Bad size"}), ": Bad size"),
        // What is wrong with the fields stands behind it.
        (
            json!({"error": {"message": "Invalid"}, "validation_errors": [{"field": "n", "message": "too large"}]}),
            ": Invalid; n: too large",
        ),
        (json!({"validation_errors": [{"field": "n", "message": "too large"}]}), ": n: too large"),
        (json!({"validation_errors": [{"field": "n"}]}), ": n"),
        // Nothing is said.
        (json!({"error": true, "message": [], "detail": {}}), ""),
        (json!([]), ""),
        (json!({"error": {"message": {"text": "deep"}}}), ""),
    ];
    for (body, expected) in cases {
        let failure = failure_of(&reply(422, body.clone()));
        let message = failure.message.trim_end_matches([' ', '.']);
        assert_eq!(message, format!("POST {PATH} was answered with status 422{expected}"), "{body}");
    }
}

#[test]
fn a_redirect_says_where_it_leads() {
    for origin in ["https://api.tokenlab.sh:8443", "http://api.lemondata.cc"] {
        for status in [301, 302, 307, 308] {
            let failure = failure_of(&Answer { location: Json::Plain(origin.into()), ..bodiless(status) });
            assert_eq!((failure.kind, failure.outcome), (Kind::Response, Outcome::Rejected));
            let expected = format!(
                "POST {PATH} was answered with status {status}. Redirects are not followed: if you trust it, set \
                 baseUrl to {origin}."
            );
            assert_eq!(failure.message, expected);
        }
    }
    // The origin of a `mailto:` URL is a word.
    for location in ["", "null"] {
        let failure = failure_of(&Answer { location: Json::Plain(location.into()), ..bodiless(302) });
        let expected = "status 302. Redirects are not followed: check baseUrl.";
        assert!(failure.message.ends_with(expected), "{location}: {}", failure.message);
    }
    // Where it leads means nothing under another status.
    let failure = failure_of(&Answer { location: Json::Plain("https://x.example".into()), ..bodiless(404) });
    assert!(!failure.message.contains("x.example"), "{}", failure.message);
}

#[test]
fn every_failure_of_a_callback_or_an_option_has_its_text_here() {
    let reference = task("t", "/v1/tasks/t");
    let goes_on = "The task goes on at the server: waitForTask(error.task) waits on.";
    for (failure, expected) in [
        (Failure::callback_failed(reference.clone()), "onTask failed: see error.cause. "),
        (Failure::callback_late(reference.clone()), "onTask did not finish within maxWait. "),
    ] {
        assert_eq!((failure.kind, failure.outcome), (Kind::Callback, Outcome::Accepted));
        assert_eq!(failure.message, format!("{expected}{goes_on}"));
        assert_eq!(failure.task.as_ref(), Some(&reference));
    }
    for (failure, kind, expected) in [
        (Failure::key_function(), Kind::Authentication, "The apiKey function failed: see error.cause."),
        (
            Failure::headers(),
            Kind::InvalidRequest,
            "headers must be what new Headers() takes, or a function that returns it.",
        ),
        (Failure::not_json(), Kind::InvalidRequest, "request must be plain JSON."),
    ] {
        assert_eq!((failure.kind, failure.outcome), (kind, Outcome::NotSent));
        assert_eq!(message(&failure), expected);
    }
}

#[test]
fn a_lost_create_may_have_been_billed_unless_it_was_never_sent() {
    for (error, kind) in
        [(TransportError::Connection, Kind::Connection), (TransportError::Timeout, Kind::RequestTimeout)]
    {
        for (sent, outcome) in [(true, Outcome::Unknown), (false, Outcome::NotSent)] {
            let CreateAction::Fail(failure) = Create::new(PATH.into(), 0, false).lost(error, sent, 0.5)
            else {
                panic!("rule 1: a lost create was repeated");
            };
            assert_eq!((failure.kind, failure.outcome, failure.status), (kind, outcome, 0));
            assert_eq!(failure.message.contains("billed"), sent, "{}", failure.message);
        }
    }
}

#[test]
fn a_task_s_own_failure_stays_failed_when_a_task_is_left() {
    for (outcome, left) in [
        (Outcome::NotSent, Outcome::Accepted),
        (Outcome::Rejected, Outcome::Accepted),
        (Outcome::Unknown, Outcome::Accepted),
        (Outcome::Failed, Outcome::Failed),
    ] {
        let mut failure = Failure::new(Kind::Server, outcome, "");
        failure.leave_task();
        assert_eq!(failure.outcome, left);
    }
}
