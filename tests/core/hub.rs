//! The state machine of a hub's task: every transition of its table, and the promises that hold in every run.

use lemondata_wasm::core::{
    HubAction, HubOptions, Job, JobRequest, JobUpdate, Kind, Ms, Options, Outcome, Phase, RequestKind,
    Status, Task, TransportError,
};
use proptest::{prelude::*, sample::select};
use serde_json::{Value as Plain, json};

use crate::{
    help::{asking, config, reply, with_key},
    hub_world::{Fault, Plan, Sent, carry, chain as any_chain, plan, simulate, time_of},
    json::Json,
    simulation::Event,
};

/// Rounding errors of sums of fractions of milliseconds.
const ROUNDING: f64 = 1e-3;
const MAX_COPY_ATTEMPTS: usize = 5;
const NOW: f64 = 1_800_000_000_000.0;
const RETENTION: f64 = 3_600_000.0;

const NO_LIMITER: HubOptions =
    HubOptions { has_limiter: false, copies_pictures: false, retention: Ms(RETENTION) };
const LIMITED: HubOptions = HubOptions { has_limiter: true, ..NO_LIMITER };
const COPYING: HubOptions = HubOptions { copies_pictures: true, ..NO_LIMITER };

const PLAIN: JobRequest = JobRequest { is_edit: false, is_short: false, fallbacks: 0 };

fn options() -> Options {
    with_key(&[]).unwrap()
}

fn pending() -> Plain {
    json!({"id": "img_x", "status": "pending"})
}

fn completed() -> Plain {
    json!({"id": "img_x", "status": "completed", "data": [{"b64_json": "aGk="}]})
}

/// A job whose create is being sent.
fn sending() -> Job {
    let mut job = Job::new(&options(), PLAIN, NOW);
    assert!(matches!(job.next(&options(), NO_LIMITER, NOW), HubAction::SendCreate { .. }));
    job
}

/// A job with this answer to its create.
fn answered(hub: HubOptions, status: u16, body: Plain) -> Job {
    let mut job = sending();
    job.create_answered(&options(), hub, Ok(&reply(status, body)), None, NOW, 0.5);
    job
}

/// A job whose task is being polled, 4 s after its create.
fn polling(hub: HubOptions) -> Job {
    let mut job = answered(hub, 200, pending());
    let free = HubOptions { has_limiter: false, ..hub };
    assert_eq!(job.next(&options(), free, NOW), HubAction::Sleep(NOW + 4_000.0));
    assert!(matches!(job.next(&options(), free, NOW + 4_000.0), HubAction::SendPoll(..)));
    job
}

/// A job with this answer to its first poll.
fn polled(hub: HubOptions, status: u16, body: Plain) -> Job {
    let mut job = polling(hub);
    job.poll_answered(&options(), hub, Ok(&reply(status, body)), NOW + 4_100.0, 0.5);
    job
}

fn suspended() -> Job {
    let job = polled(NO_LIMITER, 401, json!({}));
    assert_eq!(job.phase, Phase::Suspended);
    job
}

#[test]
fn every_answer_to_a_create_leads_to_its_phase() {
    let retry = json!({"error": {"retryable": true}});
    let final_ = json!({"error": {"retryable": false}});
    let failed = json!({"id": "img_x", "status": "failed"});
    let cases: [(&str, u16, Plain, Phase); 18] = [
        ("a task", 200, pending(), Phase::Waiting),
        ("a task by 202", 202, pending(), Phase::Waiting),
        ("a picture", 200, completed(), Phase::Completed),
        ("a task that has failed", 200, failed, Phase::Failed),
        (
            "a completed task without its picture",
            200,
            json!({"id": "img_x", "status": "completed"}),
            Phase::Failed,
        ),
        ("an answer that says nothing", 200, json!({}), Phase::Unknown),
        ("too many requests", 429, json!({}), Phase::Queued),
        ("too many requests, for good", 429, final_, Phase::Idle),
        ("overload before anything was done", 503, retry, Phase::Queued),
        ("overload", 503, json!({}), Phase::Unknown),
        ("a time-out", 408, json!({}), Phase::Unknown),
        ("an error", 500, json!({}), Phase::Unknown),
        ("a gateway's error", 524, json!({}), Phase::Unknown),
        ("a bad request", 400, json!({}), Phase::Refused),
        ("a request without sense", 422, json!({}), Phase::Refused),
        ("a bad key", 401, json!({}), Phase::Idle),
        ("no money", 402, json!({}), Phase::Idle),
        ("a redirect", 307, json!({}), Phase::Idle),
    ];
    for (name, status, body, phase) in cases {
        assert_eq!(answered(NO_LIMITER, status, body).phase, phase, "{name}");
    }
    assert_eq!(answered(COPYING, 200, completed()).phase, Phase::Copying);
}

#[test]
fn a_refusal_that_concerns_the_operator_frees_the_key_after_a_minute() {
    for status in [401, 402, 403, 404, 307] {
        let job = answered(NO_LIMITER, status, json!({}));
        assert_eq!(job.phase, Phase::Idle, "{status}");
        assert_eq!(job.retry_after(NOW), Ms(60_000.0), "{status}");
        assert_eq!(job.retry_after(NOW + 60_000.0), Ms::ZERO, "{status}");
    }
    // The service's own hint counts if it is longer.
    let body = json!({"error": {"retry_after": 90}});
    assert_eq!(answered(NO_LIMITER, 402, body).retry_after(NOW), Ms(90_000.0));
}

#[test]
fn a_create_without_an_answer_is_unknown_unless_it_never_left() {
    for (error, sent, phase) in [
        (TransportError::Connection, true, Phase::Unknown),
        (TransportError::Timeout, true, Phase::Unknown),
        (TransportError::Timeout, false, Phase::Idle),
        // Nothing was billed, so it is sent again.
        (TransportError::Connection, false, Phase::Queued),
    ] {
        let mut job = sending();
        let update = job.create_answered::<Json>(&options(), NO_LIMITER, Err((error, sent)), None, NOW, 0.5);
        assert_eq!(matches!(update, JobUpdate::Fail(_)), phase != Phase::Queued);
        assert_eq!(job.phase, phase);
    }
}

#[test]
fn a_lost_answer_leaves_the_task_that_a_header_names() {
    let named = || Some(Task { id: "img_x".into(), poll_url: String::new() });
    let lost = Err((TransportError::Connection, true));
    let mut job = sending();
    let update = job.create_answered::<Json>(&options(), NO_LIMITER, lost, named(), NOW, 0.5);
    assert!(matches!(update, JobUpdate::Retry(Some(_))), "{update:?}");
    assert_eq!(job.phase, Phase::Waiting);
    assert_eq!(job.task(), named().as_ref());
    let HubAction::Sleep(due) = job.next(&options(), NO_LIMITER, NOW) else {
        panic!("no gap before the first poll")
    };
    assert!(
        matches!(job.next(&options(), NO_LIMITER, due), HubAction::SendPoll(path, _) if path.ends_with("/img_x"))
    );

    // A refusal has no task, whatever its headers say.
    let mut job = sending();
    job.create_answered(&options(), NO_LIMITER, Ok(&reply(400, json!({}))), named(), NOW, 0.5);
    assert_eq!((job.phase, job.task()), (Phase::Refused, None));
}

#[test]
fn every_answer_to_a_poll_leads_to_its_phase() {
    let cases: [(&str, u16, Plain, Phase); 10] = [
        ("running", 200, pending(), Phase::Waiting),
        ("an unknown state", 200, json!({"status": "dreaming"}), Phase::Waiting),
        ("not known yet", 404, json!({}), Phase::Waiting),
        ("too many requests", 429, json!({}), Phase::Waiting),
        ("an error", 500, json!({}), Phase::Waiting),
        ("an error for good", 500, json!({"error": {"retryable": false}}), Phase::Suspended),
        ("a bad key", 401, json!({}), Phase::Suspended),
        ("completed without a picture", 200, json!({"status": "completed"}), Phase::Failed),
        ("completed", 200, completed(), Phase::Completed),
        ("failed", 200, json!({"status": "failed"}), Phase::Failed),
    ];
    for (name, status, body, phase) in cases {
        let job = polled(NO_LIMITER, status, body);
        assert_eq!(job.phase, phase, "{name}");
        assert_eq!(job.task().map(|task| task.id.as_str()), Some("img_x"), "{name}");
    }
    assert_eq!(polled(COPYING, 200, completed()).phase, Phase::Copying);
    let mut job = polling(NO_LIMITER);
    let update =
        job.poll_answered::<Json>(&options(), NO_LIMITER, Err((TransportError::Connection, true)), NOW, 0.5);
    assert!(matches!(update, JobUpdate::Retry(Some(_))), "the failure is for the log");
    assert_eq!(job.phase, Phase::Waiting);
}

#[test]
fn an_answer_comes_back_to_its_caller() {
    let mut job = sending();
    let JobUpdate::Answered(parsed) =
        job.create_answered(&options(), NO_LIMITER, Ok(&reply(200, pending())), None, NOW, 0.5)
    else {
        panic!("no answer")
    };
    assert_eq!(parsed.status, Status::Pending);
    let mut job = polling(NO_LIMITER);
    let JobUpdate::Answered(parsed) =
        job.poll_answered(&options(), NO_LIMITER, Ok(&reply(200, completed())), NOW, 0.5)
    else {
        panic!("no answer")
    };
    assert_eq!(parsed.status, Status::Completed);
}

#[test]
fn an_ended_job_is_kept_and_then_forgotten() {
    let ends = [
        answered(NO_LIMITER, 200, completed()),
        answered(NO_LIMITER, 200, json!({"id": "img_x", "status": "failed"})),
        answered(NO_LIMITER, 400, json!({})),
        answered(NO_LIMITER, 429, json!({"error": {"retryable": false}})),
        answered(NO_LIMITER, 500, json!({})),
    ];
    for mut job in ends {
        assert!(job.phase.is_end());
        let kept = job.clone();
        assert_eq!(job.next(&options(), NO_LIMITER, NOW + 1.0), HubAction::Sleep(NOW + RETENTION), "{job:?}");
        assert_eq!(job, kept);
        assert_eq!(job.next(&options(), NO_LIMITER, NOW + RETENTION), HubAction::Forget);
        let update = job.clone().resume::<Json>(&options(), NOW, 0.5);
        assert!(!update, "{job:?}");
    }
    let mut job = suspended();
    let ended = NOW + 4_100.0;
    assert_eq!(job.next(&options(), NO_LIMITER, ended), HubAction::Sleep(ended + RETENTION));
    assert_eq!(job.next(&options(), NO_LIMITER, ended + RETENTION), HubAction::Forget);
}

#[test]
fn a_job_that_is_kept_forever_can_be_stored() {
    let forever = HubOptions { retention: Ms(f64::INFINITY), ..NO_LIMITER };
    let mut job = carry(&answered(forever, 200, completed()));
    assert!(matches!(job.next(&options(), forever, NOW), HubAction::Sleep(until) if until.is_finite()));
}

#[test]
fn rule_1_a_crash_while_sending_stays_unknown() {
    let mut job = carry(&sending());
    let HubAction::Fail(failure) = job.next(&options(), NO_LIMITER, NOW + 5.0) else { panic!("it goes on") };
    assert_eq!((failure.kind, failure.outcome), (Kind::Connection, Outcome::Unknown));
    assert_eq!(job.phase, Phase::Unknown);
    assert!(!job.resume::<Json>(&options(), NOW, 0.5));
    assert_eq!(job.next(&options(), NO_LIMITER, NOW + 6.0), HubAction::Sleep(NOW + 5.0 + RETENTION));
}

/// The action that asks for an admission until this time.
fn request(kind: RequestKind, now: f64, until: f64) -> HubAction {
    HubAction::RequestAdmission(kind, Ms(until - now))
}

#[test]
fn each_attempt_at_a_create_needs_an_admission() {
    let options = options();
    let asks = |now| request(RequestKind::Create, now, NOW + options.max_wait.0);
    let mut job = Job::new(&options, PLAIN, NOW);
    assert_eq!(job.next(&options, LIMITED, NOW), asks(NOW));
    job.admission_answered(Ms(700.0), NOW);
    assert_eq!(job.next(&options, LIMITED, NOW + 1.0), HubAction::Sleep(NOW + 700.0));
    assert_eq!(job.next(&options, LIMITED, NOW + 700.0), asks(NOW + 700.0));
    job.admission_answered(Ms(0.0), NOW + 700.0);
    assert!(matches!(job.next(&options, LIMITED, NOW + 700.0), HubAction::SendCreate { .. }));
    let refused = asking(reply(429, json!({})), 2.0);
    let update = job.create_answered(&options, LIMITED, Ok(&refused), None, NOW + 900.0, 0.5);
    assert!(matches!(update, JobUpdate::Retry(Some(failure)) if failure.status == 429), "it is for the log");
    assert_eq!(job.next(&options, LIMITED, NOW + 900.0), HubAction::Sleep(NOW + 2_900.0));
    assert_eq!(job.next(&options, LIMITED, NOW + 2_900.0), asks(NOW + 2_900.0));
}

#[test]
fn a_create_that_is_not_admitted_in_time_is_not_sent() {
    let options = options();
    let deadline = NOW + options.max_wait.0;
    let mut at_deadline = Job::new(&options, PLAIN, NOW);
    let mut at_once = at_deadline.clone();
    at_deadline.admission_answered(options.max_wait, NOW);
    assert_eq!(at_deadline.next(&options, LIMITED, NOW), HubAction::Sleep(deadline));
    // The limiter keeps no place for one that would be admitted too late.
    at_once.admission_answered(options.max_wait + Ms(1.0), NOW);
    for (mut job, now, asked) in
        [(at_once, NOW, options.max_wait.0 + 1.0), (at_deadline, deadline, options.max_wait.0)]
    {
        let HubAction::Fail(failure) = job.next(&options, LIMITED, now) else { panic!("it goes on") };
        assert_eq!(
            (failure.kind, failure.outcome, job.phase),
            (Kind::RateLimit, Outcome::NotSent, Phase::Idle)
        );
        assert_eq!(failure.retry_after.0, asked);
    }
}

#[test]
fn rule_6_a_create_whose_hint_lies_after_its_deadline_ends_at_once_with_the_hint() {
    let options = Options { max_wait: Ms(30_000.0), ..options() };
    let mut job = Job::new(&options, PLAIN, NOW);
    assert!(matches!(job.next(&options, NO_LIMITER, NOW), HubAction::SendCreate { .. }));
    let mut at_end = job.clone();
    let JobUpdate::Fail(failure) = job.create_answered(
        &options,
        NO_LIMITER,
        Ok(&asking(reply(429, json!({})), 40.0)),
        None,
        NOW + 1.0,
        0.5,
    ) else {
        panic!("it goes on")
    };
    assert_eq!(
        (failure.status, failure.outcome, failure.retry_after.0),
        (429, Outcome::Rejected, 40_000.0),
        "its own answer is the reason"
    );
    assert_eq!((job.phase, job.retry_after(NOW + 1.0).0), (Phase::Idle, 40_000.0));
    // The same without a hint: a back-off of our own that comes too late.
    let refused = reply(429, json!({}));
    assert!(matches!(
        at_end.create_answered(&options, NO_LIMITER, Ok(&refused), None, NOW + 29_900.0, 0.5),
        JobUpdate::Fail(_)
    ));
    assert_eq!(at_end.retry_after(NOW + 29_900.0).0, 1_000.0, "a 429 is a pause, whether or not it says so");
}

#[test]
fn one_deadline_bounds_the_admissions_of_all_polls() {
    let options = options();
    // The last poll, at the deadline, has a minute to be admitted.
    let asks = |now| request(RequestKind::Poll, now, NOW + options.max_wait.0 + 60_000.0);
    let mut job = answered(LIMITED, 200, pending());
    let due = NOW + 4_000.0;
    assert_eq!(job.next(&options, LIMITED, NOW), HubAction::Sleep(due));
    assert_eq!(job.next(&options, LIMITED, due), asks(due));
    job.admission_answered(Ms(500.0), due);
    assert_eq!(job.next(&options, LIMITED, due), HubAction::Sleep(due + 500.0));
    assert_eq!(job.next(&options, LIMITED, due + 500.0), asks(due + 500.0));
    let mut admitted = job.clone();
    admitted.admission_answered(Ms(0.0), due + 500.0);
    assert!(matches!(admitted.next(&options, LIMITED, due + 500.0), HubAction::SendPoll(..)));
    // A poll does not move the deadline.
    admitted.poll_answered(&options, LIMITED, Ok(&reply(200, pending())), due + 600.0, 0.5);
    let HubAction::Sleep(next) = admitted.next(&options, LIMITED, due + 600.0) else { panic!("no gap") };
    assert_eq!(admitted.next(&options, LIMITED, next), asks(next));
    // An admission that would come too late ends the wait at once, and says when to come back.
    job.admission_answered(Ms(1e12), due + 500.0);
    let HubAction::Fail(failure) = job.next(&options, LIMITED, due + 500.0) else { panic!("it goes on") };
    assert_eq!(
        (failure.kind, failure.outcome, failure.retry_after.0, job.phase),
        (Kind::WaitTimeout, Outcome::Accepted, 1e12, Phase::Suspended)
    );
    assert!(failure.message.contains("waitForTask(error.task)"), "{}", failure.message);
}

#[test]
fn a_resumed_task_does_not_repeat_the_hint_of_an_earlier_admission() {
    let options = options();
    let mut job = answered(LIMITED, 200, pending());
    let due = NOW + 4_000.0;
    job.admission_answered(Ms(400_000.0), due);
    let HubAction::Fail(failure) = job.next(&options, LIMITED, due) else { panic!("it goes on") };
    assert_eq!(failure.retry_after.0, 400_000.0);
    let now = NOW + 1_000_000.0;
    assert!(job.resume::<Json>(&options, now, 0.5));
    // The limiter has not answered when the time is over.
    let HubAction::Fail(failure) = job.next(&options, LIMITED, now + options.max_wait.0 + 60_000.0) else {
        panic!("it goes on")
    };
    assert_eq!((failure.kind, failure.retry_after), (Kind::WaitTimeout, Ms::ZERO));
}

#[test]
fn only_the_pause_between_two_polls_is_routine() {
    let options = Options { poll_min: Ms(30_000.0), poll_max: Ms(60_000.0), ..options() };
    assert!(Job::is_routine(&options, NOW + 60_000.0, NOW));
    assert!(!Job::is_routine(&options, NOW + 62_000.0, NOW));
}

#[test]
fn a_poll_that_was_interrupted_is_repeated_after_a_gap() {
    let mut job = carry(&polling(NO_LIMITER));
    let now = NOW + 4_200.0;
    assert_eq!(job.next(&options(), NO_LIMITER, now), HubAction::Sleep(now + 4_500.0));
    assert!(matches!(job.next(&options(), NO_LIMITER, now + 4_500.0), HubAction::SendPoll(..)));
}

#[test]
fn copying_is_tried_again_after_growing_pauses_and_then_given_up() {
    let mut job = answered(COPYING, 200, completed());
    let mut now = NOW;
    for pause in [1_000.0, 2_000.0, 4_000.0, 8_000.0] {
        assert_eq!(job.next(&options(), COPYING, now), HubAction::CopyPictures);
        job.pictures_copied(false, COPYING, now, 0.5);
        assert_eq!(job.next(&options(), COPYING, now), HubAction::Sleep(now + pause));
        now += pause;
    }
    assert_eq!(job.next(&options(), COPYING, now), HubAction::CopyPictures);
    job.pictures_copied(false, COPYING, now, 0.5);
    assert_eq!(job.phase, Phase::Completed);

    let mut job = answered(COPYING, 200, completed());
    assert_eq!(job.next(&options(), COPYING, NOW), HubAction::CopyPictures);
    job.pictures_copied(true, COPYING, NOW, 0.5);
    assert_eq!(job.phase, Phase::Completed);
}

#[test]
fn copying_that_ends_the_process_is_given_up() {
    let mut job = answered(COPYING, 200, completed());
    for _ in 0..MAX_COPY_ATTEMPTS {
        assert_eq!(job.next(&options(), COPYING, NOW), HubAction::CopyPictures);
        job = carry(&job);
    }
    assert_eq!(job.next(&options(), COPYING, NOW), HubAction::Sleep(NOW + RETENTION));
    assert_eq!(job.phase, Phase::Completed);
}

#[test]
fn a_suspended_task_is_resumed_but_not_sooner_than_the_cadence_allows() {
    let mut job = suspended();
    let ended = NOW + 4_100.0;
    // A client that asks at once gets the reason.
    assert!(!job.resume::<Json>(&options(), ended + 9_999.0, 0.5));
    assert_eq!(job.phase, Phase::Suspended);
    let slow = Options { poll_min: Ms(20_000.0), poll_max: Ms(20_000.0), ..options() };
    let mut slow_job = sending();
    slow_job.create_answered(&slow, NO_LIMITER, Ok(&reply(200, pending())), None, NOW, 0.5);
    let polled_at = NOW + 20_000.0;
    assert!(matches!(slow_job.next(&slow, NO_LIMITER, polled_at), HubAction::SendPoll(..)));
    let ended = polled_at + 100.0;
    slow_job.poll_answered(&slow, NO_LIMITER, Ok(&reply(401, json!({}))), ended, 0.5);
    let slow = Options { poll_max: Ms(5_000.0), ..slow };
    let due = polled_at + 20_000.0;
    assert!(!slow_job.resume::<Json>(&slow, due - 1.0, 0.5));
    assert!(slow_job.resume::<Json>(&slow, due, 0.5));
    assert_eq!(slow_job.phase, Phase::Waiting);
    assert!(matches!(slow_job.next(&slow, NO_LIMITER, due), HubAction::SendPoll(..)));
    // Long after, at once, and with the whole time of a wait.
    let mut job = suspended();
    let now = ended + 600_000.0;
    assert!(job.resume::<Json>(&options(), now, 0.5));
    assert!(matches!(job.next(&options(), NO_LIMITER, now), HubAction::SendPoll(..)));
    job.poll_answered(&options(), NO_LIMITER, Ok(&reply(200, pending())), now, 0.5);
    assert_eq!(job.next(&options(), NO_LIMITER, now), HubAction::Sleep(now + 4_500.0));
}

#[test]
fn rule_6_a_suspended_task_is_not_polled_before_the_server_wants_it() {
    let mut job = polling(NO_LIMITER);
    let now = NOW + 4_100.0;
    let refused = asking(reply(429, json!({})), 900.0);
    job.poll_answered(&options(), NO_LIMITER, Ok(&refused), now, 0.5);
    assert!(matches!(job.next(&options(), NO_LIMITER, now), HubAction::Fail(_)));
    assert_eq!(job.phase, Phase::Suspended);
    // Until then the reason stands, with its hint.
    let unchanged = job.clone();
    assert!(!job.resume::<Json>(&options(), now + 899_999.0, 0.5));
    assert_eq!(job, unchanged);
    assert!(job.resume::<Json>(&options(), now + 900_000.0, 0.5));
    assert!(matches!(job.next(&options(), NO_LIMITER, now + 900_000.0), HubAction::SendPoll(..)));
}

/// The states that a version has stored, by name.
fn stored(version: &str) -> serde_json::Map<String, Plain> {
    let path = format!("tests/core/fixtures/hub-jobs-{version}.json");
    let text = std::fs::read_to_string(&path).expect(&path);
    serde_json::from_str(&text).expect(&path)
}

#[test]
fn stored_states_of_every_version_are_read_and_go_on() {
    for version in ["1"] {
        for (name, state) in stored(version) {
            let phase = state["phase"].clone();
            let job: Job = serde_json::from_value(state).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut job = job.migrated().unwrap_or_else(|| panic!("{name} is refused"));
            let migrated = carry(&job);
            assert_eq!(serde_json::to_value(migrated.phase).unwrap(), phase, "{name}");
            // Long after, each of them does what its phase says.
            let now = NOW + 10.0 * RETENTION;
            let action = job.next(&options(), NO_LIMITER, now);
            let fails_with =
                |outcome| matches!(&action, HubAction::Fail(failure) if failure.outcome == outcome);
            let fits = match migrated.phase {
                Phase::Queued => fails_with(Outcome::NotSent),
                Phase::Sending => fails_with(Outcome::Unknown),
                // A process that ended during a poll has lost it.
                Phase::Waiting => {
                    matches!(&action, HubAction::SendPoll(..) | HubAction::Sleep(_) | HubAction::Fail(_))
                }
                Phase::Copying => action == HubAction::CopyPictures,
                _ => action == HubAction::Forget,
            };
            assert!(fits, "{name}: {action:?}");
        }
    }
}

#[test]
fn an_ended_job_expires_after_its_retention() {
    let job = answered(NO_LIMITER, 200, completed());
    assert!(!job.is_expired(NOW + RETENTION - 1.0) && job.is_expired(NOW + RETENTION));
    assert!(!answered(NO_LIMITER, 200, pending()).is_expired(NOW + 1e12));
}

#[test]
fn the_state_of_a_later_version_is_left_alone() {
    let mut state = serde_json::to_value(suspended()).unwrap();
    state["version"] = json!(2);
    let job: Job = serde_json::from_value(state.clone()).unwrap();
    assert!(job.migrated().is_none());
    state["phase"] = json!("dreaming");
    assert!(serde_json::from_value::<Job>(state).is_err());
}

/// A job whose model has refused its short create.
fn short_refused() -> Job {
    let mut job = Job::new(&options(), JobRequest { is_short: true, ..PLAIN }, NOW);
    job.next(&options(), NO_LIMITER, NOW);
    let error = json!({"error": {"code": "unsupported_parameter", "param": "async"}});
    job.create_answered(&options(), NO_LIMITER, Ok(&reply(400, error)), None, NOW, 0.5);
    job
}

/// A state of each kind, as this version stores it.
fn states() -> Plain {
    let options = options();
    let mut queued = Job::new(&options, PLAIN, NOW);
    queued.next(&options, LIMITED, NOW);
    queued.admission_answered(Ms(700.0), NOW);
    let mut poll_queued = answered(LIMITED, 200, pending());
    poll_queued.next(&options, LIMITED, NOW + 4_000.0);
    poll_queued.admission_answered(Ms(500.0), NOW + 4_000.0);
    let mut copying = answered(COPYING, 200, completed());
    copying.next(&options, COPYING, NOW);
    let mut suspended_by_a_429 = polling(NO_LIMITER);
    suspended_by_a_429.poll_answered(
        &options,
        NO_LIMITER,
        Ok(&asking(reply(429, json!({})), 900.0)),
        NOW + 4_100.0,
        0.5,
    );
    suspended_by_a_429.next(&options, NO_LIMITER, NOW + 4_100.0);
    let with_poll_url = json!({"id": "img_x", "status": "pending", "poll_url": "/v1/tasks/img_x"});
    json!({
        "queued": Job::new(&options, PLAIN, NOW),
        "queued_for_admission": queued,
        "sending": sending(),
        "refused_for_now": answered(NO_LIMITER, 429, json!({})),
        "waiting": answered(NO_LIMITER, 200, pending()),
        "waiting_with_a_poll_url": answered(NO_LIMITER, 200, with_poll_url),
        "poll_queued": poll_queued,
        "polling": polling(NO_LIMITER),
        "poll_lost": polled(NO_LIMITER, 500, json!({})),
        "copying": copying,
        "completed": answered(NO_LIMITER, 200, completed()),
        "failed": answered(NO_LIMITER, 200, json!({"id": "img_x", "status": "failed"})),
        "refused": answered(NO_LIMITER, 400, json!({})),
        "idle": answered(NO_LIMITER, 429, json!({"error": {"retryable": false}})),
        "unknown": answered(NO_LIMITER, 500, json!({})),
        "suspended": suspended(),
        "suspended_by_a_429": suspended_by_a_429,
        "queued_edit": Job::new(&options, JobRequest { is_edit: true, ..PLAIN }, NOW),
        "refused_for_async": short_refused(),
        "waiting_with_a_fallback": chain(&[Cause::Pending]).0,
    })
}

#[test]
fn the_fixtures_have_the_fields_that_this_version_stores() {
    // WRITE_FIXTURES=1 writes them.
    if std::env::var_os("WRITE_FIXTURES").is_some() {
        let text = serde_json::to_string_pretty(&states()).unwrap();
        std::fs::write("tests/core/fixtures/hub-jobs-1.json", text + "\n").unwrap();
    }
    let names = |state: &Plain| state.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
    for (name, kept) in stored("1") {
        let state = &states()[&name];
        let inner = ["wait", "create", "request"].map(|part| (&state[part], &kept[part]));
        for (now, then) in [(state, &kept)].into_iter().chain(inner) {
            let what_to_do =
                "a stored field has changed: raise VERSION, keep these fixtures, and add new ones";
            assert_eq!(names(now), names(then), "{name}: {what_to_do}");
        }
    }
}

#[test]
fn an_edit_has_a_path_of_its_own() {
    let mut job = Job::new(&options(), JobRequest { is_edit: true, ..PLAIN }, NOW);
    let HubAction::SendCreate { path, .. } = job.next(&options(), NO_LIMITER, NOW) else {
        panic!("not sent")
    };
    assert_eq!(path, "/v1/images/edits");
    for status in [400, 429] {
        let update = job.clone().create_answered(
            &options(),
            NO_LIMITER,
            Ok(&reply(status, json!({}))),
            None,
            NOW,
            0.5,
        );
        let (JobUpdate::Fail(failure) | JobUpdate::Retry(Some(failure))) = update else {
            panic!("{update:?}")
        };
        assert!(failure.message.starts_with("POST /v1/images/edits "), "{}", failure.message);
    }
}

/// A job whose short create is being sent.
fn sending_short() -> Job {
    let mut job = Job::new(&options(), JobRequest { is_short: true, fallbacks: 1, ..PLAIN }, NOW);
    assert!(matches!(job.next(&options(), NO_LIMITER, NOW), HubAction::SendCreate { is_short: true, .. }));
    job
}

#[test]
fn a_model_that_refuses_async_is_asked_once_more_without_it() {
    let refusals = [
        json!({"error": {"message": "Unknown parameter: 'async'."}}),
        json!({"error": {"message": "No.", "code": "unsupported_parameter", "param": "async"}}),
        json!({"error": {"code": "async_not_supported"}}),
        json!({"error": {"message": "No."}, "validation_errors": [{"field": "async", "message": "Unknown"}]}),
        json!({"detail": [{"loc": ["body", "async"], "msg": "Extra inputs are not permitted"}]}),
    ];
    for status in [400, 422] {
        for refusal in &refusals {
            let mut job = sending_short();
            let answer = reply(status, refusal.clone());
            let update = job.create_answered(&options(), LIMITED, Ok(&answer), None, NOW, 0.5);
            assert!(matches!(update, JobUpdate::Retry(Some(_))), "the failure is for the log: {refusal}");
            let mut job = carry(&job);
            assert_eq!(
                job.next(&options(), LIMITED, NOW),
                request(RequestKind::Create, NOW, NOW + 300_000.0)
            );
            job.admission_answered(Ms(0.0), NOW);
            let next = job.next(&options(), LIMITED, NOW);
            assert!(matches!(next, HubAction::SendCreate { is_short: false, .. }), "{refusal}: {next:?}");
            // The same answer to the plain create is its own.
            let update = job.create_answered(&options(), LIMITED, Ok(&answer), None, NOW, 0.5);
            assert!(matches!(update, JobUpdate::Fail(_)), "{refusal}");
            assert_eq!(job.phase, Phase::Refused);
        }
    }
}

#[test]
fn a_short_create_is_not_repeated_for_any_other_reason() {
    let named = json!({"error": {"message": "async is broken"}});
    let others = [
        (400, json!({"error": {"message": "Unknown parameter: 'size'."}}), Phase::Refused),
        (401, named.clone(), Phase::Idle),
        (402, named.clone(), Phase::Idle),
        (403, named.clone(), Phase::Idle),
        (500, named.clone(), Phase::Unknown),
        (503, named.clone(), Phase::Unknown),
        (200, named.clone(), Phase::Unknown),
    ];
    for (status, body, phase) in others {
        let mut job = sending_short();
        job.create_answered(&options(), NO_LIMITER, Ok(&reply(status, body)), None, NOW, 0.5);
        assert_eq!(job.phase, phase, "{status}");
    }
    let mut job = sending_short();
    job.create_answered::<Json>(&options(), NO_LIMITER, Err((TransportError::Timeout, true)), None, NOW, 0.5);
    assert_eq!(job.phase, Phase::Unknown);
    // A crash, too, ends it.
    let mut job = carry(&sending_short());
    assert!(matches!(job.next(&options(), NO_LIMITER, NOW), HubAction::Fail(_)));
    // Another model may take the field.
    let mut job = short_refused_with_a_fallback();
    assert!(matches!(job.next(&options(), NO_LIMITER, NOW), HubAction::SendCreate { is_short: false, .. }));
    let gone = reply(400, json!({"error": {"code": "model_not_found"}}));
    assert!(matches!(
        job.create_answered(&options(), NO_LIMITER, Ok(&gone), None, NOW, 0.5),
        JobUpdate::Fallback(_)
    ));
    assert!(matches!(job.next(&options(), NO_LIMITER, NOW), HubAction::SendCreate { is_short: true, .. }));
}

fn short_refused_with_a_fallback() -> Job {
    let mut job = sending_short();
    let refused = reply(400, json!({"error": {"param": "async"}}));
    job.create_answered(&options(), NO_LIMITER, Ok(&refused), None, NOW, 0.5);
    job
}

/// A picture takes a minute. A crash in each of its seconds leaves so many creates unknown.
#[test]
fn a_short_create_leaves_a_second_of_a_minute_to_a_crash() {
    let unknown_after = |is_short: bool| {
        let crashed_at = |second: u32| {
            let mut job = Job::new(&options(), JobRequest { is_short, ..PLAIN }, NOW);
            job.next(&options(), NO_LIMITER, NOW);
            if is_short && second > 0 {
                job.create_answered(
                    &options(),
                    NO_LIMITER,
                    Ok(&reply(200, pending())),
                    None,
                    NOW + 700.0,
                    0.5,
                );
            }
            let mut job = carry(&job);
            job.next(&options(), NO_LIMITER, NOW + 1_000.0 * f64::from(second));
            job.phase
        };
        (0..60).filter(|second| crashed_at(*second) == Phase::Unknown).count()
    };
    assert_eq!((unknown_after(false), unknown_after(true)), (60, 1));
}

/// What becomes of one model of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Create(u16, &'static str, Option<bool>),
    Lost(TransportError, bool),
    /// The create is answered with a task that has ended in this way.
    Ended(&'static str),
    /// The task exists, and its poll says that it has ended in this way.
    Polled(&'static str),
    /// The task exists, and its poll is refused with this status and code.
    PollRefused(u16, &'static str),
    Unclear,
    /// The process ends while the create is under way.
    Crash,
    Pending,
    Done,
}

/// All of them, and whether the model certainly bills nothing and another one may do better.
const CAUSES: [(Cause, bool); 24] = [
    (Cause::Create(400, "model_not_found", None), true),
    (Cause::Create(403, "model_not_allowed", None), true),
    (Cause::Create(429, "rate_limit_exceeded", Some(false)), true),
    (Cause::Create(503, "all_channels_failed", Some(true)), true),
    (Cause::Create(503, "model_unavailable", Some(true)), true),
    (Cause::Lost(TransportError::Connection, false), true),
    (Cause::Ended("failed"), true),
    (Cause::Polled("failed"), true),
    // A model that makes nothing of it may not be the last.
    (Cause::Polled("completed"), true),
    (Cause::Create(503, "all_channels_failed", None), false),
    (Cause::Create(500, "model_unavailable", None), false),
    (Cause::Create(408, "timeout_error", None), false),
    (Cause::Create(400, "invalid_request_error", None), false),
    (Cause::Create(401, "invalid_api_key", None), false),
    (Cause::Create(402, "insufficient_balance", None), false),
    (Cause::Lost(TransportError::Connection, true), false),
    (Cause::Lost(TransportError::Timeout, true), false),
    (Cause::Ended("cancelled"), false),
    (Cause::Polled("cancelled"), false),
    (Cause::PollRefused(403, "model_not_allowed"), false),
    (Cause::PollRefused(401, "invalid_api_key"), false),
    (Cause::Unclear, false),
    (Cause::Crash, false),
    (Cause::Done, false),
];

/// A job that has met these causes, one a model, and how many creates were sent.
fn chain(causes: &[Cause]) -> (Job, usize) {
    let options = Options { max_retries: 0, ..options() };
    let mut job = Job::new(&options, JobRequest { fallbacks: 2, ..PLAIN }, NOW);
    let mut now = NOW;
    for (index, cause) in causes.iter().enumerate() {
        // The process ends between any two steps.
        job = carry(&job);
        if job.phase != Phase::Queued {
            return (job, index);
        }
        now += 1.0;
        assert!(matches!(job.next(&options, NO_LIMITER, now), HubAction::SendCreate { .. }), "{causes:?}");
        let ended = |word: &str| reply(200, json!({"id": "img_x", "status": word}));
        let answer =
            |job: &mut Job, answer| job.create_answered(&options, NO_LIMITER, Ok(&answer), None, now, 0.5);
        match *cause {
            Cause::Create(status, code, retryable) => {
                answer(&mut job, reply(status, json!({"error": {"code": code, "retryable": retryable}})));
            }
            Cause::Lost(error, sent) => {
                job.create_answered::<Json>(&options, NO_LIMITER, Err((error, sent)), None, now, 0.5);
            }
            Cause::Ended(word) => drop(answer(&mut job, ended(word))),
            Cause::Unclear => drop(answer(&mut job, reply(200, json!({})))),
            Cause::Crash => drop(carry(&job).next(&options, NO_LIMITER, now)),
            Cause::Done => drop(answer(&mut job, reply(200, completed()))),
            Cause::Pending | Cause::Polled(_) | Cause::PollRefused(..) => {
                answer(&mut job, reply(200, pending()));
                now += 10_000.0;
                assert_eq!(job.needs_request(), index < 2, "another model may follow");
                if *cause != Cause::Pending {
                    assert!(matches!(job.next(&options, NO_LIMITER, now), HubAction::SendPoll(..)));
                }
                match *cause {
                    Cause::Polled(word) => {
                        drop(job.poll_answered(&options, NO_LIMITER, Ok(&ended(word)), now, 0.5));
                    }
                    Cause::PollRefused(status, code) => {
                        let refused = reply(status, json!({"error": {"code": code}}));
                        job.poll_answered(&options, NO_LIMITER, Ok(&refused), now, 0.5);
                    }
                    _ => {}
                }
            }
        }
        if *cause == Cause::Crash {
            job.next(&options, NO_LIMITER, now);
        }
    }
    (job, causes.len())
}

#[test]
fn rule_1_a_chain_of_three_models_never_leaves_two_possible_bills() {
    for (first, first_allows) in CAUSES {
        for (second, second_allows) in CAUSES {
            for (third, _) in CAUSES {
                let (job, sends) = chain(&[first, second, third]);
                let expected = 1 + usize::from(first_allows) + usize::from(first_allows && second_allows);
                assert_eq!(sends, expected, "{first:?}, {second:?}, {third:?}");
                let last = [first, second, third][sends - 1];
                assert_eq!(job.phase, end_of(last), "{first:?}, {second:?}, {third:?}");
                assert!(job.phase.is_end());
            }
        }
    }
}

/// How a job without another model ends.
fn end_of(cause: Cause) -> Phase {
    let gone = Cause::Create(400, "model_not_found", None);
    chain(&[gone, gone, cause]).0.phase
}

#[test]
fn a_chain_keeps_its_request_until_no_other_model_can_follow() {
    for (cause, _) in CAUSES {
        let (job, _) = chain(&[cause]);
        let may_be_sent = matches!(job.phase, Phase::Queued | Phase::Suspended);
        assert_eq!(job.needs_request(), may_be_sent, "{cause:?}");
    }
    assert!(!answered(NO_LIMITER, 200, pending()).needs_request(), "no other model is named");
}

#[test]
fn each_model_of_a_chain_has_its_own_retries_and_its_own_time() {
    let mut job = Job::new(&options(), JobRequest { fallbacks: 1, ..PLAIN }, NOW);
    let mut now = NOW;
    let mut sent_at = Vec::new();
    let busy = reply(429, json!({}));
    loop {
        match job.next(&options(), LIMITED, now) {
            HubAction::RequestAdmission(_, left) => {
                let started = if sent_at.len() < 3 { NOW } else { sent_at[2] + 1.0 };
                assert_eq!(left, Ms(started + options().max_wait.0 - now));
                job.admission_answered(Ms(0.0), now);
            }
            HubAction::SendCreate { .. } => {
                sent_at.push(now);
                now += 1.0;
                job.create_answered(&options(), LIMITED, Ok(&busy), None, now, 0.5);
            }
            HubAction::Sleep(until) if !job.phase.is_end() => now = until,
            _ => break,
        }
    }
    assert_eq!((sent_at.len(), job.phase), (6, Phase::Idle));
}

#[test]
fn a_poll_url_that_leads_elsewhere_is_replaced_by_the_id() {
    let body = json!({"id": "img_x", "status": "pending", "poll_url": "https://evil.example/v1/tasks/x"});
    let mut job = answered(NO_LIMITER, 200, body);
    let HubAction::SendPoll(path, _) = job.next(&options(), NO_LIMITER, NOW + 60_000.0) else {
        panic!("no poll")
    };
    assert_eq!(path, "/v1/images/generations/img_x");
}

/// Whether any of the creates that were sent may have been carried out.
fn may_be_billed(plan: &Plan, sends: usize) -> bool {
    plan.sends.iter().take(sends).any(Sent::may_be_billed)
}

/// Whether the process ends at any step.
fn crashes(plan: &Plan) -> bool {
    let mut faults = plan.faults.iter().chain([&plan.then]);
    faults.any(|fault| matches!(fault, Fault::Before(_) | Fault::After(_)))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rule_1_a_create_is_sent_again_only_where_the_server_did_nothing(plan in plan()) {
        let run = simulate(&plan);
        let Some(((_, last), earlier)) = run.sends.split_last() else { return Ok(()) };
        for (_, sent) in earlier {
            prop_assert!(sent.as_ref().is_some_and(Sent::may_be_repeated), "sent again after {:?}", sent);
        }
        prop_assert!(run.sends.len() <= plan.options.max_retries as usize + 1);
        if last.is_none() {
            let phases: Vec<_> = run.ends.iter().map(|end| end.1).collect();
            prop_assert_eq!(phases, [Phase::Unknown], "after a crash");
        }
    }

    #[test]
    fn rule_1_a_chain_goes_on_only_where_the_last_create_bills_nothing(plan in any_chain()) {
        let run = simulate(&plan);
        for pair in run.sends.windows(2) {
            let ((at, sent), (next, _)) = (&pair[0], &pair[1]);
            let has_failed = || {
                run.polls.iter().filter(|poll| poll.at >= *at && poll.at <= *next).any(|poll| {
                    poll.seen.as_ref().is_some_and(|(_, turn)| turn.event == Event::Failed { cancelled: false })
                })
            };
            let bills_nothing = sent.as_ref().is_some_and(|sent| match sent {
                Sent::Refused { status: 429, .. } | Sent::FailedTask | Sent::Empty => true,
                Sent::Task { .. } => has_failed(),
                _ => sent.may_be_repeated(),
            });
            prop_assert!(bills_nothing, "sent again after {:?}", sent);
        }
        let most = (plan.options.max_retries + 1) * (plan.request.fallbacks + 1);
        prop_assert!(run.sends.len() <= most as usize);
        prop_assert!(run.ends.last().expect("an end").1.is_end());
    }

    #[test]
    fn rule_1_idle_and_refused_mean_that_nothing_was_billed(plan in plan()) {
        let run = simulate(&plan);
        let billed = may_be_billed(&plan, run.sends.len());
        for (_, phase, _) in &run.ends {
            let harmless = matches!(phase, Phase::Idle | Phase::Refused);
            prop_assert!(!(harmless && billed), "{:?} after {:?}", phase, run.sends);
            // The other way round, only a crash makes what did nothing unknown.
            prop_assert!(harmless || billed || crashes(&plan) || run.sends.len() > plan.sends.len(), "{:?}", run);
        }
    }

    #[test]
    fn rule_2_a_task_that_exists_is_never_lost(plan in plan()) {
        let run = simulate(&plan);
        let known = run.sends.last().and_then(|(_, sent)| sent.as_ref()).is_some_and(Sent::names_task);
        for (_, phase, failure) in &run.ends {
            let fits = matches!(phase, Phase::Completed | Phase::Failed | Phase::Suspended);
            prop_assert!(!known || fits, "{:?} with a task", phase);
            if let Some(failure) = failure {
                let outcome = match phase {
                    Phase::Failed => Outcome::Failed,
                    Phase::Suspended => Outcome::Accepted,
                    Phase::Unknown => Outcome::Unknown,
                    _ => failure.outcome,
                };
                prop_assert_eq!(failure.outcome, outcome);
            }
        }
        prop_assert_eq!(run.job.task().map(|task| task.id.as_str()), known.then_some("img_x"));
    }

    #[test]
    fn rule_2_only_its_own_end_completes_a_task(plan in plan()) {
        let run = simulate(&plan);
        let ended_well = run.ends.iter().any(|end| end.1 == Phase::Completed);
        let inline = run.sends.iter().any(|(_, sent)| *sent == Some(Sent::Inline));
        let seen = |event: &dyn Fn(&Event) -> bool| {
            run.polls.iter().any(|poll| poll.seen.as_ref().is_some_and(|(_, turn)| event(&turn.event)))
        };
        prop_assert_eq!(ended_well, inline || seen(&|event| *event == Event::Completed));
        if ended_well {
            prop_assert_eq!(run.ends.last().map(|end| end.1), Some(Phase::Completed));
        }
    }

    #[test]
    fn polls_keep_the_cadence_across_crashes_and_resumptions(plan in plan()) {
        let run = simulate(&plan);
        for pair in run.polls.windows(2) {
            let (poll, next) = (&pair[0], &pair[1]);
            let gap = next.at - poll.at;
            // The other path of a bare id is asked at once; the last poll comes at the deadline.
            let swapped = next.path != poll.path;
            let is_cut = next.at >= poll.deadline - 1.0;
            prop_assert!(gap >= plan.options.poll_min.0 - ROUNDING || swapped || is_cut, "{} ms: {:?}", gap, pair);
            let Some((at, turn)) = &poll.seen else { continue };
            if !matches!(turn.event, Event::Unclear) {
                let gap = next.at - at;
                prop_assert!(gap >= turn.pause_ms() - ROUNDING, "{} ms: {:?}", gap, pair);
            }
        }
    }

    #[test]
    fn rule_4_every_job_ends_and_is_forgotten_after_its_time(plan in plan()) {
        let run = simulate(&plan);
        let (ended, phase, _) = run.ends.last().expect("an end");
        prop_assert!(run.forgotten >= ended + plan.hub.retention.0 - ROUNDING);
        prop_assert!(phase.is_end());
        let resumable = run.ends.iter().rev().skip(1).all(|end| end.1 == Phase::Suspended);
        prop_assert!(resumable, "{:?}", run.ends);
    }

    #[test]
    fn rule_4_copying_is_bounded(plan in plan()) {
        let run = simulate(&plan);
        let most = if plan.hub.copies_pictures { MAX_COPY_ATTEMPTS } else { 0 };
        prop_assert!(run.copies.len() <= most);
    }

    #[test]
    fn no_create_is_sent_after_its_admission_deadline(plan in plan()) {
        let run = simulate(&plan);
        for (at, _) in &run.sends {
            prop_assert!(*at < plan.start + plan.options.max_wait.0);
        }
    }

    #[test]
    fn rule_4_a_limiter_that_admits_nothing_does_not_hold_a_job(plan in plan(), ms in 1_000_u32..100_000) {
        let many = vec![f64::from(ms); 20_000];
        let hub = HubOptions { has_limiter: true, ..plan.hub };
        let run = simulate(&Plan { admissions: many, hub, then: Fault::None, ..plan });
        prop_assert!(run.sends.is_empty() && run.polls.is_empty());
        prop_assert_eq!(run.ends[0].1, Phase::Idle);
    }

    #[test]
    fn rule_4_a_job_that_always_crashes_ends(plan in plan(), ms in 1_000_u32..10_000, before in any::<bool>()) {
        let then = if before { Fault::Before(ms.into()) } else { Fault::After(ms.into()) };
        let run = simulate(&Plan { faults: Vec::new(), then, ..plan });
        prop_assert!(run.sends.len() <= 1);
        prop_assert!(run.ends.iter().all(|end| matches!(end.1, Phase::Unknown | Phase::Idle)), "{:?}", run);
    }

    #[test]
    fn rule_4_a_task_whose_polls_always_crash_is_suspended(plan in plan(), ms in 1_000_u32..10_000) {
        let then = Fault::After(ms.into());
        let sends = vec![Sent::Task { poll_url: "" }];
        let hub = HubOptions { has_limiter: false, ..plan.hub };
        let run = simulate(&Plan { faults: vec![Fault::None], then, sends, hub, ..plan });
        prop_assert!(run.ends.iter().all(|end| end.1 == Phase::Suspended || run.sends.is_empty()), "{:?}", run);
    }

    #[test]
    fn rule_6_a_create_does_not_sleep_towards_a_hint_after_its_deadline(plan in plan()) {
        let run = simulate(&plan);
        let Some((at, Some(Sent::Refused { status: 429, retry_after: Some(seconds), .. }))) = run.sends.last() else {
            return Ok(());
        };
        let (ended, _, failure) = &run.ends[0];
        let is_late = at + seconds * 1_000.0 >= plan.start + plan.options.max_wait.0;
        if is_late && !crashes(&plan) {
            prop_assert!((ended - at - 700.0).abs() < 1.0, "it slept from {} to {}", at, ended);
            let hint = failure.as_ref().map(|failure| failure.retry_after.0);
            prop_assert_eq!(hint, Some(seconds * 1_000.0));
        }
    }

    #[test]
    fn a_resumed_task_is_polled_again(plan in plan()) {
        let run = simulate(&plan);
        for pair in run.ends.windows(2) {
            let between = run.polls.iter().filter(|poll| poll.at >= pair[0].0 && poll.at <= pair[1].0).count();
            prop_assert!(between > 0 || crashes(&plan) || plan.hub.has_limiter, "{:?}", run.ends);
        }
    }
}

#[test]
fn a_job_that_waits_counts_its_time_from_the_wall_clock() {
    let job = answered(NO_LIMITER, 200, pending());
    assert_eq!(time_of(&job, &["wait", "deadline"]), NOW + options().max_wait.0);
}

/// Any JSON in a stored field.
fn stored_value() -> impl Strategy<Value = Plain> {
    prop_oneof![
        Just(Plain::Null),
        any::<bool>().prop_map(Plain::from),
        any::<i64>().prop_map(Plain::from),
        any::<f64>().prop_map(Plain::from),
        select(vec!["", "waiting", "queued", "dreaming", "NotYet"]).prop_map(Plain::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_damaged_state_is_refused_or_goes_on_but_never_panics(
        version in select(vec!["1"]),
        index in 0_usize..100,
        field in 0_usize..100,
        inner in 0_usize..100,
        value in prop::option::of(stored_value()),
        passed in 0_u32..100_000_000,
    ) {
        let states: Vec<_> = stored(version).into_iter().collect();
        let mut state = states[index % states.len()].1.clone();
        let damage = |object: &mut Plain, at: usize| -> Option<String> {
            let fields = object.as_object_mut()?;
            let name = fields.keys().nth(at % fields.len().max(1))?.clone();
            Some(name)
        };
        let Some(name) = damage(&mut state, field) else { return Ok(()) };
        let place = match damage(&mut state[&name], inner) {
            Some(within) => &mut state[&name][within],
            None => &mut state[&name],
        };
        match value {
            Some(value) => *place = value,
            None => *place = Plain::Null,
        }
        let Some(mut job) = serde_json::from_value::<Job>(state).ok().and_then(Job::migrated) else {
            return Ok(());
        };
        let mut now = NOW + f64::from(passed);
        for _ in 0..20 {
            match job.next(&options(), LIMITED, now) {
                HubAction::Sleep(until) => now = until,
                HubAction::RequestAdmission(..) => job.admission_answered(Ms(0.0), now),
                HubAction::SendCreate { .. } => {
                    job.create_answered(&options(), LIMITED, Ok(&reply(200, pending())), None, now, 0.5);
                }
                HubAction::SendPoll(..) => {
                    job.poll_answered(&options(), LIMITED, Ok(&reply(200, completed())), now, 0.5);
                }
                HubAction::CopyPictures => job.pictures_copied(true, LIMITED, now, 0.5),
                HubAction::Fail(_) | HubAction::Forget => {}
            }
            job.resume::<Json>(&options(), now, 0.5);
        }
    }
}
