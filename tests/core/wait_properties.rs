//! What holds of every wait, whatever happens to it.

use lemondata_wasm::core::{Kind, Outcome, TransportError, Wait};
use proptest::prelude::*;

use crate::{
    help::config,
    limits::{FRESH_MS, LONGEST_BACKOFF_MS},
    simulation::{Event, FOREIGN, NAMED, Poll, PollOutcome, Run, Scenario, TASK_URL, scenario, simulate},
};

/// What sums of fractions of milliseconds may differ by.
const ROUNDING: f64 = 1e-4;
/// An answer that comes later than this behind the deadline was held up by a suspension.
const SUSPENDED_MS: f64 = 5_000.0;

fn run(scenario: &Scenario) -> Run {
    simulate(scenario, |wait| wait)
}

/// Each poll, the next one where the wait has sent that itself, and the gap from the answer to that.
fn gaps(run: &Run) -> impl Iterator<Item = (&Poll, &Poll, f64)> {
    let pairs = run.polls.windows(2).filter(|polls| !polls[1].joined);
    pairs.map(|polls| (&polls[0], &polls[1], polls[1].at - polls[0].answered))
}

/// Whether a poll goes on to the other path of a bare id: it is part of the one before it.
fn is_other_path(before: &Poll, poll: &Poll) -> bool {
    before.outcome == PollOutcome::Again && before.path != poll.path
}

/// Whether the poll of this number, if there is one, goes on to the other path.
fn goes_on(run: &Run, index: usize) -> bool {
    index > 0 && run.polls.get(index).is_some_and(|poll| is_other_path(&run.polls[index - 1], poll))
}

/// The polls that count: those that do not only go on to the other path.
fn counted(run: &Run) -> impl Iterator<Item = &Poll> {
    run.polls.iter().enumerate().filter(move |(index, _)| !goes_on(run, *index)).map(|(_, poll)| poll)
}

/// The path below the origin that a poll URL of the scenarios means.
fn path_of(poll_url: &str) -> Option<&str> {
    match poll_url {
        "" | FOREIGN => None,
        TASK_URL => Some("/api/v1/tasks/first"),
        named if named == NAMED[0] => Some("/api/v1/tasks/named?by=server"),
        _ => Some("/api/v1/tasks/other"),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rule_4_every_wait_ends_once_and_for_a_reason(scenario in scenario()) {
        let run = run(&scenario);
        let by_answer = run.polls.last().is_some_and(|poll| !poll.outcome.goes_on());
        prop_assert_ne!(run.gave_up.is_some(), by_answer);
    }

    #[test]
    fn polls_keep_the_cadence(scenario in scenario()) {
        let run = run(&scenario);
        let (min, max) = (scenario.options.poll_min.0, scenario.options.poll_max.0);
        for (poll, next, gap) in gaps(&run) {
            let asked = poll.turn.pause_ms();
            let longest = match poll.outcome {
                PollOutcome::Lost(_) => max.max(LONGEST_BACKOFF_MS),
                _ => max,
            };
            let allowed = longest.max(asked + max - min);
            prop_assert!(gap <= allowed + poll.overslept + ROUNDING, "{} ms behind {:?}", gap, poll);
            // The other path of a bare id is asked at once; the last poll comes at the deadline.
            let swapped = is_other_path(poll, next);
            let is_cut = next.at >= scenario.deadline() - ROUNDING;
            prop_assert!(gap >= min - ROUNDING || swapped || is_cut, "{} ms behind {:?}", gap, poll);
        }
    }

    #[test]
    fn our_own_task_is_asked_for_after_one_gap_and_another_s_at_once(scenario in scenario()) {
        let run = run(&scenario);
        let first = run.sleeps.first().filter(|(at, _, polls)| *at == scenario.start && *polls == 0);
        if scenario.own {
            let gap = scenario.options.poll_max.0.midpoint(scenario.options.poll_min.0).min(scenario.options.max_wait.0);
            prop_assert_eq!(first.map_or(0.0, |sleep| sleep.1), gap);
        } else {
            prop_assert!(first.is_none());
            prop_assert_eq!(run.polls[0].at, scenario.start);
        }
    }

    #[test]
    fn rule_6_the_server_is_never_asked_earlier_than_it_wants(scenario in scenario()) {
        for (poll, _, gap) in gaps(&run(&scenario)) {
            prop_assert!(gap >= poll.turn.pause_ms() - ROUNDING, "{} ms behind {:?}", gap, poll);
        }
    }

    #[test]
    fn rule_6_a_hint_beyond_the_deadline_ends_the_wait_at_once(scenario in scenario()) {
        let run = run(&scenario);
        for (index, poll) in run.polls.iter().enumerate() {
            let asked = poll.turn.pause_ms();
            let left = (scenario.deadline() - poll.answered).max(0.0);
            if poll.outcome.goes_on() && asked > left && !goes_on(&run, index + 1) {
                let failure = run.gave_up.as_ref().expect("an end");
                prop_assert_eq!((index + 1, run.ended), (run.polls.len(), poll.answered));
                prop_assert_eq!(failure.retry_after.0, asked);
            }
        }
    }

    #[test]
    fn rule_4_no_sleep_and_no_poll_is_planned_beyond_the_deadline(scenario in scenario()) {
        let run = run(&scenario);
        let deadline = scenario.deadline();
        for (at, ms, _) in &run.sleeps {
            // The other path shares the time of a last poll.
            let latest = deadline + if run.polls.is_empty() { 0.0 } else { SUSPENDED_MS };
            prop_assert!(*ms > 0.0 && at + ms <= latest + ROUNDING, "{} ms of sleep at {}", ms, at);
        }
        for poll in run.polls.iter().filter(|poll| !poll.joined) {
            prop_assert!(poll.timeout > 0.0 && poll.timeout <= scenario.options.poll_timeout.0 + ROUNDING);
            let end = deadline.max(poll.at + SUSPENDED_MS);
            prop_assert!(poll.at + poll.timeout <= end + ROUNDING, "{:?}", poll);
        }
        prop_assert!(counted(&run).filter(|poll| poll.at >= deadline).count() <= 1);
    }

    #[test]
    fn rule_2_a_deadline_passed_while_suspended_allows_one_last_poll(scenario in scenario()) {
        let run = run(&scenario);
        let Some(failure) = &run.gave_up else { return Ok(()) };
        if failure.kind != Kind::WaitTimeout {
            return Ok(());
        }
        let Some(last) = run.polls.last() else {
            prop_assert_eq!(scenario.options.max_wait.0, 0.0, "no poll at all");
            return Ok(());
        };
        let deadline = scenario.deadline();
        let was_asked_late = last.at >= deadline - ROUNDING;
        let was_cut_short = (deadline - ROUNDING..deadline + SUSPENDED_MS).contains(&last.answered);
        let would_be_late = last.turn.pause_ms() > (deadline - last.answered).max(0.0);
        prop_assert!(was_asked_late || was_cut_short || would_be_late, "gave up too early: {:?}", last);
    }

    #[test]
    fn the_budget_of_polls_is_kept_and_costs_no_further_sleep(scenario in scenario()) {
        let run = run(&scenario);
        let budget = scenario.options.max_polls as usize;
        let polls = counted(&run).count();
        let is_exhausted = budget > 0 && polls == budget && run.gave_up.is_some();
        prop_assert!(budget == 0 || polls <= budget);
        let ended_by_it = run.gave_up.as_ref().is_some_and(|failure| failure.kind == Kind::PollBudget);
        prop_assert_eq!(is_exhausted, ended_by_it);
        if is_exhausted {
            let last = (0..run.polls.len()).rev().find(|index| !goes_on(&run, *index)).expect("a poll");
            prop_assert!(run.sleeps.iter().all(|(_, _, polls)| *polls <= last || goes_on(&run, *polls)));
        }
    }

    #[test]
    fn rule_2_every_error_but_the_task_s_own_leaves_the_task(scenario in scenario()) {
        let run = run(&scenario);
        let failures = run.polls.iter().filter_map(|poll| match &poll.outcome {
            PollOutcome::Failed(failure) | PollOutcome::Lost(failure) => Some(failure),
            _ => None,
        });
        for failure in failures.chain(&run.gave_up) {
            let is_its_own = matches!(failure.kind, Kind::TaskFailed | Kind::TaskCancelled);
            prop_assert_eq!(failure.outcome, if is_its_own { Outcome::Failed } else { Outcome::Accepted });
            prop_assert!(!failure.message.contains('?'), "a query in {}", failure.message);
        }
    }

    #[test]
    fn rule_2_only_what_cannot_be_helped_ends_a_wait(scenario in scenario()) {
        for poll in run(&scenario).polls {
            let expected = match &poll.turn.event {
                Event::Running { .. } => matches!(poll.outcome, PollOutcome::Running),
                Event::Completed => poll.outcome == PollOutcome::Completed,
                Event::Broken | Event::Unclear => {
                    matches!(&poll.outcome, PollOutcome::Lost(failure) if failure.kind == Kind::Response)
                }
                Event::Lost(TransportError::Connection) => {
                    matches!(&poll.outcome, PollOutcome::Lost(failure) if failure.kind == Kind::Connection)
                }
                Event::Lost(TransportError::Timeout) => {
                    matches!(&poll.outcome, PollOutcome::Lost(failure) if failure.kind == Kind::RequestTimeout)
                }
                Event::Refused { status: 304 | 408 | 421 | 425 | 429 | 499.., retryable } if *retryable != Some(false) => {
                    matches!(poll.outcome, PollOutcome::Lost(_))
                }
                Event::Refused { .. } | Event::Failed { .. } => {
                    matches!(poll.outcome, PollOutcome::Failed(_))
                }
                Event::Missing { .. } => !matches!(poll.outcome, PollOutcome::Running | PollOutcome::Lost(_)),
            };
            prop_assert!(expected, "{:?}", poll);
        }
    }

    #[test]
    fn one_path_serves_the_whole_wait_and_a_missing_task_is_looked_for_on_both(scenario in scenario()) {
        let (images, tasks) = ("/api/v1/images/generations/", "/api/v1/tasks/");
        let id = &scenario.task.id;
        let order = if id.starts_with("img_") { [images, tasks] } else { [tasks, images] };
        let [mut path, mut other] = order.map(|route| format!("{route}{id}"));
        let mut is_given = !scenario.task.poll_url.is_empty();
        if let Some(known) = path_of(&scenario.task.poll_url) {
            path = known.into();
        }
        let run = run(&scenario);
        for (poll, next) in run.polls.iter().zip(run.polls.iter().skip(1).map(Some).chain([None])) {
            prop_assert_eq!(&poll.path, &path);
            match poll.turn.event {
                Event::Running { poll_url, .. } if !is_given => {
                    if let Some(named) = path_of(poll_url) {
                        (path, is_given) = (named.into(), true);
                    }
                }
                Event::Missing { .. } if !is_given && next.is_some_and(|next| next.path == other) => {
                    std::mem::swap(&mut path, &mut other);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_404_ends_a_wait_only_where_it_is_old_and_the_second_or_the_last(scenario in scenario()) {
        let fresh_until = scenario.start + if scenario.own { FRESH_MS } else { 0.0 };
        let run = run(&scenario);
        let mut is_missing = false;
        for (index, poll) in run.polls.iter().enumerate() {
            match poll.turn.event {
                Event::Missing { .. } if goes_on(&run, index + 1) => prop_assert_eq!(&poll.outcome, &PollOutcome::Again),
                Event::Missing { .. } if poll.answered < fresh_until => {
                    prop_assert_eq!(&poll.outcome, &PollOutcome::Again);
                }
                Event::Missing { coded } => {
                    let kind = if coded { Kind::TaskNotFound } else { Kind::NotFound };
                    match &poll.outcome {
                        // Another poll follows, or the wait has slept and was suspended.
                        PollOutcome::Again => prop_assert!(!is_missing && run.polls.len() > index + 1, "{:?}", poll),
                        PollOutcome::Failed(failure) => prop_assert_eq!(failure.kind, kind),
                        outcome => prop_assert!(false, "{:?}", outcome),
                    }
                    is_missing = true;
                }
                Event::Running { .. } => is_missing = false,
                _ => {}
            }
        }
    }

    #[test]
    fn rule_2_a_stored_wait_goes_on_as_if_nothing_had_happened(scenario in scenario()) {
        // Through a value and not through text, whose parser may miss the last bit of a number.
        let carried = simulate(&scenario, |wait| {
            let stored = serde_json::to_value(&wait).unwrap();
            let restored: Wait = serde_json::from_value(stored).expect("a stored wait");
            assert_eq!(restored, wait);
            restored
        });
        prop_assert_eq!(format!("{carried:?}"), format!("{:?}", run(&scenario)));
    }
}
