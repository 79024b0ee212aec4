//! A wait beside a model of it, which keeps the whole history and works everything out from that. Both have to say the
//! same, whatever happens.

use lemondata_wasm::core::{Kind, Ms, Options, Origin, PollResult, Status, TransportError, Wait, WaitAction};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    help::{config, task},
    json::Json,
    limits::{FRESH_MS, LAST_POLL_MS, LONGEST_BACKOFF_MS},
    simulation::{self, Event, FOREIGN, NAMED, ScriptedPoll},
};

const CASES: u32 = 10_000;

/// What a sleep or a poll meets, beside its turn.
#[derive(Clone, Copy, Debug)]
enum Luck {
    /// All goes as planned.
    None,
    /// The runtime sleeps for so much longer.
    Over(f64),
    /// The runtime comes back to life after this part of a sleep.
    Woken(f64),
    /// Another wait hears of the task after this part of a sleep.
    Joined(f64),
}

/// What a wait begins with.
#[derive(Clone, Debug)]
pub struct Start {
    pub origin: Origin,
    /// Whether one poll is all that is wanted.
    pub is_single: bool,
    pub options: Options,
    pub at: f64,
}

#[derive(Clone, Debug)]
struct History {
    has_poll_url: bool,
    start: Start,
    turns: Vec<ScriptedPoll>,
    lucks: Vec<Luck>,
}

fn history() -> impl Strategy<Value = History> {
    let at = f64::from(1_u32 << 30);
    let origins = [
        Origin::Created(Ms::ZERO),
        Origin::Created(Ms(7_000.0)),
        Origin::Elsewhere,
        Origin::Generated(at),
        Origin::Generated(at - 6_000.0),
    ];
    let luck = prop_oneof![
        4 => Just(Luck::None),
        1 => simulation::suspension().prop_map(Luck::Over),
        1 => (0.0..1.0).prop_map(Luck::Woken),
        1 => (0.0..1.0).prop_map(Luck::Joined),
    ];
    let missing = (simulation::turn(), any::<bool>())
        .prop_map(|(turn, coded)| ScriptedPoll { event: Event::Missing { coded }, ..turn });
    let turn = prop_oneof![3 => simulation::turn(), 1 => missing];
    (
        any::<bool>(),
        select(origins.to_vec()),
        prop::bool::weighted(0.1),
        simulation::options(),
        vec(turn, 1..10),
        vec(luck, 0..12),
    )
        .prop_map(move |(has_poll_url, origin, is_single, options, turns, lucks)| History {
            has_poll_url,
            start: Start { origin, is_single, options, at },
            turns,
            lucks,
        })
}

/// What either of the two decides.
#[derive(Debug, PartialEq)]
pub enum Decision {
    Sleep(f64),
    Poll(String, f64),
    GiveUp(Kind),
    Running,
    Completed,
    Again,
    Lost,
    Fail,
}

/// What an answer shows of the task.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Finding {
    Running,
    Lost,
    /// A 404 on the first of two paths.
    HalfMissing,
    /// A 404 on every path there is.
    Missing {
        fresh: bool,
    },
}

#[derive(Debug)]
pub struct Model {
    start: Start,
    deadline: f64,
    /// The paths that may know the task: the next poll goes to the first.
    paths: Vec<String>,
    findings: Vec<Finding>,
    /// How many polls were sent or joined.
    polls: u32,
    due: f64,
    until: f64,
    not_before: f64,
    last: bool,
    end: Option<Kind>,
}

impl Model {
    pub fn new(paths: &[&str], start: Start) -> Model {
        let Start { origin, is_single, ref options, at } = start;
        let mut model = Model {
            deadline: at + if is_single { options.poll_timeout.0 } else { options.max_wait.0 },
            paths: paths.iter().map(|path| format!("/api/v1/{path}")).collect(),
            findings: Vec::new(),
            polls: 0,
            due: at,
            until: at,
            not_before: at,
            last: false,
            end: None,
            start,
        };
        if let Origin::Created(pause) = origin {
            model.plan(at, 0.5, 0.0, pause.0);
        }
        model
    }

    /// When the next poll is due; none where there is none to come.
    pub fn due(&self) -> Option<f64> {
        self.end.is_none().then_some(self.due)
    }

    /// Whether the next request goes on to the other path.
    fn is_half(&self) -> bool {
        self.findings.last() == Some(&Finding::HalfMissing)
    }

    /// What was found since the task was last seen.
    fn since_running(&self) -> &[Finding] {
        let start = self
            .findings
            .iter()
            .rposition(|finding| *finding == Finding::Running)
            .map_or(0, |index| index + 1);
        &self.findings[start..]
    }

    fn losses(&self) -> usize {
        self.since_running().iter().filter(|finding| **finding == Finding::Lost).count()
    }

    fn cadence(&self, random: f64) -> f64 {
        let Options { poll_min: Ms(poll_min), poll_max: Ms(poll_max), .. } = self.start.options;
        let (low, high) = match self.polls {
            0 => (0.0, 1.0),
            1..=6 => (0.5, 1.0),
            _ => (0.0, 0.8),
        };
        poll_min + (poll_max - poll_min) * (low + (high - low) * random)
    }

    fn plan(&mut self, now: f64, random: f64, backoff: f64, asked: f64) {
        let left = self.deadline - now;
        let cadence = self.cadence(random);
        let shortest = self.start.options.poll_min.0;
        let gap = cadence.max(backoff).max(asked + cadence - shortest);
        let budget = self.start.options.max_polls;
        if budget > 0 && self.polls >= budget {
            self.end = Some(Kind::PollBudget);
        } else if self.last || asked > left.max(0.0) || (left <= 0.0 && left > -LAST_POLL_MS) {
            self.end = Some(Kind::WaitTimeout);
        }
        self.last = gap >= left;
        self.due = now + gap.min(left.max(0.0));
        self.not_before = now + asked.max(shortest);
    }

    pub fn next(&mut self, now: f64) -> Decision {
        if let Some(kind) = self.end {
            return Decision::GiveUp(kind);
        }
        if now < self.due {
            return Decision::Sleep(self.due);
        }
        let is_half = self.is_half();
        if !is_half {
            self.polls += 1;
            self.last |= now >= self.deadline;
        }
        if !is_half || now >= self.until {
            self.until = (now + self.start.options.poll_timeout.0).min(self.deadline.max(now + LAST_POLL_MS));
        }
        Decision::Poll(self.paths[0].clone(), self.until)
    }

    pub fn join(&mut self) {
        if !self.is_half() {
            self.polls += 1;
            self.last = false;
        }
    }

    pub fn wake(&mut self, now: f64) {
        if self.losses() > 0 {
            self.due = self.due.min(now.max(self.not_before));
            self.last = self.due >= self.deadline;
        }
    }

    pub fn judge(&mut self, turn: &ScriptedPoll, now: f64) -> Decision {
        let (asked, random) = (turn.pause_ms(), turn.random);
        match &turn.event {
            Event::Completed => Decision::Completed,
            Event::Running { poll_url, .. } => {
                if self.paths.len() > 1 && !matches!(*poll_url, "" | FOREIGN) {
                    let path = if *poll_url == NAMED[0] { "named?by=server" } else { "other" };
                    self.paths = vec![format!("/api/v1/tasks/{path}")];
                }
                self.findings.push(Finding::Running);
                self.plan(now, random, 0.0, asked);
                Decision::Running
            }
            Event::Broken | Event::Unclear | Event::Lost(_) => self.lose(now, random, asked),
            Event::Refused { status: 304 | 408 | 421 | 425 | 429 | 499.., retryable }
                if *retryable != Some(false) =>
            {
                self.lose(now, random, asked)
            }
            Event::Refused { .. } | Event::Failed { .. } => Decision::Fail,
            Event::Missing { .. } => self.miss(now, random, asked),
        }
    }

    fn lose(&mut self, now: f64, random: f64, asked: f64) -> Decision {
        let step = (1_000.0 * f64::from(1_u32 << self.losses().min(16))).min(LONGEST_BACKOFF_MS);
        self.plan(now, random, step * random, asked);
        self.findings.push(Finding::Lost);
        if self.start.is_single { Decision::Fail } else { Decision::Lost }
    }

    fn miss(&mut self, now: f64, random: f64, asked: f64) -> Decision {
        let pause_fits = asked == 0.0 || now + asked <= self.deadline;
        if self.paths.len() > 1 && !self.is_half() && now + asked < self.until && pause_fits {
            self.paths.swap(0, 1);
            self.findings.push(Finding::HalfMissing);
            (self.due, self.not_before) = (now + asked, now + asked);
            return Decision::Again;
        }
        let fresh = match self.start.origin {
            Origin::Created(_) => now < self.start.at + FRESH_MS,
            Origin::Generated(at) => now < at + FRESH_MS,
            Origin::Elsewhere => false,
        };
        let before = self.since_running().contains(&Finding::Missing { fresh: false });
        self.findings.push(Finding::Missing { fresh });
        self.plan(now, random, 0.0, asked);
        let counts = !fresh && (before || self.end.is_some());
        if counts || self.start.is_single { Decision::Fail } else { Decision::Again }
    }
}

fn step_of(wait: &mut Wait, now: f64) -> Decision {
    match wait.next(now) {
        WaitAction::Sleep(until) => Decision::Sleep(until),
        WaitAction::Poll(until) => Decision::Poll(wait.path().into(), until),
        WaitAction::Fail(failure) => Decision::GiveUp(failure.kind),
    }
}

fn judge(wait: &mut Wait, options: &Options, turn: &ScriptedPoll, now: f64) -> Decision {
    let verdict = match (turn.reply(), &turn.event) {
        (Some(reply), _) => wait.answer(&options.base, &reply, now, turn.random),
        (None, Event::Lost(error)) => wait.lost(*error, now, turn.random),
        (None, _) => unreachable!("only a lost attempt brings no answer"),
    };
    match verdict {
        PollResult::Answered(parsed) if parsed.status == Status::Completed => Decision::Completed,
        PollResult::Answered(_) => Decision::Running,
        PollResult::Again => Decision::Again,
        PollResult::Lost(_) => Decision::Lost,
        PollResult::Fail(_) => Decision::Fail,
    }
}

/// Lets both judge a turn. Returns whether that ends the wait.
fn judge_both(
    wait: &mut Wait,
    model: &mut Model,
    turn: &ScriptedPoll,
    now: f64,
) -> Result<bool, proptest::test_runner::TestCaseError> {
    let expected = model.judge(turn, now);
    let got = judge(wait, &model.start.options, turn, now);
    prop_assert_eq!(&got, &expected, "{:?} behind {:?}", turn, model);
    prop_assert_eq!(wait.due(), model.due(), "{:?}", model);
    let ends = matches!(got, Decision::Completed | Decision::Fail)
        || model.start.is_single && got == Decision::Running;
    Ok(ends)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..config() })]

    #[test]
    fn a_wait_does_what_its_model_does(history in history()) {
        let History { has_poll_url, start, turns, lucks } = &history;
        let reference = task("img_x", if *has_poll_url { simulation::TASK_URL } else { "" });
        let mut wait = Wait::new::<Json>(reference, &start.options, start.origin, start.at, 0.5).expect("a path");
        let paths: &[&str] =
            if *has_poll_url { &["tasks/first"] } else { &["images/generations/img_x", "tasks/img_x"] };
        let mut model = Model::new(paths, start.clone());
        if start.is_single {
            prop_assume!(!matches!(start.origin, Origin::Created(_)));
            wait.once(start.at);
        }
        let (mut lucks, mut now) = (lucks.iter(), start.at);
        let mut turns = turns.iter();
        let still_running = simulation::still_running();
        // Where the turns are used up, the task goes on running for a while.
        for _ in 0..40 {
            let expected = model.next(now);
            prop_assert_eq!(&step_of(&mut wait, now), &expected, "{:?}", model);
            let luck = *lucks.next().unwrap_or(&Luck::None);
            match expected {
                Decision::Sleep(until) => match luck {
                    Luck::None => now = until,
                    Luck::Over(ms) => now = until + ms,
                    Luck::Woken(part) => {
                        now += (until - now) * part;
                        wait.wake(now);
                        model.wake(now);
                    }
                    Luck::Joined(part) => {
                        now += (until - now) * part;
                        wait.join();
                        model.join();
                        if judge_both(&mut wait, &mut model, turns.next().unwrap_or(&still_running), now)? {
                            break;
                        }
                    }
                },
                Decision::Poll(_, until) => {
                    let turn = turns.next().unwrap_or(&still_running);
                    let took = if turn.event == Event::Lost(TransportError::Timeout) { until - now } else { turn.took };
                    now += took.min(until - now) + turn.suspended;
                    if judge_both(&mut wait, &mut model, turn, now)? {
                        break;
                    }
                }
                _ => break,
            }
        }
    }
}
