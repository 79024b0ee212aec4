//! One clock out of two.

use lemondata_wasm::core::Clock;
use proptest::{collection::vec, prelude::*};

use crate::help::config;

/// One clock may trail the other by so much before it counts as stopped.
const SLACK_MS: f64 = 1_000.0;

/// A clock that is read at each of these pairs, and what it shows.
fn readings(pairs: &[(f64, f64)]) -> Vec<f64> {
    let mut clock = Clock::new();
    pairs.iter().map(|(monotonic, wall)| clock.read(*monotonic, *wall)).collect()
}

#[test]
fn time_passes_as_the_faster_clock_says() {
    let cases = [
        ("both run", [(5.0, 1_000.0), (15.0, 1_010.0), (25.0, 1_020.0)], [0.0, 10.0, 20.0]),
        ("both are frozen", [(5.0, 1_000.0), (5.0, 1_000.0), (5.0, 1_000.0)], [0.0, 0.0, 0.0]),
        ("a laptop slept", [(5.0, 1_000.0), (6.0, 9_000.0), (16.0, 9_010.0)], [0.0, 8_000.0, 8_010.0]),
        ("the wall clock was set back", [(5.0, 1_000.0), (15.0, 10.0), (25.0, 20.0)], [0.0, 10.0, 20.0]),
        (
            "the monotonic one began again",
            [(500.0, 1_000.0), (0.0, 1_010.0), (10.0, 1_020.0)],
            [0.0, 10.0, 20.0],
        ),
        ("the two tick in turn", [(0.0, 1_000.0), (900.0, 1_000.0), (900.0, 1_900.0)], [0.0, 900.0, 900.0]),
        ("a laptop slept twice", [(5.0, 1_000.0), (6.0, 1_700.0), (7.0, 2_400.0)], [0.0, 700.0, 1_400.0]),
        (
            "a frozen clock goes on where it stopped",
            [(5.0, 1_000.0), (5.0, 9_000.0), (15.0, 9_000.0)],
            [0.0, 8_000.0, 8_010.0],
        ),
        ("both were set back", [(500.0, 1_000.0), (0.0, 0.0), (10.0, 10.0)], [0.0, 0.0, 10.0]),
    ];
    for (name, pairs, expected) in cases {
        assert_eq!(readings(&pairs), expected, "{name}");
    }
}

#[test]
fn a_timer_that_has_fired_moves_a_frozen_clock() {
    let mut clock = Clock::default();
    clock.read(0.0, 0.0);
    clock.at_least(4_000.0);
    assert_eq!(clock.read(0.0, 0.0), 4_000.0);
    clock.at_least(1_000.0);
    assert_eq!(clock.read(0.0, 0.0), 4_000.0);
    // What the clocks show later of that time does not count again.
    assert_eq!(clock.read(4_000.0, 4_000.0), 4_000.0);
    assert_eq!(clock.read(4_100.0, 4_100.0), 4_100.0);
}

#[test]
fn a_timer_and_the_clocks_do_not_count_the_same_time_twice() {
    let mut clock = Clock::new();
    for second in 1..=5 {
        let end = f64::from(second) * 1_000.0;
        clock.read(end - 1_000.0, end - 1_000.0);
        clock.at_least(end);
        assert_eq!(clock.read(end, end), end, "after {second} timers of one second");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn time_never_runs_back_and_stays_within_a_second_of_the_faster_clock(
        pairs in vec((-1e12..1e12, -1e12..1e12), 1..40),
        small in vec((-900..900, -900..900), 1..40),
    ) {
        let small: Vec<_> = small.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
        for pairs in [pairs, small] {
            let shown = readings(&pairs);
            prop_assert_eq!(shown[0], 0.0);
            for start in 0..pairs.len() {
                // What the clocks advance, step by step, at the most.
                let mut most = 0.0;
                for end in start + 1..pairs.len() {
                    let passed = shown[end] - shown[start];
                    prop_assert!(shown[end] >= shown[end - 1]);
                    let (before, now) = (pairs[end - 1], pairs[end]);
                    most += (now.0 - before.0).max(now.1 - before.1).max(0.0);
                    let least = (now.0 - pairs[start].0).max(now.1 - pairs[start].1);
                    // Sums of such numbers are exact to a few hundredths.
                    prop_assert!(passed <= most + 1.0, "{} passed, {} shown", most, passed);
                    prop_assert!(passed >= least - SLACK_MS - 1.0, "{} passed, {} shown", least, passed);
                }
            }
        }
    }

    #[test]
    fn time_is_right_however_often_it_is_read(
        steps in vec(0.0..3.0, 2_000..4_000), grains in (1.0..400.0_f64, 1.0..400.0_f64), offsets in (0.0..1e9_f64, 0.0..1e12_f64),
    ) {
        let coarse = |time: f64, grain: f64| (time / grain).floor() * grain;
        let mut clock = Clock::new();
        let mut time = 0.0;
        for step in steps {
            time += step;
            let shown = clock.read(
                coarse(time, grains.0) + offsets.0.floor(),
                coarse(time, grains.1) + offsets.1.floor(),
            );
            prop_assert!((shown - time).abs() <= 400.0, "{} passed, {} shown", time, shown);
        }
    }

    #[test]
    fn clocks_that_drift_apart_never_make_time_run_faster_than_the_faster_one(
        rate in 0.5..2.0, step in 0.1..700.0,
    ) {
        let mut clock = Clock::new();
        for count in 0..3_000 {
            let time = f64::from(count) * step;
            let shown = clock.read(time, time * rate);
            prop_assert!((shown - time.max(time * rate)).abs() < 0.01, "{} shown at {}", shown, time);
        }
    }

    #[test]
    fn at_least_never_turns_time_back(at in 0.0..1e9, least in -1e9..1e9) {
        let mut clock = Clock::new();
        clock.read(0.0, 0.0);
        clock.read(at, 0.0);
        clock.at_least(least);
        prop_assert_eq!(clock.read(at, 0.0), at.max(least));
    }

    #[test]
    fn timers_beside_a_coarse_clock_never_run_ahead_of_time(
        grain in 1_u32..1_000, steps in vec((any::<bool>(), 0_u32..3_000), 1..60),
    ) {
        let mut clock = Clock::new();
        let mut time = 0;
        let coarse = |time: u32| f64::from(time / grain * grain);
        let mut shown = clock.read(0.0, 0.0);
        for (is_timer, ms) in steps {
            time += ms;
            if is_timer {
                clock.at_least(shown + f64::from(ms));
            }
            let before = std::mem::replace(&mut shown, clock.read(coarse(time), coarse(time)));
            prop_assert!(shown >= before && shown >= coarse(time) && shown <= f64::from(time));
        }
    }
}
