//! The simulation of `npm run scale`, small: two thousand tasks in a world where things go wrong.

#[path = "../../bench/scale/body.rs"]
mod body;
#[path = "../../bench/scale/world.rs"]
mod world;

use serde_json::json;
use world::{Outcome, Scenario, run};

const TASKS: u32 = 2_000;
const LIMIT: f64 = 1_000.0;

/// Two thousand tasks within so many minutes, where the limiter uses such a part of the limit.
fn scenario(minutes: f64, used_part: f64) -> Scenario {
    let scenario = json!({
        "name": "small",
        "seed": 7,
        "tasks": TASKS,
        "minutes": minutes,
        "daily": true,
        "measuredFromMinute": 0,
        "requestsPerMinute": LIMIT,
        "usedPart": used_part,
        "users": 500,
        "worksS": [30, 120],
        "createMs": [300, 1_200],
        "pollMs": [50, 250],
        "copyMs": [200, 800],
        "alarmLateMs": [5, 50],
        "crashPart": 0.01,
        "lostPart": 0.02,
        "overloadPart": 0.02,
        "retentionMinutes": 10,
        "maxWaitMs": 300_000,
        "pollIntervalMs": [3_000, 5_000],
        "copiesPictures": true,
    });
    serde_json::from_value(scenario).expect("a scenario")
}

/// What holds however much is asked for.
fn check(outcome: &Outcome) {
    let Outcome { completed, suspended, idle, unknown, lost, doubled, .. } = *outcome;
    assert_eq!(completed + suspended + idle + unknown, TASKS, "{outcome:?}");
    assert_eq!((lost, doubled), (0, 0), "{outcome:?}");
    assert!(outcome.busiest_minute as f64 <= LIMIT, "{}", outcome.busiest_minute);
    assert!(unknown > 0, "no process ended while a create was under way");
}

#[test]
fn a_quiet_day_completes_every_task_that_is_not_unknown() {
    let outcome = run(&scenario(120.0, 0.98));
    check(&outcome);
    assert_eq!((outcome.completed, outcome.refused), (TASKS - outcome.unknown, 0));
    // At the cadence: 75 s on average at a poll every 4 s.
    assert!((15..25).contains(&(outcome.polls / u64::from(TASKS))), "{} polls", outcome.polls);
    assert!(outcome.delivery_delay.p95 < 10_000, "{:?}", outcome.delivery_delay);
}

#[test]
fn a_rush_is_spread_below_the_limit() {
    let outcome = run(&scenario(10.0, 0.98));
    check(&outcome);
    assert_eq!((outcome.idle, outcome.refused), (0, 0));
    assert!(outcome.busiest_minute > 900, "{}", outcome.busiest_minute);
}

#[test]
fn more_than_fits_is_given_up_before_it_is_sent() {
    let outcome = run(&Scenario { max_wait_ms: 120_000.0, ..scenario(0.5, 0.98) });
    check(&outcome);
    assert!(outcome.idle > 100, "{} given up", outcome.idle);
    assert_eq!(outcome.refused, 0);
}

#[test]
fn a_limiter_that_is_set_too_high_is_slowed_by_the_provider() {
    let outcome = run(&scenario(10.0, 1.3));
    check(&outcome);
    assert!(outcome.refused > 0 && outcome.refused < 200, "{} answers of 429", outcome.refused);
}

#[test]
fn the_same_seed_gives_the_same_day() {
    assert_eq!(run(&scenario(10.0, 0.98)), run(&scenario(10.0, 0.98)));
}
