//! A small world that drives a wait: time is a number, and whatever can happen does.

use lemondata_wasm::core::{
    Answer, Base, Failure, Ms, Options, Origin, PollResult, Status, Task, TransportError, Wait, WaitAction,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value as Plain, json};

use crate::{
    help::{asking, bodiless, reply, task, with_key},
    json::Json,
};

/// Beyond this many steps a wait counts as endless.
const MANY_STEPS: usize = 20_000;

/// What a poll brings.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A status that is not the end, and a poll URL where it is not empty.
    Running {
        status: &'static str,
        poll_url: &'static str,
    },
    Completed,
    Failed {
        cancelled: bool,
    },
    /// A success whose body broke off.
    Broken,
    /// A success that means nothing.
    Unclear,
    /// An HTTP error or a redirect.
    Refused {
        status: u16,
        retryable: Option<bool>,
    },
    /// A 404, with the code of a task that is gone or without.
    Missing {
        coded: bool,
    },
    /// No answer; a time-out lasts as long as it may.
    Lost(TransportError),
}

/// A poll's answer with what surrounds it.
#[derive(Clone, Debug)]
pub struct ScriptedPoll {
    pub event: Event,
    /// How long it takes, in milliseconds, unless the poll's time-out is shorter.
    pub took: f64,
    /// How long the runtime is suspended before it sees the answer.
    pub suspended: f64,
    /// `Retry-After` in seconds.
    pub header: Option<f64>,
    /// `error.retry_after` in seconds.
    pub body: Option<f64>,
    pub random: f64,
}

impl ScriptedPoll {
    /// How long the server asks to wait, in milliseconds.
    pub fn pause_ms(&self) -> f64 {
        let header = self.header.unwrap_or(0.0).max(0.0) * 1_000.0;
        match self.event {
            Event::Lost(_) => 0.0,
            Event::Refused { .. } | Event::Missing { .. } => header.max(self.body.unwrap_or(0.0) * 1_000.0),
            _ => header,
        }
    }

    /// The answer; none where there is no answer.
    pub fn reply(&self) -> Option<Answer<Json>> {
        let error = |code: &str, retryable: Option<bool>| json!({"error": {"code": code, "retryable": retryable, "retry_after": self.body}});
        let answer = match &self.event {
            Event::Running { status, poll_url } => {
                reply(200, json!({"status": status, "id": "x", "poll_url": poll_url}))
            }
            Event::Completed => reply(200, json!({"status": "completed", "data": [{"b64_json": "aGk="}]})),
            Event::Failed { cancelled } => reply(200, json!({"status": "failed", "cancelled": cancelled})),
            Event::Broken => bodiless(200),
            Event::Unclear => reply(200, Plain::Null),
            Event::Refused { status, retryable } => reply(*status, error("", *retryable)),
            Event::Missing { coded: true } => reply(404, error("async_task_not_found", None)),
            Event::Missing { coded: false } => reply(404, error("", None)),
            Event::Lost(_) => return None,
        };
        Some(asking(answer, self.header.unwrap_or(f64::NAN)))
    }
}

/// How a sleep goes.
#[derive(Clone, Debug)]
pub enum Nap {
    Full,
    /// The runtime is suspended, and sleeps so much longer.
    Over(f64),
    /// The runtime comes back to life after this part of it.
    Woken(f64),
    /// Another wait for the task hears of it after this part of it.
    Joined(f64, Box<ScriptedPoll>),
}

/// All that is left to chance. Once the turns are used up, the task goes on running; further naps are full.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub task: Task,
    pub own: bool,
    pub options: Options,
    pub start: f64,
    pub turns: Vec<ScriptedPoll>,
    pub naps: Vec<Nap>,
}

impl Scenario {
    pub fn deadline(&self) -> f64 {
        self.start + self.options.max_wait.0
    }
}

/// What the wait made of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum PollOutcome {
    Running,
    Again,
    Lost(Box<Failure>),
    Completed,
    Failed(Box<Failure>),
}

impl PollOutcome {
    pub fn goes_on(&self) -> bool {
        matches!(self, PollOutcome::Running | PollOutcome::Again | PollOutcome::Lost(_))
    }
}

/// A poll that was sent, and the gap behind it.
#[derive(Clone, Debug)]
pub struct Poll {
    pub at: f64,
    pub path: String,
    pub timeout: f64,
    pub answered: f64,
    pub turn: ScriptedPoll,
    pub outcome: PollOutcome,
    /// Whether another wait has sent it, and this one was told of the answer.
    pub joined: bool,
    /// How much longer than wanted the sleeps behind it lasted.
    pub overslept: f64,
}

/// A wait from its beginning to its end.
#[derive(Clone, Debug)]
pub struct Run {
    pub polls: Vec<Poll>,
    /// When each sleep began, how long it was to be, and after how many polls.
    pub sleeps: Vec<(f64, f64, usize)>,
    pub ended: f64,
    /// Why the wait gave up by itself; none where a poll's answer ended it.
    pub gave_up: Option<Box<Failure>>,
}

impl Run {
    /// Adds a poll, and tells whether it is the end.
    fn ends_with(&mut self, poll: Poll) -> bool {
        let ends = !poll.outcome.goes_on();
        self.ended = poll.answered;
        self.polls.push(poll);
        ends
    }
}

/// What the wait makes of a turn.
fn judge(wait: &mut Wait, base: &Base, turn: &ScriptedPoll, now: f64) -> PollOutcome {
    let verdict = match (turn.reply(), &turn.event) {
        (Some(reply), _) => wait.answer(base, &reply, now, turn.random),
        (None, Event::Lost(error)) => wait.lost(*error, now, turn.random),
        (None, _) => unreachable!("only a lost attempt brings no answer"),
    };
    match verdict {
        PollResult::Answered(parsed) if parsed.status == Status::Completed => PollOutcome::Completed,
        PollResult::Answered(_) => PollOutcome::Running,
        PollResult::Again => PollOutcome::Again,
        PollResult::Lost(failure) => PollOutcome::Lost(failure),
        PollResult::Fail(failure) => PollOutcome::Failed(failure),
    }
}

/// Runs a scenario. The wait passes through `carry` before every step, as if it were stored in between.
pub fn simulate(scenario: &Scenario, carry: impl Fn(Wait) -> Wait) -> Run {
    let Scenario { task, own, options, start, turns, naps } = scenario;
    let origin = if *own { Origin::Created(Ms::ZERO) } else { Origin::Elsewhere };
    let mut wait = Wait::new::<Json>(task.clone(), options, origin, *start, 0.5).expect("a path to poll");
    let (mut turns, mut naps) = (turns.iter().cloned(), naps.iter());
    let mut now = *start;
    let mut run = Run { polls: Vec::new(), sleeps: Vec::new(), ended: 0.0, gave_up: None };
    for _ in 0..MANY_STEPS {
        wait = carry(wait);
        match wait.next(now) {
            WaitAction::Sleep(until) => {
                let ms = until - now;
                run.sleeps.push((now, ms, run.polls.len()));
                match naps.next().unwrap_or(&Nap::Full) {
                    Nap::Full => now += ms,
                    Nap::Over(extra) => {
                        now += ms + extra;
                        if let Some(poll) = run.polls.last_mut() {
                            poll.overslept += extra;
                        }
                    }
                    Nap::Woken(part) => {
                        now += ms * part;
                        wait = carry(wait);
                        wait.wake(now);
                    }
                    Nap::Joined(part, turn) => {
                        now += ms * part;
                        wait = carry(wait);
                        let Plain::String(path) = serde_json::to_value(&wait).unwrap()["path"].take() else {
                            panic!("a wait without a path")
                        };
                        let (at, timeout, turn) = (now, ms, ScriptedPoll::clone(turn));
                        wait.join();
                        let outcome = judge(&mut wait, &options.base, &turn, now);
                        let poll = Poll {
                            at,
                            path,
                            timeout,
                            answered: now,
                            turn,
                            outcome,
                            joined: true,
                            overslept: 0.0,
                        };
                        if run.ends_with(poll) {
                            return run;
                        }
                    }
                }
            }
            WaitAction::Poll(until) => {
                let path = wait.path().to_owned();
                let timeout = until - now;
                let turn = turns.next().unwrap_or_else(still_running);
                let at = now;
                let lasts =
                    if turn.event == Event::Lost(TransportError::Timeout) { timeout } else { turn.took };
                now += lasts.min(timeout) + turn.suspended;
                wait = carry(wait);
                let outcome = judge(&mut wait, &options.base, &turn, now);
                let poll =
                    Poll { at, path, timeout, answered: now, turn, outcome, joined: false, overslept: 0.0 };
                if run.ends_with(poll) {
                    return run;
                }
            }
            WaitAction::Fail(failure) => {
                run.ended = now;
                run.gave_up = Some(failure);
                return run;
            }
        }
    }
    panic!("rule 4: a wait without an end: {scenario:?}");
}

/// What comes once the turns are used up.
pub fn still_running() -> ScriptedPoll {
    let event = Event::Running { status: "processing", poll_url: "" };
    ScriptedPoll { event, took: 40.0, suspended: 0.0, header: None, body: None, random: 0.5 }
}

pub const TASK_URL: &str = "/v1/tasks/first";
pub const NAMED: [&str; 2] = ["/v1/tasks/named?by=server", "https://api.lemondata.cc/api/v1/tasks/other"];
pub const FOREIGN: &str = "https://evil.example/v1/tasks/x";

fn event() -> impl Strategy<Value = Event> {
    let status = select(vec!["pending", "processing", "processing", "queued", "dreaming"]);
    let poll_url = prop_oneof![4 => Just(""), 1 => select(NAMED.to_vec()), 1 => Just(FOREIGN)];
    let transient = select(vec![304_u16, 408, 421, 425, 429, 499, 500, 502, 503, 504, 524]);
    let lasting = select(vec![0_u16, 301, 302, 307, 308, 400, 401, 402, 403, 405, 409, 422]);
    let retryable = prop_oneof![4 => Just(None), 4 => Just(Some(true)), 1 => Just(Some(false))];
    prop_oneof![
        24 => (status, poll_url).prop_map(|(status, poll_url)| Event::Running { status, poll_url }),
        12 => (transient, retryable).prop_map(|(status, retryable)| Event::Refused { status, retryable }),
        8 => any::<bool>().prop_map(|coded| Event::Missing { coded }),
        12 => select(vec![TransportError::Connection, TransportError::Timeout]).prop_map(Event::Lost),
        4 => Just(Event::Broken),
        1 => lasting.prop_map(|status| Event::Refused { status, retryable: None }),
        1 => Just(Event::Unclear),
        1 => Just(Event::Completed),
        1 => any::<bool>().prop_map(|cancelled| Event::Failed { cancelled }),
    ]
}

/// From a moment to a night, in milliseconds.
pub fn suspension() -> impl Strategy<Value = f64> {
    prop_oneof![8 => Just(0_u32), 1 => 1_u32..5_000, 1 => 5_000_u32..60_000, 1 => 60_000_u32..30_000_000]
        .prop_map(f64::from)
}

fn hint() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![6 => Just(None), 2 => option::of((0_u32..30).prop_map(f64::from)), 1 => option::of((30_u32..600).prop_map(f64::from))]
}

/// What a poll may bring.
pub fn turn() -> impl Strategy<Value = ScriptedPoll> {
    let took = (0_u32..3_000).prop_map(f64::from);
    (event(), took, suspension(), hint(), hint(), 0.0..1.0).prop_map(
        |(event, took, suspended, header, body, random)| ScriptedPoll {
            event,
            took,
            suspended,
            header,
            body,
            random,
        },
    )
}

fn nap() -> impl Strategy<Value = Nap> {
    prop_oneof![
        4 => Just(Nap::Full),
        2 => suspension().prop_map(Nap::Over),
        2 => (0.0..1.0).prop_map(Nap::Woken),
        2 => (0.0..1.0, turn()).prop_map(|(part, turn)| Nap::Joined(part, Box::new(turn))),
    ]
}

/// The options of a wait.
pub fn options() -> impl Strategy<Value = Options> {
    let max_wait = prop_oneof![1 => Just(0_u32), 2 => 1_u32..10_000, 6 => 10_000_u32..300_000];
    let max_polls = prop_oneof![2 => Just(0_u32), 1 => 1_u32..12];
    let poll_timeout = prop_oneof![Just(60_000_u32), 500_u32..10_000];
    (500_u32..5_000, 0_u32..3_000, max_wait, max_polls, poll_timeout).prop_map(
        |(min, width, max_wait, max_polls, poll_timeout)| Options {
            poll_min: Ms(min.into()),
            poll_max: Ms((min + width).into()),
            max_wait: Ms(max_wait.into()),
            max_polls,
            poll_timeout: Ms(poll_timeout.into()),
            ..with_key(&[("baseUrl", Json::Plain("https://api.lemondata.cc/api".into()))]).unwrap()
        },
    )
}

/// Any wait that starts with a URL that may be called.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    let task = select(vec![task("img_x", ""), task("ldtask_x", ""), task("ldtask_x", TASK_URL)]);
    let start = prop_oneof![Just(0_u32), any::<u32>()].prop_map(f64::from);
    (task, any::<bool>(), options(), start, vec(turn(), 0..40), vec(nap(), 0..40)).prop_map(
        |(task, own, options, start, turns, naps)| Scenario { task, own, options, start, turns, naps },
    )
}
