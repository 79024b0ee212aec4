//! Which error an HTTP answer or its absence is, and what it says.

use lemondata_wasm::core::{Create, CreateStep, Failure, Kind, Loss, Outcome, Reply};
use serde_json::{Value as Plain, json};

use crate::{
    help::{bodiless, reply},
    json::Json,
};

const PATH: &str = "/v1/images/generations";

fn failure_of(answer: &Reply<Json>) -> Box<Failure> {
    Failure::of_answer(&["POST ", PATH], answer.status, answer.body.as_ref(), &answer.retry_after)
}

#[test]
fn every_status_has_its_kind_and_its_outcome() {
    let rejected = [
        (0, Kind::Response),
        (300, Kind::Response),
        (301, Kind::Response),
        (302, Kind::Response),
        (303, Kind::Response),
        (304, Kind::Response),
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
        (499, Kind::InvalidRequest),
    ];
    let unknown = [408, 500, 501, 502, 503, 504, 507, 520, 522, 524, 529, 530, 599];
    let all = rejected.map(|(status, kind)| (status, kind, Outcome::Rejected));
    let unknown = unknown.map(|status| (status, Kind::Server, Outcome::Unknown));
    for (status, kind, outcome) in all.into_iter().chain(unknown) {
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
fn a_lost_create_may_have_been_billed_unless_it_was_never_sent() {
    for (loss, kind) in [(Loss::Connection, Kind::Connection), (Loss::Timeout, Kind::RequestTimeout)] {
        for (sent, outcome) in [(true, Outcome::Unknown), (false, Outcome::NotSent)] {
            let CreateStep::Fail(failure) = Create::new(PATH.into(), 0, false).lost(loss, sent, 0.5) else {
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
        let mut failure = Failure::new(Kind::Server, outcome, &[]);
        failure.leave_task();
        assert_eq!(failure.outcome, left);
    }
}
