//! A wait beside a model of it, which keeps the whole history and works everything out from that. Both have to say the
//! same, whatever happens.

use lemondata_wasm::core::{Kind, Options, Origin, PollResult, Status, TransportError, Wait, WaitAction};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    help::{config, task},
    json::Json,
    simulation::{self, Event, FOREIGN, NAMED, Turn},
};

const CASES: u32 = 10_000;
const FRESH_MS: f64 = 10_000.0;
const LAST_POLL_MS: f64 = 5_000.0;
const MOST_BACKOFF_MS: f64 = 30_000.0;

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

#[derive(Clone, Debug)]
struct History {
    is_given: bool,
    origin: Origin,
    once: bool,
    options: Options,
    start: f64,
    turns: Vec<Turn>,
    lucks: Vec<Luck>,
}

fn history() -> impl Strategy<Value = History> {
    let start = f64::from(1_u32 << 30);
    let origins =
        [Origin::Created, Origin::Elsewhere, Origin::Generated(start), Origin::Generated(start - 6_000.0)];
    let luck = prop_oneof![
        4 => Just(Luck::None),
        1 => simulation::suspension().prop_map(Luck::Over),
        1 => (0.0..1.0).prop_map(Luck::Woken),
        1 => (0.0..1.0).prop_map(Luck::Joined),
    ];
    let missing = (simulation::turn(), any::<bool>())
        .prop_map(|(turn, coded)| Turn { event: Event::Missing { coded }, ..turn });
    let turn = prop_oneof![3 => simulation::turn(), 1 => missing];
    (
        any::<bool>(),
        select(origins.to_vec()),
        prop::bool::weighted(0.1),
        simulation::options(),
        vec(turn, 1..10),
        vec(luck, 0..12),
    )
        .prop_map(move |(is_given, origin, once, options, turns, lucks)| History {
            is_given,
            origin,
            once,
            options,
            start,
            turns,
            lucks,
        })
}

/// What either of the two says.
#[derive(Debug, PartialEq)]
enum Said {
    Sleep(f64),
    Poll(String, f64),
    GiveUp(Kind),
    Running,
    Completed,
    Again,
    Lost,
    Fail,
}

/// What the model keeps of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Heard {
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
struct Model<'a> {
    given: &'a History,
    deadline: f64,
    paths: Vec<String>,
    heard: Vec<Heard>,
    /// How many polls were sent or joined.
    polls: u32,
    due: f64,
    until: f64,
    not_before: f64,
    last: bool,
    end: Option<Kind>,
}

impl<'a> Model<'a> {
    fn new(given: &'a History) -> Model<'a> {
        let History { options, start, .. } = given;
        let max_wait = if given.once { options.poll_timeout } else { options.max_wait };
        let paths: &[&str] =
            if given.is_given { &["tasks/given"] } else { &["images/generations/img_x", "tasks/img_x"] };
        let mut model = Model {
            given,
            deadline: start + max_wait,
            paths: paths.iter().map(|path| format!("/api/v1/{path}")).collect(),
            heard: Vec::new(),
            polls: 0,
            due: *start,
            until: *start,
            not_before: *start,
            last: false,
            end: None,
        };
        if given.origin == Origin::Created {
            model.plan(*start, model.cadence(0.5), 0.0);
        }
        model
    }

    /// Whether the next request goes on to the other path.
    fn is_half(&self) -> bool {
        self.heard.last() == Some(&Heard::HalfMissing)
    }

    /// What was heard since the task was last seen.
    fn since_running(&self) -> &[Heard] {
        let start =
            self.heard.iter().rposition(|heard| *heard == Heard::Running).map_or(0, |index| index + 1);
        &self.heard[start..]
    }

    fn losses(&self) -> usize {
        self.since_running().iter().filter(|heard| **heard == Heard::Lost).count()
    }

    fn cadence(&self, random: f64) -> f64 {
        let Options { poll_min, poll_max, .. } = self.given.options;
        let (low, high) = match self.polls {
            0 => (0.0, 1.0),
            1..=6 => (0.5, 1.0),
            _ => (0.0, 0.8),
        };
        poll_min + (poll_max - poll_min) * (low + (high - low) * random)
    }

    fn plan(&mut self, now: f64, own: f64, asked: f64) {
        let left = self.deadline - now;
        let budget = self.given.options.max_polls;
        if budget > 0 && self.polls >= budget {
            self.end = Some(Kind::PollBudget);
        } else if self.last || asked > left.max(0.0) || (left <= 0.0 && left > -LAST_POLL_MS) {
            self.end = Some(Kind::WaitTimeout);
        }
        self.last = own.max(asked) >= left;
        self.due = now + own.max(asked).min(left.max(0.0));
        self.not_before = now + asked.max(own.min(self.given.options.poll_min));
    }

    fn next(&mut self, now: f64) -> Said {
        if let Some(kind) = self.end {
            return Said::GiveUp(kind);
        }
        if now < self.due {
            return Said::Sleep(self.due);
        }
        let is_half = self.is_half();
        if !is_half {
            self.polls += 1;
            self.last |= now >= self.deadline;
        }
        if !is_half || now >= self.until {
            self.until = (now + self.given.options.poll_timeout).min(self.deadline.max(now + LAST_POLL_MS));
        }
        Said::Poll(self.paths[0].clone(), self.until)
    }

    fn join(&mut self) {
        if !self.is_half() {
            self.polls += 1;
            self.last = false;
        }
    }

    fn wake(&mut self, now: f64) {
        if self.losses() > 0 {
            self.due = self.due.min(now.max(self.not_before));
            self.last = self.due >= self.deadline;
        }
    }

    fn hear(&mut self, turn: &Turn, now: f64) -> Said {
        let (asked, random) = (turn.asked_ms(), turn.random);
        match &turn.event {
            Event::Completed => Said::Completed,
            Event::Running { poll_url, .. } => {
                if self.paths.len() > 1 && !matches!(*poll_url, "" | FOREIGN) {
                    let path = if *poll_url == NAMED[0] { "named?by=server" } else { "other" };
                    self.paths = vec![format!("/api/v1/tasks/{path}")];
                }
                self.heard.push(Heard::Running);
                self.plan(now, self.cadence(random), asked);
                Said::Running
            }
            Event::Broken | Event::Unclear | Event::Lost(_) => self.lose(now, random, asked),
            Event::Refused { status: 408 | 429 | 500.., retryable } if *retryable != Some(false) => {
                self.lose(now, random, asked)
            }
            Event::Refused { .. } | Event::Failed { .. } => Said::Fail,
            Event::Missing { .. } => self.miss(now, random, asked),
        }
    }

    fn lose(&mut self, now: f64, random: f64, asked: f64) -> Said {
        let step = (1_000.0 * f64::from(1_u32 << self.losses().min(16))).min(MOST_BACKOFF_MS);
        self.plan(now, self.cadence(random).max(step * random), asked);
        self.heard.push(Heard::Lost);
        if self.given.once { Said::Fail } else { Said::Lost }
    }

    fn miss(&mut self, now: f64, random: f64, asked: f64) -> Said {
        let pause_fits = asked == 0.0 || now + asked <= self.deadline;
        if self.paths.len() > 1 && !self.is_half() && now + asked < self.until && pause_fits {
            self.paths.swap(0, 1);
            self.heard.push(Heard::HalfMissing);
            (self.due, self.not_before) = (now + asked, now + asked);
            return Said::Again;
        }
        let fresh = match self.given.origin {
            Origin::Created => now < self.given.start + FRESH_MS,
            Origin::Generated(at) => now < at + FRESH_MS,
            Origin::Elsewhere => false,
        };
        let before = self.since_running().contains(&Heard::Missing { fresh: false });
        self.heard.push(Heard::Missing { fresh });
        self.plan(now, self.cadence(random), asked);
        let counts = !fresh && (before || self.end.is_some());
        if counts || self.given.once { Said::Fail } else { Said::Again }
    }
}

fn step_of(step: WaitAction) -> Said {
    match step {
        WaitAction::Sleep(until) => Said::Sleep(until),
        WaitAction::Poll(path, until) => Said::Poll(path, until),
        WaitAction::Fail(failure) => Said::GiveUp(failure.kind),
    }
}

fn judge(wait: &mut Wait, options: &Options, turn: &Turn, now: f64) -> Said {
    let verdict = match (turn.reply(), &turn.event) {
        (Some(reply), _) => wait.answer(&options.base, &reply, now, turn.random),
        (None, Event::Lost(loss)) => wait.lost(*loss, now, turn.random),
        (None, _) => unreachable!("only a loss brings no answer"),
    };
    match verdict {
        PollResult::Answered(meaning) if meaning.status == Status::Completed => Said::Completed,
        PollResult::Answered(_) => Said::Running,
        PollResult::Again => Said::Again,
        PollResult::Lost(_) => Said::Lost,
        PollResult::Fail(_) => Said::Fail,
    }
}

/// Lets both hear of a turn, and tells whether that ends the wait.
fn hear(
    wait: &mut Wait,
    model: &mut Model<'_>,
    turn: &Turn,
    now: f64,
) -> Result<bool, proptest::test_runner::TestCaseError> {
    let expected = model.hear(turn, now);
    let got = judge(wait, &model.given.options, turn, now);
    prop_assert_eq!(&got, &expected, "{:?} behind {:?}", turn, model);
    prop_assert_eq!(wait.due().is_none(), model.end.is_some(), "{:?}", model);
    let ends = matches!(got, Said::Completed | Said::Fail) || model.given.once && got == Said::Running;
    Ok(ends)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..config() })]

    #[test]
    fn a_wait_does_what_its_model_does(history in history()) {
        let History { is_given, origin, once, options, start, turns, lucks } = &history;
        let reference = task("img_x", if *is_given { simulation::GIVEN } else { "" });
        let mut wait = Wait::new::<Json>(reference, options, *origin, *start, 0.5).expect("a path");
        let mut model = Model::new(&history);
        if *once {
            prop_assume!(*origin != Origin::Created);
            wait.once(*start);
        }
        let (mut lucks, mut now) = (lucks.iter(), *start);
        let mut turns = turns.iter();
        let still_running = simulation::still_running();
        // Where the turns are used up, the task goes on running for a while.
        for _ in 0..40 {
            let expected = model.next(now);
            prop_assert_eq!(&step_of(wait.next(now)), &expected, "{:?}", model);
            let luck = *lucks.next().unwrap_or(&Luck::None);
            match expected {
                Said::Sleep(until) => match luck {
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
                        if hear(&mut wait, &mut model, turns.next().unwrap_or(&still_running), now)? {
                            break;
                        }
                    }
                },
                Said::Poll(_, until) => {
                    let turn = turns.next().unwrap_or(&still_running);
                    let took = if turn.event == Event::Lost(TransportError::Timeout) { until - now } else { turn.took };
                    now += took.min(until - now) + turn.suspended;
                    if hear(&mut wait, &mut model, turn, now)? {
                        break;
                    }
                }
                _ => break,
            }
        }
    }
}
