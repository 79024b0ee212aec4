//! The limiter: its pace, its fairness, and requests that do not come back.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use lemondata_wasm::core::{
    Admission, AdmissionRequest, Answer, Limiter, Ms, Pauses, RateLimit, RequestKind,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::{
    help::{asking, bodiless, config, reply},
    json::Json,
};

const WINDOW_MS: f64 = 60_000.0;
/// The longest time for which a request that does not come back holds up the others.
const ABSENCE_MS: f64 = 6_000.0;

/// A request that comes back whenever the limiter says so.
#[derive(Clone, Debug)]
struct Request {
    identity: String,
    kind: RequestKind,
    at: u64,
    /// How much later it comes than the limiter says, in milliseconds.
    late: u64,
    /// How often it asks before it gives up.
    attempts: u32,
}

impl Request {
    fn new(identity: &str, kind: RequestKind, at: u64) -> Request {
        Request { identity: identity.into(), kind, at, late: 0, attempts: u32::MAX }
    }
}

/// Parameters of a request that waits as long as it takes.
fn asks<'a>(ticket: &'a str, identity: &'a str, kind: RequestKind) -> AdmissionRequest<'a> {
    AdmissionRequest { ticket, identity, kind, model: "", timeout: Ms(f64::INFINITY) }
}

/// The admission of a request.
#[derive(Clone, Debug)]
struct Grant {
    /// The index of the request.
    index: usize,
    at: u64,
    /// The time that the first answer promised.
    promised: u64,
    attempts: u32,
    /// How many others were admitted since its first attempt.
    others: usize,
}

/// Lets all requests ask until each is admitted or has given up, and returns the admissions in order.
fn run(limiter: &mut Limiter, requests: &[Request]) -> Vec<Grant> {
    let mut agenda: BinaryHeap<_> =
        requests.iter().enumerate().map(|(index, request)| Reverse((request.at, index))).collect();
    let mut state = vec![(0_u32, 0_u64, 0_usize); requests.len()];
    let mut grants: Vec<Grant> = Vec::new();
    while let Some(Reverse((now, index))) = agenda.pop() {
        let request = &requests[index];
        let (attempts, promised, before) = &mut state[index];
        let admission = limiter.admit(asks(&index.to_string(), &request.identity, request.kind), now as f64);
        *attempts += 1;
        if *attempts == 1 {
            (*promised, *before) = (now + admission.wait.0 as u64, grants.len());
        }
        if admission.wait.0 == 0.0 {
            let others = grants.len() - *before;
            grants.push(Grant { index, at: now, promised: *promised, attempts: *attempts, others });
        } else if *attempts < request.attempts {
            assert!(admission.wait.0 >= 50.0 && admission.wait.0.fract() == 0.0, "{admission:?}");
            agenda.push(Reverse((now + admission.wait.0 as u64 + request.late, index)));
        }
        assert!(*attempts < 1_000, "{request:?} is never admitted");
    }
    grants
}

/// Many requests of one kind and one identity at once.
fn crowd(identity: &str, kind: RequestKind, at: u64, count: usize) -> Vec<Request> {
    vec![Request::new(identity, kind, at); count]
}

/// The most admissions in any minute.
fn busiest(times: &[u64]) -> usize {
    (0..times.len())
        .map(|from| times[from..].iter().take_while(|at| **at < times[from] + WINDOW_MS as u64).count())
        .max()
        .unwrap_or(0)
}

fn times(grants: &[Grant]) -> Vec<u64> {
    grants.iter().map(|grant| grant.at).collect()
}

fn kind() -> impl Strategy<Value = RequestKind> {
    select(vec![RequestKind::Create, RequestKind::Poll])
}

fn per_minute() -> impl Strategy<Value = f64> {
    prop_oneof![1_u32..10, 10_u32..200, 200_u32..3_000].prop_map(f64::from)
}

/// The limits of small and of large accounts alike.
fn usual() -> impl Strategy<Value = f64> {
    prop_oneof![10_u32..150, 150_u32..6_000].prop_map(f64::from)
}

/// The milliseconds from one admission to the next: the burst of a full bucket is missing in the minute that follows.
fn interval(per_minute: f64) -> f64 {
    WINDOW_MS / (per_minute - (per_minute / 60.0).max(2.0))
}

fn request() -> impl Strategy<Value = Request> {
    let at = prop_oneof![Just(0_u64), 0_u64..1_000, 0_u64..300_000];
    let late = prop_oneof![4 => Just(0_u64), 2 => 0_u64..300, 1 => 0_u64..30_000];
    let attempts = prop_oneof![6 => Just(u32::MAX), 1 => 1_u32..3];
    (select(vec!["a", "b", "c", "d"]), kind(), at, late, attempts).prop_map(
        |(identity, kind, at, late, attempts)| Request {
            identity: identity.into(),
            kind,
            at,
            late,
            attempts,
        },
    )
}

#[derive(Clone, Debug)]
enum Input {
    Ask { ticket: u8, kind: RequestKind },
    Pause(f64),
    Pass(f64),
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        12 => (any::<u8>(), kind()).prop_map(|(ticket, kind)| Input::Ask { ticket, kind }),
        1 => (0_u32..20_000).prop_map(|ms| Input::Pause(ms.into())),
        4 => (0_u32..3_000).prop_map(|ms| Input::Pass(ms.into())),
        1 => (0_u32..120_000).prop_map(|ms| Input::Pass(ms.into())),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_minute_has_more_admissions_than_the_limit(per_minute in per_minute(), inputs in vec(input(), 0..600)) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        let (mut now, mut times) = (0.0, Vec::new());
        for input in inputs {
            match input {
                Input::Pass(ms) => now += ms,
                Input::Pause(ms) => limiter.pause_all(Ms(ms), now),
                Input::Ask { ticket, kind } => {
                    let identity = (ticket % 5).to_string();
                    if limiter.admit(asks(&ticket.to_string(), &identity, kind), now).wait.0 == 0.0 {
                        times.push(now as u64);
                    }
                }
            }
        }
        prop_assert!(busiest(&times) <= per_minute as usize, "{:?}", times);
    }

    #[test]
    fn no_minute_has_more_admissions_than_the_limit_in_a_crowd(
        per_minute in per_minute(), requests in vec(request(), 0..200),
    ) {
        let grants = run(&mut Limiter::new(per_minute, 0.0), &requests);
        prop_assert!(busiest(&times(&grants)) <= per_minute as usize);
    }

    #[test]
    fn a_lone_request_is_admitted_at_once(per_minute in per_minute(), requests in vec(request(), 0..50), kind in kind()) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        let asked = run(&mut limiter, &requests);
        // By then the bucket is full and the last ticket is missed.
        let later = asked.last().map_or(300_000, |grant| grant.at.max(300_000)) + 2_000_000;
        let admission = limiter.admit(asks("lone", "e", kind), later as f64);
        prop_assert_eq!(admission, Admission { wait: Ms(0.0), position: 0, length: 0 });
    }

    #[test]
    fn a_request_that_comes_back_in_time_is_admitted_soon(
        per_minute in usual(), creates in 0_usize..150, polls in 0_usize..150, slowed in any::<bool>(),
    ) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        if slowed {
            limiter.pause_all(Ms(3_000.0), 0.0);
        }
        let requests = [crowd("a", RequestKind::Create, 0, creates), crowd("b", RequestKind::Poll, 0, polls)].concat();
        let grants = run(&mut limiter, &requests);
        prop_assert_eq!(grants.len(), requests.len());
        // All came at once: the first creates did not know of the polls, which alternate with them.
        let promised_right = grants.iter().filter(|grant| requests[grant.index].kind == RequestKind::Poll);
        for grant in promised_right {
            // Another admission may have used a token that was to fill up again by then, and a full bucket that waits
            // for its first request loses a little.
            let soon = grant.promised + grant.promised / 20 + 200 + interval(per_minute) as u64;
            prop_assert!(grant.at <= soon, "{:?}", grant);
        }
        for grant in &grants {
            prop_assert!(grant.attempts <= 6, "{:?}", grant);
        }
    }

    #[test]
    fn no_request_waits_longer_than_it_takes_to_serve_all(per_minute in usual(), requests in vec(request(), 1..150)) {
        let requests: Vec<_> =
            requests.into_iter().map(|request| Request { late: 0, attempts: u32::MAX, ..request }).collect();
        let grants = run(&mut Limiter::new(per_minute, 0.0), &requests);
        prop_assert_eq!(grants.len(), requests.len());
        for grant in &grants {
            // A full bucket that waits for its first request loses some tokens, more at a slower pace.
            let longest = interval(per_minute) * (1.25 * requests.len() as f64 + 2.0) + 1_000.0;
            prop_assert!((grant.at - requests[grant.index].at) as f64 <= longest, "{:?}", grant);
        }
    }

    #[test]
    fn requests_that_give_up_do_not_hold_up_the_others(
        per_minute in 10_u32..600, gone in 1_usize..40, kind in kind(), other in kind(),
    ) {
        let mut limiter = Limiter::new(per_minute.into(), 0.0);
        let absent: Vec<_> = crowd("a", other, 0, gone)
            .into_iter()
            .map(|request| Request { attempts: 1, ..request })
            .collect();
        let requests = [absent, crowd("b", kind, 1, 1)].concat();
        let grants = run(&mut limiter, &requests);
        let last = grants.last().expect("an admission");
        prop_assert_eq!(last.index, gone);
        let longest = (gone as f64 + 2.0) * interval(per_minute.into()) + ABSENCE_MS + 1_000.0;
        prop_assert!(last.at as f64 <= longest, "{:?}", last);
    }

    #[test]
    fn an_abandoned_queue_leaves_nothing(per_minute in per_minute(), requests in vec(request(), 0..100)) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        let fresh = size(&mut limiter.clone(), 0);
        run(&mut limiter, &requests);
        prop_assert!(size(&mut limiter, 1_000_000_000) <= fresh + 100);
    }
}

/// The size of a limiter once a request has asked at this time.
fn size(limiter: &mut Limiter, at: u64) -> usize {
    limiter.admit(asks("lone", "e", RequestKind::Poll), at as f64);
    format!("{limiter:?}").len()
}

#[test]
fn a_crowd_uses_the_whole_pace() {
    for per_minute in [60_u32, 600, 1_000, 3_000, 10_000] {
        let count = per_minute as usize * 3;
        let grants = run(&mut Limiter::new(per_minute.into(), 0.0), &crowd("a", RequestKind::Poll, 0, count));
        let minutes = grants.last().unwrap().at as f64 / WINDOW_MS;
        let used = count as f64 / minutes / f64::from(per_minute);
        assert!(used > 0.97, "{per_minute} a minute: {used}");
    }
}

#[test]
fn one_identity_with_a_thousand_requests_does_not_delay_another_one() {
    for (per_minute, burst) in [(60.0, 1), (600.0, 10), (1_200.0, 20)] {
        let requests = [
            crowd("greedy", RequestKind::Poll, 0, 1_000),
            crowd("b", RequestKind::Poll, 0, 300),
            crowd("c", RequestKind::Poll, 0, 300),
            crowd("modest", RequestKind::Poll, 5_000, 1),
            crowd("modest", RequestKind::Poll, 60_000, 1),
            crowd("late", RequestKind::Poll, 90_000, 1),
        ]
        .concat();
        let grants = run(&mut Limiter::new(per_minute, 0.0), &requests);
        for grant in grants.iter().filter(|grant| grant.index >= 1_600) {
            assert!(grant.others <= 5 + burst, "{per_minute} a minute: {grant:?}");
        }
    }
}

#[test]
fn each_identity_is_served_in_every_round() {
    let names = ["a", "b", "c", "d"];
    let requests: Vec<_> = names.iter().flat_map(|name| crowd(name, RequestKind::Create, 0, 50)).collect();
    let grants = run(&mut Limiter::new(60.0, 0.0), &requests);
    // The first is admitted before the others are known.
    for round in grants[1..].chunks(4).take(48) {
        let served: BTreeSet<_> = round.iter().map(|grant| &requests[grant.index].identity).collect();
        assert_eq!(served.len(), 4, "{round:?}");
    }
}

#[test]
fn an_identity_that_has_given_up_much_is_not_put_behind_the_others() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let gone: Vec<_> = crowd("a", RequestKind::Poll, 0, 1_000)
        .into_iter()
        .map(|request| Request { attempts: 1, ..request })
        .collect();
    run(&mut limiter, &gone);
    let at = 2_000_000;
    let requests =
        [crowd("b", RequestKind::Poll, at, 300), crowd("a", RequestKind::Poll, at + 1_000, 1)].concat();
    let grants = run(&mut limiter, &requests);
    let grant = grants.iter().find(|grant| grant.index == 300).expect("an admission");
    assert!(grant.others <= 3, "{grant:?}");
}

#[test]
fn creates_and_polls_alternate() {
    let requests = [crowd("a", RequestKind::Create, 0, 400), crowd("b", RequestKind::Poll, 0, 300)].concat();
    let grants = run(&mut Limiter::new(600.0, 0.0), &requests);
    let (mut creates, mut polls) = (0_usize, 0_usize);
    for grant in &grants {
        if requests[grant.index].kind == RequestKind::Create {
            creates += 1;
        } else {
            polls += 1;
        }
        if creates < 400 && polls < 300 {
            // A burst may serve the kind that comes back a little earlier.
            assert!(creates.abs_diff(polls) <= 12, "{creates} creates, {polls} polls");
        }
    }
}

#[test]
fn a_request_that_would_wait_too_long_leaves_no_place() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let mut ask = |ticket: &str, timeout_ms| {
        limiter.admit(
            AdmissionRequest { timeout: Ms(timeout_ms), ..asks(ticket, "a", RequestKind::Create) },
            0.0,
        )
    };
    assert_eq!(ask("t0", 0.0).wait.0, 0.0);
    let first = ask("t1", 10_000.0);
    assert_eq!(first.length, 1);
    for other in ["t2", "t3", "t4"] {
        let admission = ask(other, first.wait.0);
        assert!(admission.wait.0 > first.wait.0);
        assert_eq!((admission.position, admission.length), (1, 2), "{other}");
    }
    assert_eq!(ask("t1", 10_000.0), first);
}

#[test]
fn more_than_can_be_served_does_not_make_it_serve_less() {
    // Twice as many as the limit allows, each of which waits for half a minute at most.
    let mut limiter = Limiter::new(600.0, 0.0);
    let mut agenda: BinaryHeap<_> =
        (0..6_000_u64).map(|index| Reverse((index * 50, index * 50, index))).collect();
    let mut admissions = 0;
    while let Some(Reverse((now, since, index))) = agenda.pop() {
        let timeout_ms = 30_000.0 - (now - since) as f64;
        let (ticket, identity) = (index.to_string(), (index % 700).to_string());
        let admission = limiter.admit(
            AdmissionRequest { timeout: Ms(timeout_ms), ..asks(&ticket, &identity, RequestKind::Create) },
            now as f64,
        );
        if admission.wait.0 == 0.0 {
            admissions += 1;
        } else if admission.wait.0 <= timeout_ms {
            agenda.push(Reverse((now + admission.wait.0 as u64, since, index)));
        }
    }
    assert!(admissions > 3_000, "{admissions} of the 3245 admissions of five and a half minutes");
}

#[test]
fn the_queue_does_not_wait_for_overdue_requests_which_keep_their_place_for_a_while() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let mut ask = |ticket, now| limiter.admit(asks(ticket, ticket, RequestKind::Poll), now).wait.0;
    assert_eq!(ask("a", 0.0), 0.0);
    // They should come back at 1.03 s and at 2.07 s, and the first one does not.
    assert!((1_000.0..1_100.0).contains(&ask("b", 0.0)));
    assert!((2_000.0..2_100.0).contains(&ask("c", 0.0)));
    assert_eq!(ask("c", 2_100.0), 0.0);
    assert_eq!(ask("d", 2_100.0), 0.0);
    assert!(ask("e", 2_200.0) > 0.0);
    assert_eq!(ask("b", 3_300.0), 0.0);
}

#[test]
fn a_queue_of_which_half_has_gone_is_served_in_the_same_time() {
    let gone = Request { attempts: 1, ..Request::new("a", RequestKind::Poll, 0) };
    let requests = vec![[gone, Request::new("a", RequestKind::Poll, 0)]; 400].concat();
    let grants = run(&mut Limiter::new(600.0, 0.0), &requests);
    assert!(grants.len() >= 400 && grants.last().unwrap().at < 85_000, "{:?}", grants.last());
}

#[test]
fn a_request_is_admitted_once_the_bucket_has_been_full_for_a_while() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let mut ask = |ticket, now| limiter.admit(asks(ticket, "a", RequestKind::Poll), now).wait.0;
    assert_eq!(ask("first", 0.0), 0.0);
    for absent in ["a", "b", "c", "d"] {
        assert!(ask(absent, 0.0) > 0.0);
    }
    // Two of them come soon: the third is late by less than is allowed, and the fourth within a second.
    assert_eq!(ask("here", 3_200.0), 0.0);
}

#[test]
fn the_queue_does_not_wait_for_requests_that_come_when_the_bucket_is_full_again() {
    let mut limiter = Limiter::new(600.0, 0.0);
    for ticket in 0..300 {
        limiter.admit(asks(&ticket.to_string(), "a", RequestKind::Poll), 0.0);
    }
    // None of them has come, and the bucket is full: only requests that are due now have a claim on it.
    assert_eq!(limiter.admit(asks("late", "a", RequestKind::Poll), 2_000.0).wait.0, 0.0);
    assert_eq!(limiter.admit(asks("later", "a", RequestKind::Poll), 2_000.0).wait.0, 0.0);
}

#[test]
fn an_answer_has_the_position_and_the_length() {
    let mut limiter = Limiter::new(60.0, 0.0);
    assert_eq!(
        limiter.admit(asks("t0", "a", RequestKind::Create), 0.0),
        Admission { wait: Ms(0.0), position: 0, length: 0 }
    );
    let mut ask = |ticket, identity, kind| limiter.admit(asks(ticket, identity, kind), 0.0);
    let place = |admission: Admission| (admission.position, admission.length);
    assert_eq!(place(ask("t1", "a", RequestKind::Create)), (0, 1));
    assert_eq!(place(ask("t2", "a", RequestKind::Create)), (1, 2));
    // Another identity comes before the second request of the first one.
    assert_eq!(place(ask("t3", "b", RequestKind::Create)), (1, 3));
    assert_eq!(place(ask("t2", "a", RequestKind::Create)), (2, 3));
    assert_eq!(place(ask("p1", "a", RequestKind::Poll)), (0, 4));
    // The kinds alternate: the create was last, so the poll comes first.
    assert!(ask("p1", "a", RequestKind::Poll).wait.0 < ask("t1", "a", RequestKind::Create).wait.0);
}

#[test]
fn a_429_pauses_and_slows_all_requests_and_is_forgotten() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_all(Ms(5_000.0), 0.0);
    let grants = run(&mut limiter, &crowd("a", RequestKind::Poll, 0, 2_000));
    assert!(grants[0].at >= 5_000);
    let admitted = |from: u64, to: u64| grants.iter().filter(|grant| (from..to).contains(&grant.at)).count();
    // 590 a minute at the whole pace, half of it at first.
    assert!((49..=60).contains(&admitted(5_000, 15_000)), "{}", admitted(5_000, 15_000));
    assert!((95..=100).contains(&admitted(65_000, 75_000)), "{}", admitted(65_000, 75_000));
}

#[test]
fn refusals_of_requests_under_way_slow_once_and_new_ones_again_but_never_to_nothing() {
    let pace = |slows: &[f64]| {
        let mut limiter = Limiter::new(600.0, 0.0);
        let mut now = 0.0;
        for at in slows {
            now = *at;
            limiter.pause_all(Ms(1_000.0), now);
        }
        // How long a full bucket takes tells the pace.
        let requests = crowd("a", RequestKind::Poll, now as u64 + 1_000, 30);
        let grants = run(&mut limiter, &requests);
        grants[4].at as f64 - now - 1_000.0
    };
    let (once, again) = (pace(&[0.0, 1.0, 2.0]), pace(&[0.0, 1_002.0]));
    assert_eq!(once, pace(&[2.0]));
    assert!(again > 1.8 * once, "{again} after {once}");
    let often: Vec<_> = (0..200).map(|index| f64::from(index) * 1_000.0).collect();
    assert!(pace(&often) < 8_000.0, "{}", pace(&often));
}

#[test]
fn a_longer_pause_counts_and_a_shorter_one_does_not() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_all(Ms(5_000.0), 0.0);
    limiter.pause_all(Ms(1_000.0), 100.0);
    assert!(limiter.admit(asks("a", "a", RequestKind::Poll), 4_999.0).wait.0 > 0.0);
    limiter.pause_all(Ms(9_000.0), 200.0);
    assert!(limiter.admit(asks("a", "a", RequestKind::Poll), 9_199.0).wait.0 > 0.0);
    assert_eq!(limiter.admit(asks("a", "a", RequestKind::Poll), 9_500.0).wait.0, 0.0);
}

#[test]
fn a_limiter_that_is_lost_again_and_again_hardly_exceeds_the_limit() {
    let mut times = Vec::new();
    for minute in 0..60_u64 {
        let mut limiter = Limiter::new(600.0, minute as f64 * 1_000.0);
        for ms in (0..1_000).step_by(10) {
            let now = minute * 1_000 + ms;
            if limiter.admit(asks(&now.to_string(), "a", RequestKind::Poll), now as f64).wait.0 == 0.0 {
                times.push(now);
            }
        }
    }
    assert!(busiest(&times) <= 600 + 60, "{}", busiest(&times));
}

#[test]
fn a_clock_that_is_set_back_admits_nothing_more() {
    let mut limiter = Limiter::new(60.0, 0.0);
    for ticket in ["a full bucket", "has two tokens"] {
        assert_eq!(limiter.admit(asks(ticket, "a", RequestKind::Poll), 10_000.0).wait.0, 0.0);
    }
    assert!(limiter.admit(asks("b", "a", RequestKind::Poll), 2_000.0).wait.0 > 0.0);
    assert!(limiter.admit(asks("b", "a", RequestKind::Poll), 9_000.0).wait.0 > 0.0);
}

#[test]
fn only_a_429_is_a_rate_limit_and_lasts_as_long_as_it_says() {
    let cases = [
        ("a success", asking(reply(200, json!({})), 9.0), None),
        ("overload", asking(reply(503, json!({})), 9.0), None),
        ("429 with a header", asking(reply(429, json!({})), 9.0), Some(9_000.0)),
        ("429 with a body", reply(429, json!({"error": {"retry_after": 7}})), Some(7_000.0)),
        ("429 without a hint", bodiless(429), Some(1_000.0)),
    ];
    for (name, reply, expected) in cases {
        assert_eq!(RateLimit::of(&reply, "").map(|limit| limit.pause.0), expected, "{name}");
    }
}

/// The pauses as a new process reads them.
fn stored(limiter: &Limiter) -> Pauses {
    serde_json::from_value(serde_json::to_value(limiter.pauses()).unwrap()).unwrap()
}

#[test]
fn the_pauses_outlive_the_process_and_a_shorter_one_does_not_end_a_longer_one() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_all(Ms(30_000.0), 0.0);
    limiter.pause_all(Ms(1_000.0), 10.0);
    let mut again = Limiter::with_pauses(600.0, stored(&limiter), 20.0);
    assert!(again.admit(asks("a", "a", RequestKind::Poll), 29_999.0).wait.0 > 0.0);
    assert_eq!(again.admit(asks("a", "a", RequestKind::Poll), 31_000.0).wait.0, 0.0);
    // A pause that is over leaves nothing.
    assert_eq!(
        Limiter::with_pauses(600.0, stored(&limiter), 40_000.0)
            .admit(asks("a", "a", RequestKind::Poll), 40_000.0)
            .wait
            .0,
        0.0
    );
}

#[test]
fn a_pause_that_a_clock_ahead_of_ours_has_stored_ends_after_ten_minutes() {
    let mut limiter = Limiter::new(600.0, 1e9);
    limiter.pause_all(Ms(5_000.0), 1e9);
    limiter.pause_model("flux-pro", Ms(5_000.0), 1e9);
    let mut again = Limiter::with_pauses(600.0, stored(&limiter), 0.0);
    let create = AdmissionRequest { model: "flux-pro", ..asks("a", "a", RequestKind::Create) };
    assert!(again.admit(create, 599_999.0).wait.0 > 0.0);
    assert_eq!(again.admit(create, 602_000.0).wait.0, 0.0);
}

#[test]
fn an_absurd_pause_lasts_ten_minutes_and_then_one_request_probes() {
    for absurd in [1e15, f64::INFINITY] {
        let mut limiter = Limiter::new(6_000.0, 0.0);
        limiter.pause_all(Ms(absurd), 0.0);
        let mut limiter = Limiter::with_pauses(6_000.0, stored(&limiter), 1.0);
        assert!(
            (600_000.0..600_100.0).contains(&limiter.admit(asks("gone", "a", RequestKind::Poll), 1.0).wait.0)
        );
        let grants = run(&mut limiter, &crowd("a", RequestKind::Poll, 600_001, 20));
        assert!(grants[0].at < 601_000, "{:?}", grants[0]);
        assert!(grants[1].at >= grants[0].at + 5_000, "the others wait for the probe: {:?}", grants[1]);
        assert!(grants[19].at < 610_000, "{:?}", grants[19]);
        // The probe is refused as well.
        let mut limiter = Limiter::new(6_000.0, 0.0);
        limiter.pause_all(Ms(absurd), 0.0);
        assert_eq!(limiter.admit(asks("a", "a", RequestKind::Poll), 600_100.0).wait.0, 0.0);
        limiter.pause_all(Ms(absurd), 600_200.0);
        assert!(limiter.admit(asks("b", "a", RequestKind::Poll), 1_200_199.0).wait.0 > 0.0);
    }
}

#[test]
fn the_pause_of_a_model_stops_its_creates_alone() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_model("flux-pro", Ms(20_000.0), 0.0);
    let mut limiter = Limiter::with_pauses(600.0, stored(&limiter), 1.0);
    let mut ask = |model: &str, ticket: &str, kind, now| {
        limiter.admit(AdmissionRequest { model, ..asks(ticket, "a", kind) }, now)
    };
    let admission = ask("flux-pro", "a", RequestKind::Create, 2_000.0);
    assert_eq!((admission.wait.0, admission.position, admission.length), (18_000.0, 0, 1));
    assert_eq!(ask("dall-e-3", "b", RequestKind::Create, 2_000.0).wait.0, 0.0);
    // Polls are not creates of the model.
    assert_eq!(ask("flux-pro", "c", RequestKind::Poll, 3_000.0).wait.0, 0.0);
    assert_eq!(ask("flux-pro", "a", RequestKind::Create, 20_000.0).wait.0, 0.0);
}

#[test]
fn an_absurd_pause_of_a_model_is_probed_by_one_create() {
    let mut limiter = Limiter::new(6_000.0, 0.0);
    limiter.pause_model("flux-pro", Ms(1e15), 0.0);
    let mut ask = |ticket: &str, now| {
        let request = AdmissionRequest { model: "flux-pro", ..asks(ticket, "a", RequestKind::Create) };
        limiter.admit(request, now).wait.0
    };
    assert_eq!(ask("a", 0.0), 600_000.0);
    assert_eq!(ask("a", 600_000.0), 0.0);
    assert_eq!(ask("b", 600_000.0), 5_000.0);
    assert_eq!(ask("b", 605_000.0), 0.0);
    assert_eq!(ask("c", 606_000.0), 0.0);
}

#[test]
fn a_create_of_a_paused_model_holds_up_no_other() {
    let mut limiter = Limiter::new(60.0, 0.0);
    assert_eq!(limiter.admit(asks("first", "a", RequestKind::Create), 0.0).wait.0, 0.0);
    let paused = AdmissionRequest { model: "flux-pro", ..asks("paused", "a", RequestKind::Create) };
    assert!(limiter.admit(paused, 0.0).wait.0 > 0.0);
    limiter.pause_model("flux-pro", Ms(60_000.0), 100.0);
    assert!(limiter.admit(paused, 200.0).wait.0 > 50_000.0);
    assert_eq!(limiter.admit(asks("next", "b", RequestKind::Create), 1_200.0).wait.0, 0.0);
}

#[test]
fn the_number_of_paused_models_is_bounded() {
    let mut limiter = Limiter::new(60.0, 0.0);
    for index in 0..1_000 {
        limiter.pause_model(&index.to_string(), Ms(600_000.0 + f64::from(index)), 0.0);
    }
    assert!(serde_json::to_string(&limiter.pauses()).unwrap().len() < 10_000);
}

#[test]
fn a_limit_that_is_no_number_does_not_open_the_limiter() {
    let admissions = |per_minute| {
        let mut limiter = Limiter::new(per_minute, 0.0);
        (0..50)
            .filter(|index| {
                limiter.admit(asks(&index.to_string(), "a", RequestKind::Poll), 1_000.0).wait.0 == 0.0
            })
            .count()
    };
    for wrong in [f64::NAN, 0.0, -5.0, f64::NEG_INFINITY] {
        assert_eq!(admissions(wrong), 1, "{wrong}");
    }
    for large in [1e9, 1e300, f64::INFINITY] {
        assert_eq!(admissions(large), 50, "{large}");
    }
}

#[test]
fn a_rate_limit_names_a_model_by_its_code_or_in_its_message() {
    let is_specific =
        |answer: Answer<Json>, model| RateLimit::of(&answer, model).map(|limit| limit.is_model_specific);
    let refused = |error| reply(429, json!({ "error": error }));
    for (error, expected) in [
        (json!({"message": "Rate limit reached for flux-pro, on requests per minute."}), true),
        (json!({"code": "model_rate_limited", "message": "Slow down."}), true),
        (json!({"code": "rate_limit_exceeded", "message": "Slow down."}), false),
        (json!({"message": "Rate limit reached for midjourney."}), false),
        (json!("flux-pro is busy"), true),
    ] {
        assert_eq!(is_specific(refused(error.clone()), "flux-pro"), Some(expected), "{error}");
    }
    assert_eq!(is_specific(refused(json!({"message": "Slow down."})), ""), Some(false));
    assert_eq!(is_specific(bodiless(429), "flux-pro"), Some(false));
    assert_eq!(is_specific(reply(503, json!({"error": {"message": "flux-pro is down"}})), "flux-pro"), None);
}

#[test]
fn rule_6_a_limit_that_is_no_number_is_the_lowest_one() {
    let mut limiter = Limiter::new(f64::NAN, 0.0);
    let hour = 3_600_000.0;
    let waits: Vec<f64> = ["1", "2"]
        .iter()
        .map(|ticket| limiter.admit(asks(ticket, "a", RequestKind::Create), hour).wait.0)
        .collect();
    assert!(waits[0] == 0.0 && waits[1] > 0.0, "{waits:?}");
}
