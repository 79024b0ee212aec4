//! One clock out of two.

use lemondata_wasm::core::Clock;
use proptest::{collection::vec, prelude::*};

use crate::help::config;

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
            "the monotonic one began anew",
            [(500.0, 1_000.0), (0.0, 1_010.0), (10.0, 1_020.0)],
            [0.0, 10.0, 20.0],
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
    fn time_never_runs_back_and_never_lags_behind_a_clock(
        pairs in vec((-1e12..1e12, -1e12..1e12), 1..40),
        small in vec((-9..9, -9..9), 1..40),
    ) {
        let small: Vec<_> = small.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
        for pairs in [pairs, small] {
            let shown = readings(&pairs);
            prop_assert_eq!(shown[0], 0.0);
            for (clocks, shown) in pairs.windows(2).zip(shown.windows(2)) {
                let ahead = (clocks[1].0 - clocks[0].0).max(clocks[1].1 - clocks[0].1).max(0.0);
                let passed = shown[1] - shown[0];
                // Sums of such numbers are exact to a few thousandths.
                prop_assert!((passed - ahead).abs() < 0.01, "{} passed, {} shown", ahead, passed);
            }
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
