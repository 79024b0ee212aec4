//! Whole calls against whatever may come, for as long as `FUZZ_SECONDS` says: `npm run test:fuzz`.
//!
//! A case that fails is made as small as it gets, and printed with the seed that brings it back.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    env,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use proptest::{
    prelude::ProptestConfig,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    calls::{perform, scenario},
    help::config,
};

/// What one run of all tests spends on it.
const DEFAULT_SECONDS: u64 = 3;
/// After so many calls, whatever is possible has happened many times over.
const MANY_CALLS: u64 = 100_000;

/// What calls have to come past, so that the fuzzing covers all that the machine can do.
const EXPECTED: [(&str, &str); 10] = [
    (
        "create",
        "Retry Announce Completed InvalidRequest Authentication PaymentRequired PermissionDenied NotFound \
         RateLimit Server TaskNotFound TaskFailed TaskCancelled Connection RequestTimeout Response",
    ),
    (
        "wait",
        "Sleep Poll Again woken joined late-poll other-path foreign-status Pending Processing Completed InvalidRequest \
         Authentication PaymentRequired PermissionDenied NotFound RateLimit Server TaskNotFound TaskFailed \
         TaskCancelled Connection RequestTimeout Response WaitTimeout PollBudget Failed",
    ),
    ("lost", "RateLimit Server Connection RequestTimeout Response"),
    ("cause", "RateLimit Server Connection RequestTimeout Response"),
    ("credentials", "KeyFailed HeadersFailed Late"),
    ("onTask", "Done Failed Never"),
    ("follow", "Poll Stream Answered LeaderLeft Woken Late silent"),
    ("attempt", "given-up"),
    ("abort", "Authorize Send GiveUp Announce Sleep Follow"),
    (
        "end",
        "Pending Processing Completed InvalidRequest Authentication PaymentRequired PermissionDenied NotFound \
         RateLimit Server TaskNotFound TaskFailed TaskCancelled Connection RequestTimeout Response WaitTimeout \
         PollBudget UntrustedUrl Callback NotSent Rejected Accepted Failed Unknown",
    ),
];

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number")))
}

#[test]
fn whole_calls_keep_the_rules_whatever_comes() {
    let budget = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(DEFAULT_SECONDS));
    let first = number("FUZZ_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    let started = Instant::now();
    let strategy = scenario();
    let calls = Cell::new(0);
    let counts = RefCell::new(BTreeMap::new());
    // A call without an end takes long to make smaller.
    let config = ProptestConfig { max_shrink_time: 20_000, ..config() };
    for seed in first.. {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut runner =
            TestRunner::new_with_rng(config.clone(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let result = runner.run(&strategy, |scenario| {
            for label in perform(&scenario)? {
                *counts.borrow_mut().entry(label).or_insert(0_u64) += 1;
            }
            calls.set(calls.get() + 1);
            Ok(())
        });
        if let Err(error) = result {
            panic!("{error}\nFUZZ_SECONDS=0 FUZZ_SEED={seed} npm run test:core brings this back.");
        }
        if started.elapsed() >= budget {
            break;
        }
    }
    let counts = counts.into_inner();
    println!("{} calls", calls.get());
    for (label, count) in &counts {
        println!("{count:9}  {label}");
    }
    if calls.get() >= MANY_CALLS {
        let expected = EXPECTED
            .iter()
            .flat_map(|(what, all)| all.split(' ').map(move |which| format!("{what} {which}")));
        let missing: Vec<_> = expected.filter(|label| !counts.contains_key(label)).collect();
        assert!(missing.is_empty(), "never reached: {missing:?}");
    }
}
