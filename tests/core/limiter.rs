//! The limiter of a limiter: its pace, its fairness, and what becomes of those who do not come back.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use lemondata_wasm::core::{Admission, Limiter, Pauses, RequestKind, names_model, pause_asked_ms};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::help::{asking, bodiless, config, reply};

const WINDOW_MS: f64 = 60_000.0;
/// For so long an absent ticket may hold up the others behind its time.
const PATIENCE_MS: f64 = 6_000.0;

/// Whoever wants a turn, and comes back whenever it is told to.
#[derive(Clone, Debug)]
struct Asker {
    identity: String,
    need: RequestKind,
    at: u64,
    /// How much later than told it comes, in milliseconds.
    late: u64,
    /// How often it asks, unless it gets its turn before.
    patience: u32,
}

impl Asker {
    fn new(identity: &str, need: RequestKind, at: u64) -> Asker {
        Asker { identity: identity.into(), need, at, late: 0, patience: u32::MAX }
    }
}

/// A turn that was given.
#[derive(Clone, Debug)]
struct Grant {
    /// The index of the asker.
    who: usize,
    at: u64,
    /// When it was told to come back the first time.
    told: u64,
    asks: u32,
    /// How many turns others had between its first question and its turn.
    others: usize,
}

/// Lets all of them ask until each has had its turn or has gone, and returns the turns in their order.
fn run(limiter: &mut Limiter, askers: &[Asker]) -> Vec<Grant> {
    let mut agenda: BinaryHeap<_> =
        askers.iter().enumerate().map(|(who, asker)| Reverse((asker.at, who))).collect();
    let mut state = vec![(0_u32, 0_u64, 0_usize); askers.len()];
    let mut grants: Vec<Grant> = Vec::new();
    while let Some(Reverse((now, who))) = agenda.pop() {
        let asker = &askers[who];
        let (asks, told, since) = &mut state[who];
        let turn = limiter.ask(&who.to_string(), &asker.identity, asker.need, now as f64);
        *asks += 1;
        if *asks == 1 {
            (*told, *since) = (now + turn.wait_ms as u64, grants.len());
        }
        if turn.wait_ms == 0.0 {
            let others = grants.len() - *since;
            grants.push(Grant { who, at: now, told: *told, asks: *asks, others });
        } else if *asks < asker.patience {
            assert!(turn.wait_ms >= 50.0 && turn.wait_ms.fract() == 0.0, "{turn:?}");
            agenda.push(Reverse((now + turn.wait_ms as u64 + asker.late, who)));
        }
        assert!(*asks < 1_000, "{asker:?} never gets its turn");
    }
    grants
}

/// So many of one kind and one identity at once.
fn crowd(identity: &str, need: RequestKind, at: u64, count: usize) -> Vec<Asker> {
    vec![Asker::new(identity, need, at); count]
}

/// The most turns in any minute.
fn busiest(times: &[u64]) -> usize {
    (0..times.len())
        .map(|from| times[from..].iter().take_while(|at| **at < times[from] + WINDOW_MS as u64).count())
        .max()
        .unwrap_or(0)
}

fn times(grants: &[Grant]) -> Vec<u64> {
    grants.iter().map(|grant| grant.at).collect()
}

fn need() -> impl Strategy<Value = RequestKind> {
    select(vec![RequestKind::Create, RequestKind::Poll])
}

fn per_minute() -> impl Strategy<Value = f64> {
    prop_oneof![1_u32..10, 10_u32..200, 200_u32..3_000].prop_map(f64::from)
}

/// The limits of small and of large accounts alike.
fn usual() -> impl Strategy<Value = f64> {
    prop_oneof![10_u32..150, 150_u32..6_000].prop_map(f64::from)
}

/// The milliseconds from one turn to the next: what a full bucket lets through at once is missing in the minute that
/// follows.
fn per_turn(per_minute: f64) -> f64 {
    WINDOW_MS / (per_minute - (per_minute / 60.0).max(2.0))
}

fn asker() -> impl Strategy<Value = Asker> {
    let at = prop_oneof![Just(0_u64), 0_u64..1_000, 0_u64..300_000];
    let late = prop_oneof![4 => Just(0_u64), 2 => 0_u64..300, 1 => 0_u64..30_000];
    let patience = prop_oneof![6 => Just(u32::MAX), 1 => 1_u32..3];
    (select(vec!["a", "b", "c", "d"]), need(), at, late, patience).prop_map(
        |(identity, need, at, late, patience)| Asker { identity: identity.into(), need, at, late, patience },
    )
}

#[derive(Clone, Debug)]
enum Input {
    Ask { ticket: u8, need: RequestKind },
    Slow(f64),
    Pass(f64),
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        12 => (any::<u8>(), need()).prop_map(|(ticket, need)| Input::Ask { ticket, need }),
        1 => (0_u32..20_000).prop_map(|ms| Input::Slow(ms.into())),
        4 => (0_u32..3_000).prop_map(|ms| Input::Pass(ms.into())),
        1 => (0_u32..120_000).prop_map(|ms| Input::Pass(ms.into())),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_minute_has_more_turns_than_the_limit(per_minute in per_minute(), inputs in vec(input(), 0..600)) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        let (mut now, mut times) = (0.0, Vec::new());
        for input in inputs {
            match input {
                Input::Pass(ms) => now += ms,
                Input::Slow(ms) => limiter.pause_all(ms, now),
                Input::Ask { ticket, need } => {
                    let identity = (ticket % 5).to_string();
                    if limiter.ask(&ticket.to_string(), &identity, need, now).wait_ms == 0.0 {
                        times.push(now as u64);
                    }
                }
            }
        }
        prop_assert!(busiest(&times) <= per_minute as usize, "{:?}", times);
    }

    #[test]
    fn no_minute_has_more_turns_than_the_limit_when_many_want_them(
        per_minute in per_minute(), askers in vec(asker(), 0..200),
    ) {
        let grants = run(&mut Limiter::new(per_minute, 0.0), &askers);
        prop_assert!(busiest(&times(&grants)) <= per_minute as usize);
    }

    #[test]
    fn whoever_is_alone_goes_at_once(per_minute in per_minute(), askers in vec(asker(), 0..50), need in need()) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        let asked = run(&mut limiter, &askers);
        // Time for the last turn to be made up for, and for the last ticket to be missed.
        let later = asked.last().map_or(300_000, |grant| grant.at.max(300_000)) + 2_000_000;
        let turn = limiter.ask("lone", "e", need, later as f64);
        prop_assert_eq!(turn, Admission { wait_ms: 0.0, position: 0, length: 0 });
    }

    #[test]
    fn whoever_comes_back_when_told_has_its_turn_soon(
        per_minute in usual(), creates in 0_usize..150, polls in 0_usize..150, slowed in any::<bool>(),
    ) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        if slowed {
            limiter.pause_all(3_000.0, 0.0);
        }
        let askers = [crowd("a", RequestKind::Create, 0, creates), crowd("b", RequestKind::Poll, 0, polls)].concat();
        let grants = run(&mut limiter, &askers);
        prop_assert_eq!(grants.len(), askers.len());
        // All came at once: whoever asked first did not know of the other kind, which takes every other turn.
        let told_right = grants.iter().filter(|grant| askers[grant.who].need == RequestKind::Poll);
        for grant in told_right {
            // Another one may have had a turn that was to fill up again by then, and a full bucket that waits for
            // whoever comes first loses a little.
            let soon = grant.told + grant.told / 20 + 200 + per_turn(per_minute) as u64;
            prop_assert!(grant.at <= soon, "told {} ms: {:?}", grant.told, grant);
        }
        for grant in &grants {
            prop_assert!(grant.asks <= 6, "{:?}", grant);
        }
    }

    #[test]
    fn nobody_waits_longer_than_it_takes_to_serve_all(per_minute in usual(), askers in vec(asker(), 1..150)) {
        let askers: Vec<_> =
            askers.into_iter().map(|asker| Asker { late: 0, patience: u32::MAX, ..asker }).collect();
        let grants = run(&mut Limiter::new(per_minute, 0.0), &askers);
        prop_assert_eq!(grants.len(), askers.len());
        for grant in &grants {
            // A full bucket that waits for whoever comes first loses a part of its turns, the slower the more.
            let longest = per_turn(per_minute) * (1.25 * askers.len() as f64 + 2.0) + 1_000.0;
            prop_assert!((grant.at - askers[grant.who].at) as f64 <= longest, "{:?}", grant);
        }
    }

    #[test]
    fn those_who_have_gone_do_not_hold_up_the_others(
        per_minute in 10_u32..600, gone in 1_usize..40, need in need(), other in need(),
    ) {
        let mut limiter = Limiter::new(per_minute.into(), 0.0);
        let absent: Vec<_> = crowd("a", other, 0, gone)
            .into_iter()
            .map(|asker| Asker { patience: 1, ..asker })
            .collect();
        let askers = [absent, crowd("b", need, 1, 1)].concat();
        let grants = run(&mut limiter, &askers);
        let last = grants.last().expect("a turn");
        prop_assert_eq!(last.who, gone);
        let longest = (gone as f64 + 2.0) * per_turn(per_minute.into()) + PATIENCE_MS + 1_000.0;
        prop_assert!(last.at as f64 <= longest, "{:?}", last);
    }

    #[test]
    fn a_queue_that_is_left_leaves_nothing(per_minute in per_minute(), askers in vec(asker(), 0..100)) {
        let mut limiter = Limiter::new(per_minute, 0.0);
        let fresh = size(&mut limiter.clone(), 0);
        run(&mut limiter, &askers);
        prop_assert!(size(&mut limiter, 1_000_000_000) <= fresh + 100);
    }
}

/// What a limiter holds once somebody has asked at this time.
fn size(limiter: &mut Limiter, at: u64) -> usize {
    limiter.ask("lone", "e", RequestKind::Poll, at as f64);
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
        let askers = [
            crowd("greedy", RequestKind::Poll, 0, 1_000),
            crowd("b", RequestKind::Poll, 0, 300),
            crowd("c", RequestKind::Poll, 0, 300),
            crowd("modest", RequestKind::Poll, 5_000, 1),
            crowd("modest", RequestKind::Poll, 60_000, 1),
            crowd("late", RequestKind::Poll, 90_000, 1),
        ]
        .concat();
        let grants = run(&mut Limiter::new(per_minute, 0.0), &askers);
        for grant in grants.iter().filter(|grant| grant.who >= 1_600) {
            assert!(grant.others <= 5 + burst, "{per_minute} a minute: {grant:?}");
        }
    }
}

#[test]
fn each_identity_has_its_turn_in_every_round() {
    let names = ["a", "b", "c", "d"];
    let askers: Vec<_> = names.iter().flat_map(|name| crowd(name, RequestKind::Create, 0, 50)).collect();
    let grants = run(&mut Limiter::new(60.0, 0.0), &askers);
    // The first comes before anybody else is known.
    for round in grants[1..].chunks(4).take(48) {
        let served: BTreeSet<_> = round.iter().map(|grant| &askers[grant.who].identity).collect();
        assert_eq!(served.len(), 4, "{round:?}");
    }
}

#[test]
fn whoever_has_given_up_much_is_not_put_behind_the_others() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let gone: Vec<_> = crowd("a", RequestKind::Poll, 0, 1_000)
        .into_iter()
        .map(|asker| Asker { patience: 1, ..asker })
        .collect();
    run(&mut limiter, &gone);
    let at = 2_000_000;
    let askers =
        [crowd("b", RequestKind::Poll, at, 300), crowd("a", RequestKind::Poll, at + 1_000, 1)].concat();
    let grants = run(&mut limiter, &askers);
    let grant = grants.iter().find(|grant| grant.who == 300).expect("a turn");
    assert!(grant.others <= 3, "{grant:?}");
}

#[test]
fn creates_and_polls_take_turns() {
    let askers = [crowd("a", RequestKind::Create, 0, 400), crowd("b", RequestKind::Poll, 0, 300)].concat();
    let grants = run(&mut Limiter::new(600.0, 0.0), &askers);
    let (mut creates, mut polls) = (0_usize, 0_usize);
    for grant in &grants {
        if askers[grant.who].need == RequestKind::Create {
            creates += 1;
        } else {
            polls += 1;
        }
        if creates < 400 && polls < 300 {
            // A burst of turns may go to those of one kind who come back a little earlier.
            assert!(creates.abs_diff(polls) <= 12, "{creates} creates, {polls} polls");
        }
    }
}

#[test]
fn whoever_would_have_to_wait_too_long_leaves_no_place() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let mut ask =
        |ticket: &str, patience| limiter.ask_within(ticket, "a", RequestKind::Create, patience, 0.0);
    assert_eq!(ask("t0", 0.0).wait_ms, 0.0);
    let told = ask("t1", 10_000.0);
    assert_eq!(told.length, 1);
    for other in ["t2", "t3", "t4"] {
        let turn = ask(other, told.wait_ms);
        assert!(turn.wait_ms > told.wait_ms);
        assert_eq!((turn.position, turn.length), (1, 2), "{other}");
    }
    assert_eq!(ask("t1", 10_000.0), told);
}

#[test]
fn more_than_can_be_served_does_not_make_it_serve_less() {
    // Twice as many as there are turns for, each of whom waits for half a minute at most.
    let mut limiter = Limiter::new(600.0, 0.0);
    let mut agenda: BinaryHeap<_> = (0..6_000_u64).map(|who| Reverse((who * 50, who * 50, who))).collect();
    let mut turns = 0;
    while let Some(Reverse((now, since, who))) = agenda.pop() {
        let patience = 30_000.0 - (now - since) as f64;
        let (ticket, identity) = (who.to_string(), (who % 700).to_string());
        let turn = limiter.ask_within(&ticket, &identity, RequestKind::Create, patience, now as f64);
        if turn.wait_ms == 0.0 {
            turns += 1;
        } else if turn.wait_ms <= patience {
            agenda.push(Reverse((now + turn.wait_ms as u64, since, who)));
        }
    }
    assert!(turns > 3_000, "{turns} of the 3245 turns of five and a half minutes");
}

#[test]
fn nobody_waits_for_those_who_are_overdue_and_they_keep_their_place_for_a_while() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let mut ask = |ticket, now| limiter.ask(ticket, ticket, RequestKind::Poll, now).wait_ms;
    assert_eq!(ask("a", 0.0), 0.0);
    // They are told to come at 1.03 s and at 2.07 s, and the first one does not.
    assert!((1_000.0..1_100.0).contains(&ask("b", 0.0)));
    assert!((2_000.0..2_100.0).contains(&ask("c", 0.0)));
    assert_eq!(ask("c", 2_100.0), 0.0);
    assert_eq!(ask("d", 2_100.0), 0.0);
    assert!(ask("e", 2_200.0) > 0.0);
    assert_eq!(ask("b", 3_300.0), 0.0);
}

#[test]
fn a_queue_of_which_half_has_gone_is_served_in_the_same_time() {
    let gone = Asker { patience: 1, ..Asker::new("a", RequestKind::Poll, 0) };
    let askers = vec![[gone, Asker::new("a", RequestKind::Poll, 0)]; 400].concat();
    let grants = run(&mut Limiter::new(600.0, 0.0), &askers);
    assert!(grants.len() >= 400 && grants.last().unwrap().at < 85_000, "{:?}", grants.last());
}

#[test]
fn whoever_is_here_goes_once_the_bucket_has_been_full_for_a_while() {
    let mut limiter = Limiter::new(60.0, 0.0);
    let mut ask = |ticket, now| limiter.ask(ticket, "a", RequestKind::Poll, now).wait_ms;
    assert_eq!(ask("first", 0.0), 0.0);
    for absent in ["a", "b", "c", "d"] {
        assert!(ask(absent, 0.0) > 0.0);
    }
    // Two of them come soon: the third is late by less than is allowed, and the fourth within a second.
    assert_eq!(ask("here", 3_200.0), 0.0);
}

#[test]
fn nobody_waits_for_those_who_come_when_the_bucket_is_full_again() {
    let mut limiter = Limiter::new(600.0, 0.0);
    for ticket in 0..300 {
        limiter.ask(&ticket.to_string(), "a", RequestKind::Poll, 0.0);
    }
    // None of them has come, and the bucket is full: only those whose time is now have a claim on it.
    assert_eq!(limiter.ask("late", "a", RequestKind::Poll, 2_000.0).wait_ms, 0.0);
    assert_eq!(limiter.ask("later", "a", RequestKind::Poll, 2_000.0).wait_ms, 0.0);
}

#[test]
fn the_place_and_the_length_are_told() {
    let mut limiter = Limiter::new(60.0, 0.0);
    assert_eq!(
        limiter.ask("t0", "a", RequestKind::Create, 0.0),
        Admission { wait_ms: 0.0, position: 0, length: 0 }
    );
    let mut ask = |ticket, identity, need| limiter.ask(ticket, identity, need, 0.0);
    let place = |turn: Admission| (turn.position, turn.length);
    assert_eq!(place(ask("t1", "a", RequestKind::Create)), (0, 1));
    assert_eq!(place(ask("t2", "a", RequestKind::Create)), (1, 2));
    // Another identity comes before the second request of the first one.
    assert_eq!(place(ask("t3", "b", RequestKind::Create)), (1, 3));
    assert_eq!(place(ask("t2", "a", RequestKind::Create)), (2, 3));
    assert_eq!(place(ask("p1", "a", RequestKind::Poll)), (0, 4));
    // The kinds take turns: the create was last, so that the poll comes first.
    assert!(ask("p1", "a", RequestKind::Poll).wait_ms < ask("t1", "a", RequestKind::Create).wait_ms);
}

#[test]
fn a_429_stops_everybody_slows_them_and_is_forgotten() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_all(5_000.0, 0.0);
    let grants = run(&mut limiter, &crowd("a", RequestKind::Poll, 0, 2_000));
    assert!(grants[0].at >= 5_000);
    let turns = |from: u64, to: u64| grants.iter().filter(|grant| (from..to).contains(&grant.at)).count();
    // 590 a minute at the whole pace, half of it at first.
    assert!((49..=60).contains(&turns(5_000, 15_000)), "{}", turns(5_000, 15_000));
    assert!((95..=100).contains(&turns(65_000, 75_000)), "{}", turns(65_000, 75_000));
}

#[test]
fn refusals_of_requests_under_way_slow_once_and_new_ones_again_but_never_to_nothing() {
    let pace = |slows: &[f64]| {
        let mut limiter = Limiter::new(600.0, 0.0);
        let mut now = 0.0;
        for at in slows {
            now = *at;
            limiter.pause_all(1_000.0, now);
        }
        // How long a full bucket takes tells the pace.
        let askers = crowd("a", RequestKind::Poll, now as u64 + 1_000, 30);
        let grants = run(&mut limiter, &askers);
        grants[4].at as f64 - now - 1_000.0
    };
    let (once, again) = (pace(&[0.0, 1.0, 2.0]), pace(&[0.0, 1_002.0]));
    assert_eq!(once, pace(&[2.0]));
    assert!(again > 1.8 * once, "{again} after {once}");
    let often: Vec<_> = (0..200).map(|index| f64::from(index) * 1_000.0).collect();
    assert!(pace(&often) < 8_000.0, "{}", pace(&often));
}

#[test]
fn a_longer_refusal_counts_and_a_shorter_one_does_not() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_all(5_000.0, 0.0);
    limiter.pause_all(1_000.0, 100.0);
    assert!(limiter.ask("a", "a", RequestKind::Poll, 4_999.0).wait_ms > 0.0);
    limiter.pause_all(9_000.0, 200.0);
    assert!(limiter.ask("a", "a", RequestKind::Poll, 9_199.0).wait_ms > 0.0);
    assert_eq!(limiter.ask("a", "a", RequestKind::Poll, 9_500.0).wait_ms, 0.0);
}

#[test]
fn a_fleet_that_is_lost_again_and_again_hardly_exceeds_the_limit() {
    let mut times = Vec::new();
    for minute in 0..60_u64 {
        let mut limiter = Limiter::new(600.0, minute as f64 * 1_000.0);
        for ms in (0..1_000).step_by(10) {
            let now = minute * 1_000 + ms;
            if limiter.ask(&now.to_string(), "a", RequestKind::Poll, now as f64).wait_ms == 0.0 {
                times.push(now);
            }
        }
    }
    assert!(busiest(&times) <= 600 + 60, "{}", busiest(&times));
}

#[test]
fn a_clock_that_is_set_back_gives_no_turns_away() {
    let mut limiter = Limiter::new(60.0, 0.0);
    for ticket in ["a full bucket", "has two turns"] {
        assert_eq!(limiter.ask(ticket, "a", RequestKind::Poll, 10_000.0).wait_ms, 0.0);
    }
    assert!(limiter.ask("b", "a", RequestKind::Poll, 2_000.0).wait_ms > 0.0);
    assert!(limiter.ask("b", "a", RequestKind::Poll, 9_000.0).wait_ms > 0.0);
}

#[test]
fn only_a_429_slows_and_for_as_long_as_it_says() {
    let cases = [
        ("a success", asking(reply(200, json!({})), 9.0), 0.0),
        ("overload", asking(reply(503, json!({})), 9.0), 0.0),
        ("429 with a header", asking(reply(429, json!({})), 9.0), 9_000.0),
        ("429 with a body", reply(429, json!({"error": {"retry_after": 7}})), 7_000.0),
        ("429 without a word", bodiless(429), 1_000.0),
    ];
    for (name, reply, expected) in cases {
        assert_eq!(pause_asked_ms(&reply), expected, "{name}");
    }
}

/// What a process that has just started finds in the store.
fn stored(limiter: &Limiter) -> Pauses {
    serde_json::from_value(serde_json::to_value(limiter.pauses()).unwrap()).unwrap()
}

#[test]
fn the_pauses_outlive_the_process_and_a_shorter_one_does_not_end_a_longer_one() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_all(30_000.0, 0.0);
    limiter.pause_all(1_000.0, 10.0);
    assert!(stored(&limiter).last(29_999.0) && !stored(&limiter).last(30_000.0));
    let mut again = Limiter::with_pauses(600.0, stored(&limiter), 20.0);
    assert!(again.ask("a", "a", RequestKind::Poll, 29_999.0).wait_ms > 0.0);
    assert_eq!(again.ask("a", "a", RequestKind::Poll, 31_000.0).wait_ms, 0.0);
    // A pause that is over leaves nothing.
    assert_eq!(
        Limiter::with_pauses(600.0, stored(&limiter), 40_000.0)
            .ask("a", "a", RequestKind::Poll, 40_000.0)
            .wait_ms,
        0.0
    );
}

#[test]
fn an_absurd_refusal_closes_for_ten_minutes_and_then_lets_one_request_try() {
    for absurd in [1e15, f64::INFINITY] {
        let mut limiter = Limiter::new(6_000.0, 0.0);
        limiter.pause_all(absurd, 0.0);
        let mut limiter = Limiter::with_pauses(6_000.0, stored(&limiter), 1.0);
        assert!((600_000.0..600_100.0).contains(&limiter.ask("gone", "a", RequestKind::Poll, 1.0).wait_ms));
        let grants = run(&mut limiter, &crowd("a", RequestKind::Poll, 600_001, 20));
        assert!(grants[0].at < 601_000, "{:?}", grants[0]);
        assert!(grants[1].at >= grants[0].at + 5_000, "the others wait for the probe: {:?}", grants[1]);
        assert!(grants[19].at < 610_000, "{:?}", grants[19]);
        // The probe is refused as well.
        let mut limiter = Limiter::new(6_000.0, 0.0);
        limiter.pause_all(absurd, 0.0);
        assert_eq!(limiter.ask("a", "a", RequestKind::Poll, 600_100.0).wait_ms, 0.0);
        limiter.pause_all(absurd, 600_200.0);
        assert!(limiter.ask("b", "a", RequestKind::Poll, 1_200_199.0).wait_ms > 0.0);
    }
}

#[test]
fn a_refusal_of_one_model_closes_that_one_alone() {
    let mut limiter = Limiter::new(600.0, 0.0);
    limiter.pause_model("flux-pro", 20_000.0, 0.0);
    let mut limiter = Limiter::with_pauses(600.0, stored(&limiter), 1.0);
    let mut ask =
        |model: &str, ticket: &str, need, now| limiter.ask_for(model, ticket, "a", need, f64::INFINITY, now);
    let turn = ask("flux-pro", "a", RequestKind::Create, 2_000.0);
    assert_eq!((turn.wait_ms, turn.position, turn.length), (18_000.0, 0, 1));
    assert_eq!(ask("dall-e-3", "b", RequestKind::Create, 2_000.0).wait_ms, 0.0);
    // Polls are not creates of the model.
    assert_eq!(ask("flux-pro", "c", RequestKind::Poll, 3_000.0).wait_ms, 0.0);
    assert_eq!(ask("flux-pro", "a", RequestKind::Create, 20_000.0).wait_ms, 0.0);
}

#[test]
fn an_absurd_refusal_of_a_model_is_tried_by_one_create() {
    let mut limiter = Limiter::new(6_000.0, 0.0);
    limiter.pause_model("flux-pro", 1e15, 0.0);
    let mut ask =
        |ticket: &str, now| limiter.ask_for("flux-pro", ticket, "a", RequestKind::Create, 1e15, now).wait_ms;
    assert_eq!(ask("a", 0.0), 600_000.0);
    assert_eq!(ask("a", 600_000.0), 0.0);
    assert_eq!(ask("b", 600_000.0), 5_000.0);
    assert_eq!(ask("b", 605_000.0), 0.0);
    assert_eq!(ask("c", 606_000.0), 0.0);
}

#[test]
fn a_create_of_a_closed_model_holds_nobody_up() {
    let mut limiter = Limiter::new(60.0, 0.0);
    assert_eq!(limiter.ask("first", "a", RequestKind::Create, 0.0).wait_ms, 0.0);
    assert!(limiter.ask_for("flux-pro", "closed", "a", RequestKind::Create, 1e9, 0.0).wait_ms > 0.0);
    limiter.pause_model("flux-pro", 60_000.0, 100.0);
    assert!(limiter.ask_for("flux-pro", "closed", "a", RequestKind::Create, 1e9, 200.0).wait_ms > 50_000.0);
    assert_eq!(limiter.ask("next", "b", RequestKind::Create, 1_200.0).wait_ms, 0.0);
}

#[test]
fn so_many_refused_models_are_forgotten_again() {
    let mut limiter = Limiter::new(60.0, 0.0);
    for index in 0..1_000 {
        limiter.pause_model(&index.to_string(), 600_000.0 + f64::from(index), 0.0);
    }
    assert!(serde_json::to_string(&limiter.pauses()).unwrap().len() < 10_000);
}

#[test]
fn a_limit_that_is_no_number_does_not_open_the_limiter() {
    let turns = |per_minute| {
        let mut limiter = Limiter::new(per_minute, 0.0);
        (0..50)
            .filter(|index| limiter.ask(&index.to_string(), "a", RequestKind::Poll, 1_000.0).wait_ms == 0.0)
            .count()
    };
    for wrong in [f64::NAN, 0.0, -5.0, f64::NEG_INFINITY] {
        assert_eq!(turns(wrong), 1, "{wrong}");
    }
    for large in [1e9, 1e300, f64::INFINITY] {
        assert_eq!(turns(large), 50, "{large}");
    }
}

#[test]
fn a_refusal_names_a_model_by_its_code_or_in_its_message() {
    let refused = |error| reply(429, json!({ "error": error }));
    for (error, expected) in [
        (json!({"message": "Rate limit reached for flux-pro, on requests per minute."}), true),
        (json!({"code": "model_rate_limited", "message": "Slow down."}), true),
        (json!({"code": "rate_limit_exceeded", "message": "Slow down."}), false),
        (json!({"message": "Rate limit reached for midjourney."}), false),
        (json!("flux-pro is busy"), true),
    ] {
        assert_eq!(names_model(&refused(error.clone()), "flux-pro"), expected, "{error}");
    }
    assert!(!names_model(&refused(json!({"message": "Slow down."})), ""));
    assert!(!names_model(&reply(503, json!({"error": {"message": "flux-pro is down"}})), "flux-pro"));
    assert!(!names_model(&bodiless(429), "flux-pro"));
}

#[test]
fn rule_6_a_limit_that_is_no_number_is_the_lowest_one() {
    let mut limiter = Limiter::new(f64::NAN, 0.0);
    let hour = 3_600_000.0;
    let waits: Vec<f64> =
        ["1", "2"].iter().map(|ticket| limiter.ask(ticket, "a", RequestKind::Create, hour).wait_ms).collect();
    assert!(waits[0] == 0.0 && waits[1] > 0.0, "{waits:?}");
}
