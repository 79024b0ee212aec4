//! The state machine of a create.

use lemondata_wasm::core::{Create, CreateAction, Kind, Ms, Outcome, Status, TransportError};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value as Plain, json};

use crate::{
    help::{asking, bodiless, config, reply},
    json::Json,
    limits::CREATE_SLEEP_MS,
};

const PATH: &str = "/v1/images/generations";

/// What an attempt brings.
#[derive(Clone, Debug)]
enum Event {
    /// An answer: its status, `retryable`, `Retry-After` and `retry_after` in seconds.
    Refused { status: u16, retryable: Option<bool>, header: Option<f64>, body: Option<f64> },
    /// A refusal or a success without a body to read.
    Bodiless { status: u16, header: Option<f64> },
    /// A success with some body.
    Success(Plain),
    /// No answer.
    Lost { error: TransportError, sent: bool },
}

impl Event {
    fn happen(&self, create: &mut Create, random: f64) -> CreateAction {
        let answer = match self {
            Event::Refused { status, retryable, body, .. } => {
                reply(*status, json!({"error": {"retryable": retryable, "retry_after": body}}))
            }
            Event::Bodiless { status, .. } => bodiless(*status),
            Event::Success(body) => reply(200, body.clone()),
            Event::Lost { error, sent } => return create.lost(*error, *sent, random),
        };
        create.answer(&asking(answer, self.header().unwrap_or(f64::NAN)), random)
    }

    fn header(&self) -> Option<f64> {
        match self {
            Event::Refused { header, .. } | Event::Bodiless { header, .. } => *header,
            _ => None,
        }
    }

    /// How long the server asks to wait, in milliseconds.
    fn pause_ms(&self) -> f64 {
        let body = if let Event::Refused { body, .. } = self { *body } else { None };
        self.header().unwrap_or(0.0).max(body.unwrap_or(0.0)).max(0.0) * 1_000.0
    }

    /// Whether the server has said that it did nothing.
    fn did_nothing(&self) -> bool {
        match self {
            Event::Refused { status: 503, retryable, .. } => *retryable == Some(true),
            Event::Refused { status, .. } | Event::Bodiless { status, .. } => *status == 429,
            _ => false,
        }
    }

    /// Whether no connection was made, so that the request never left this machine.
    fn is_unsent(&self) -> bool {
        matches!(self, Event::Lost { error: TransportError::Connection, sent: false })
    }

    /// Whether it may have been carried out, for all we know.
    fn is_unknown(&self) -> bool {
        match self {
            Event::Refused { status, .. } => matches!(status, 304 | 408 | 499..) && !self.did_nothing(),
            Event::Bodiless { status, .. } => matches!(status, 200..=299 | 304 | 408 | 499..),
            Event::Success(_) => false,
            Event::Lost { sent, .. } => *sent,
        }
    }

    fn forbids_repeats(&self) -> bool {
        matches!(self, Event::Refused { retryable: Some(false), .. })
    }
}

fn seconds() -> impl Strategy<Value = Option<f64>> {
    option::of(prop_oneof![(-2..40).prop_map(f64::from), 0.0..3.0, Just(1e9)])
}

fn status() -> impl Strategy<Value = u16> {
    let common = select(vec![
        0, 301, 302, 304, 400, 401, 402, 403, 404, 408, 409, 413, 422, 499, 500, 502, 503, 504, 524,
    ]);
    prop_oneof![6 => Just(429), 6 => Just(503), 6 => common, 1 => 300_u16..600]
}

fn event() -> impl Strategy<Value = Event> {
    let body = select(vec![
        json!({"id": "t", "status": "pending"}),
        json!({"data": [{"b64_json": "aGk="}]}),
        json!({"id": "t", "status": "failed"}),
        json!({}),
        json!(null),
    ]);
    let error = select(vec![TransportError::Connection, TransportError::Timeout]);
    prop_oneof![
        8 => (status(), any::<Option<bool>>(), seconds(), seconds())
            .prop_map(|(status, retryable, header, body)| Event::Refused { status, retryable, header, body }),
        2 => (prop_oneof![Just(200), status()], seconds())
            .prop_map(|(status, header)| Event::Bodiless { status, header }),
        1 => body.prop_map(Event::Success),
        2 => (error, any::<bool>()).prop_map(|(error, sent)| Event::Lost { error, sent }),
    ]
}

/// The sends of a create: what each brought, and what came of it. The last event repeats itself for ever.
fn sends(mut create: Create, events: &[(Event, f64)]) -> Vec<(Event, f64, CreateAction)> {
    let mut sends = Vec::new();
    for (event, random) in events.iter().chain(std::iter::repeat(events.last().unwrap())) {
        let step = event.happen(&mut create, *random);
        let goes_on = matches!(step, CreateAction::Retry(Ms(_)));
        sends.push((event.clone(), *random, step));
        if !goes_on {
            break;
        }
        assert!(sends.len() < 100, "rule 4: a create without an end");
    }
    sends
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rule_1_a_create_is_repeated_only_where_that_costs_nothing(
        events in vec((event(), 0.0..1.0), 1..12), max_retries in 0_u32..8, replayable in any::<bool>(),
    ) {
        let create = Create::new(PATH.into(), max_retries, replayable);
        let sends = sends(create, &events);
        prop_assert!(sends.len() <= max_retries as usize + 1, "{} sends", sends.len());
        let mut slept = 0.0;
        for (index, (event, random, step)) in sends.iter().enumerate() {
            let harmless = event.did_nothing() || event.is_unsent() || replayable && event.is_unknown();
            let asked = event.pause_ms();
            match step {
                CreateAction::Retry(Ms(ms)) => {
                    prop_assert!(harmless && !event.forbids_repeats(), "{:?} was repeated", event);
                    prop_assert!(*ms >= asked, "{:?} was repeated after {} ms", event, ms);
                    let cap = f64::from(1_000_u32 << index).min(30_000.0);
                    prop_assert!(*ms <= cap || *ms == asked, "{} ms of sleep", ms);
                    slept += ms;
                    prop_assert!(slept <= CREATE_SLEEP_MS, "{} ms of sleep in all", slept);
                }
                CreateAction::Done(parsed) => {
                    prop_assert!(matches!(event, Event::Success(_)));
                    prop_assert!(matches!(parsed.status, Status::Pending | Status::Completed));
                }
                CreateAction::Fail(failure) => {
                    prop_assert_eq!(failure.outcome == Outcome::Unknown,
                        event.is_unknown() || failure.kind == Kind::Response && failure.status == 200);
                    prop_assert_eq!(failure.outcome == Outcome::NotSent,
                        matches!(event, Event::Lost { sent: false, .. }));
                    // It was given up for a reason.
                    let backoff = f64::from(1_000_u32 << index).min(30_000.0) * random;
                    let next = if asked > 0.0 { asked } else { backoff };
                    prop_assert!(!harmless || event.forbids_repeats() || index == max_retries as usize
                        || slept + next > CREATE_SLEEP_MS, "{:?} was given up", event);
                }
            }
        }
    }

    #[test]
    fn rule_1_an_unknown_outcome_is_never_repeated(event in event(), random in 0.0..1.0) {
        let mut create = Create::new(PATH.into(), 9, false);
        if event.is_unknown() {
            let step = event.happen(&mut create, random);
            prop_assert!(matches!(step, CreateAction::Fail(failure) if failure.outcome == Outcome::Unknown));
        }
    }
}

/// What a create makes of one answer.
fn judge(status: u16, body: Plain, replayable: bool) -> CreateAction {
    Create::new(PATH.into(), 2, replayable).answer(&reply(status, body), 0.5)
}

#[test]
fn rule_1_each_status_is_repeated_as_the_table_says() {
    let error = |retryable: Plain| json!({"error": {"retryable": retryable}});
    let nothing = json!(null);
    for (status, body, direct, through_relay) in [
        (429, nothing.clone(), true, true),
        (429, error(json!(true)), true, true),
        (429, error(json!(false)), false, false),
        (503, error(json!(true)), true, true),
        (503, error(json!(false)), false, false),
        (503, nothing.clone(), false, true),
        (500, nothing.clone(), false, true),
        (500, error(json!(true)), false, true),
        (502, nothing.clone(), false, true),
        (504, nothing.clone(), false, true),
        (524, nothing.clone(), false, true),
        (408, nothing.clone(), false, true),
        (408, error(json!(false)), false, false),
        (400, error(json!(true)), false, false),
        (401, nothing.clone(), false, false),
        (402, error(json!(true)), false, false),
        (404, nothing.clone(), false, false),
        (409, error(json!(true)), false, false),
        (302, error(json!(true)), false, false),
        (0, nothing, false, false),
        // A whole answer would only come again.
        (200, json!({}), false, false),
        (200, json!({"status": "failed"}), false, false),
    ] {
        for (replayable, expected) in [(false, direct), (true, through_relay)] {
            let step = judge(status, body.clone(), replayable);
            assert_eq!(matches!(step, CreateAction::Retry(Ms(_))), expected, "{status} {body} {replayable}");
        }
    }
}

#[test]
fn a_create_whose_connection_was_never_made_is_sent_again_and_not_billed() {
    for replayable in [false, true] {
        let mut create = Create::new(PATH.into(), 2, replayable);
        assert_eq!(create.lost(TransportError::Connection, false, 0.5), CreateAction::Retry(Ms(500.0)));
        assert_eq!(create.lost(TransportError::Connection, false, 0.5), CreateAction::Retry(Ms(1_000.0)));
        let CreateAction::Fail(failure) = create.lost(TransportError::Connection, false, 0.5) else {
            panic!("a third")
        };
        assert_eq!((failure.kind, failure.outcome), (Kind::Connection, Outcome::NotSent));
        assert_eq!(failure.message, "POST /v1/images/generations was not sent: the connection failed.");
    }
}

#[test]
fn a_key_function_that_takes_too_long_is_not_asked_again() {
    for replayable in [false, true] {
        let step = Create::new(PATH.into(), 2, replayable).lost(TransportError::Timeout, false, 0.5);
        let CreateAction::Fail(failure) = step else { panic!("repeated") };
        assert_eq!((failure.kind, failure.outcome), (Kind::RequestTimeout, Outcome::NotSent));
        assert_eq!(failure.message, "POST /v1/images/generations was not sent in time.");
    }
}

#[test]
fn rule_6_the_server_s_hint_outranks_the_back_off() {
    for (seconds, expected) in [(8.0, Some(8_000.0)), (60.0, Some(60_000.0)), (60.001, None), (1e9, None)] {
        let step = Create::new(PATH.into(), 2, false).answer(&asking(bodiless(429), seconds), 0.9);
        match (step, expected) {
            (CreateAction::Retry(Ms(ms)), Some(expected)) => assert_eq!(ms, expected),
            (CreateAction::Fail(failure), None) => assert_eq!(failure.retry_after.0, seconds * 1_000.0),
            (step, _) => panic!("{seconds} s: {step:?}"),
        }
    }
}

#[test]
fn rule_6_a_hint_counts_with_an_unreadable_success_too() {
    let mut create = Create::new(PATH.into(), 2, true);
    assert_eq!(create.answer(&asking(bodiless(200), 20.0), 0.0), CreateAction::Retry(Ms(20_000.0)));
}

#[test]
fn a_task_and_an_inline_answer_are_done() {
    let CreateAction::Done(task) = judge(200, json!({"id": "t", "status": "pending"}), false) else {
        panic!()
    };
    assert_eq!((task.status, task.task.unwrap().id.as_str()), (Status::Pending, "t"));
    let CreateAction::Done(inline) = judge(201, json!({"data": [{"url": "x"}]}), false) else { panic!() };
    assert_eq!((inline.status, inline.task), (Status::Completed, None));
}

#[test]
fn rule_1_an_unreadable_success_may_have_been_billed() {
    let mut create = Create::new(PATH.into(), 2, false);
    let CreateAction::Fail(failure) = create.answer::<Json>(&bodiless(200), 0.5) else { panic!("repeated") };
    assert_eq!((failure.kind, failure.outcome), (Kind::Response, Outcome::Unknown));
}
