//! Whole calls, performed as the shell performs them, in a world where anything may come and both clocks may
//! show anything. What must hold of every call is checked on the way.

use std::collections::BTreeSet;

use lemondata_wasm::core::{
    Answer, Base, CREATE_PATH, Clock, Create, CreateAction, Failure, Name, Options, Origin, Outcome,
    ParsedAnswer, PollResult, RetryAfter, Status, TransportError, Value, Wait, WaitAction, check_request,
    read_task,
};
use proptest::{collection::vec, option, prelude::*, test_runner::TestCaseError};
use serde_json::{Value as Plain, json};
use url::Url;

use crate::{
    help::read,
    json::Json,
    vocabulary::{self, Got, Header, KEY, QUERY},
};

type Checked<T = ()> = Result<T, TestCaseError>;

/// Beyond this many steps a call counts as endless.
const MANY_STEPS: usize = 20_000;
/// So many requests fit into that, with their sleeps.
const MANY_SENDS: f64 = 4_000.0;
/// What sums of fractions of milliseconds may differ by, years of them included.
const ROUNDING: f64 = 1.0;
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;
const CREATE_SLEEP_MS: f64 = 60_000.0;
const LAST_POLL_MS: f64 = 5_000.0;

/// What the two clocks make of a stretch of time.
#[derive(Clone, Copy, Debug)]
pub enum Drift {
    Steady,
    /// Both stand still, as in an edge worker, and catch up later.
    Frozen,
    /// The machine sleeps for so many milliseconds more, and its monotonic clock may sleep along.
    Suspended(f64, bool),
    /// They are set: the monotonic one by the first, the wall clock by the second.
    Set(f64, f64),
}

/// A request: what it brings, and how long that takes, unless its time-out is shorter.
#[derive(Clone, Debug)]
pub struct Turn {
    pub got: Got,
    pub took: f64,
    pub drift: Drift,
    pub random: f64,
}

/// A sleep, which the runtime may cut short after a part of it by coming back to life.
#[derive(Clone, Debug)]
pub struct Nap {
    pub drift: Drift,
    pub woken: Option<f64>,
}

/// What a call does.
#[derive(Clone, Debug)]
pub enum Job {
    /// Generates, and waits for the task or does not.
    Create { request: Plain, wait: bool },
    /// Waits for a task, or asks for it once.
    Wait { reference: Plain, once: bool },
}

/// All that is left to chance. Further naps are full. Where no turn is left, the last one repeats itself, if this is
/// to be endless and the options set a limit to it; else the create brings a task, and a poll its end.
#[derive(Clone, Debug)]
pub struct Call {
    pub job: Job,
    pub options: Vec<(&'static str, Json)>,
    pub browser: bool,
    pub clocks: (f64, f64),
    /// What the sends of a create bring, and what polls bring.
    pub sends: Vec<Turn>,
    pub polls: Vec<Turn>,
    pub naps: Vec<Nap>,
    pub endless: bool,
}

fn drift() -> impl Strategy<Value = Drift> {
    let jump = || prop_oneof![Just(0.0), -1e4..1e4, -1e9..1e9, -1e12..1e12];
    prop_oneof![
        8 => Just(Drift::Steady),
        2 => Just(Drift::Frozen),
        1 => (prop_oneof![0.0..5_000.0, 0.0..3e7], any::<bool>()).prop_map(|(ms, along)| Drift::Suspended(ms, along)),
        2 => (jump(), jump()).prop_map(|(monotonic, wall)| Drift::Set(monotonic, wall)),
    ]
}

pub fn call() -> impl Strategy<Value = Call> {
    let job = prop_oneof![
        (vocabulary::request(), prop::bool::weighted(0.8))
            .prop_map(|(request, wait)| Job::Create { request, wait }),
        (vocabulary::reference(), prop::bool::weighted(0.2))
            .prop_map(|(reference, once)| Job::Wait { reference, once }),
    ];
    let took = prop_oneof![3 => 0.0..3_000.0, 1 => Just(0.0), 1 => 3_000.0..120_000.0];
    let turn = |got: BoxedStrategy<Got>| {
        (got, took.clone(), drift(), 0.0..1.0).prop_map(|(got, took, drift, random)| Turn {
            got,
            took,
            drift,
            random,
        })
    };
    let (sends, polls) = (turn(vocabulary::got_by_create()), turn(vocabulary::got_by_poll()));
    let woken = option::weighted(0.2, prop_oneof![Just(0.0), 0.0..1.0]);
    let nap = (drift(), woken).prop_map(|(drift, woken)| Nap { drift, woken });
    let clocks = (0.0..1e9, prop_oneof![Just(0.0), Just(1.7e12), 0.0..4e12]);
    (
        (job, vocabulary::options(), prop::bool::weighted(0.03), clocks),
        (vec(sends, 0..6), vec(polls, 0..12), vec(nap, 0..12), any::<bool>()),
    )
        .prop_map(|((job, options, browser, clocks), (sends, polls, naps, endless))| Call {
            job,
            options,
            browser,
            clocks,
            sends,
            polls,
            naps,
            endless,
        })
}

/// What a call came past and how it ended, in words: whoever runs many can see whether anything was left out.
pub type Trail = BTreeSet<String>;

/// A call under way, with the world around it.
struct World<'a> {
    call: &'a Call,
    naps: std::slice::Iter<'a, Nap>,
    steps: usize,
    clock: Clock,
    monotonic: f64,
    wall: f64,
    /// The time that has passed in truth.
    truth: f64,
    /// What the clocks have not shown yet of it.
    owed: f64,
    /// How far the clocks have run ahead of it, in all.
    forward: f64,
    trail: Trail,
}

/// How long the server wants to be left alone, and since when: by the call's own clock, in truth, and how far
/// the clocks had run ahead.
struct Hint {
    asked: f64,
    at: [f64; 3],
}

/// What a wait has polled so far.
#[derive(Default)]
struct Polls {
    deadline: f64,
    once: bool,
    /// How many requests it has sent, how many of them count as polls, and how many of those came too late.
    sends: u32,
    count: u32,
    late: u32,
    path: String,
    until: f64,
    /// Whether the last one was answered with a 404.
    is_missing: bool,
    is_other_path: bool,
}

impl Polls {
    /// The latest time to which the wait may sleep. The other path of a missing task shares the time of the first.
    fn latest(&self) -> f64 {
        if self.is_missing { self.deadline.max(self.until) } else { self.deadline }
    }

    fn check(&mut self, path: String, now: f64, until: f64, options: &Options) -> Checked {
        self.is_other_path = std::mem::take(&mut self.is_missing) && path != self.path;
        if self.is_other_path {
            let (kept, is_over) = (until == self.until, now >= self.until);
            prop_assert!(kept || is_over, "{} after {}: it is part of the same poll", until, self.until);
        } else {
            self.count += 1;
            self.late += u32::from(now >= self.deadline);
        }
        self.sends += 1;
        (self.path, self.until) = (path, until);
        prop_assert!(self.late <= 1, "a second poll behind the deadline");
        let is_within = self.once || options.max_polls == 0 || self.count <= options.max_polls;
        prop_assert!(is_within, "{} polls", self.count);
        let timeout = until - now;
        prop_assert!(timeout > 0.0 && timeout <= options.poll_timeout + ROUNDING);
        // A poll that a suspension has made late has the time of a last one, and no other goes beyond the deadline
        // for longer.
        prop_assert!(until <= self.deadline.max(now) + LAST_POLL_MS + ROUNDING, "rule 4: {}", until);
        prop_assert!(until <= self.deadline.max(now + LAST_POLL_MS) + ROUNDING || self.is_other_path);
        Ok(())
    }

    fn trail(&self) -> impl Iterator<Item = &'static str> {
        let labels = [(self.is_other_path, "wait other-path"), (self.late > 0, "wait late-poll")];
        labels.into_iter().filter(|(is_so, _)| *is_so).map(|(_, label)| label)
    }
}

/// Performs a call to its end.
pub fn perform(call: &Call) -> Checked<Trail> {
    let (monotonic, wall) = call.clocks;
    let mut world = World {
        call,
        naps: call.naps.iter(),
        steps: 0,
        clock: Clock::new(),
        monotonic,
        wall,
        truth: 0.0,
        owed: 0.0,
        forward: 0.0,
        trail: Trail::new(),
    };
    let end = match read(&call.options, call.browser) {
        Ok(options) => world.job(&options)?,
        Err(failure) => Err(failure),
    };
    match end {
        Ok(meaning) => world.came_past("end", &meaning.status),
        Err(failure) => {
            check_failure(&failure)?;
            world.came_past("end", &failure.kind);
            world.came_past("end", &failure.outcome);
        }
    }
    Ok(world.trail)
}

impl World<'_> {
    fn job(&mut self, options: &Options) -> Checked<Result<ParsedAnswer, Box<Failure>>> {
        let (task, origin, once) = match &self.call.job {
            Job::Create { request, wait } => {
                if let Err(failure) = check_request(&Json::from(request.clone())) {
                    return Ok(Err(failure));
                }
                match self.create(options)? {
                    Ok(ParsedAnswer { task: Some(task), status, .. })
                        if *wait && status != Status::Completed =>
                    {
                        (task, Origin::Created, false)
                    }
                    end => return Ok(end),
                }
            }
            Job::Wait { reference, once } => match read_task(&redacted(reference)) {
                Ok(task) => (task, Origin::Elsewhere, *once),
                Err(failure) => return Ok(Err(failure)),
            },
        };
        let now = self.now();
        let mut named = vec![task.poll_url.clone()];
        match Wait::new::<Json>(task, options, origin, now, 0.5) {
            Err((failure, left)) => {
                prop_assert!(left.poll_url.is_empty() && failure.outcome == Outcome::Accepted);
                Ok(Err(failure))
            }
            Ok(mut wait) => {
                let deadline = now + if once { options.poll_timeout } else { options.max_wait };
                if once {
                    wait.once(now);
                }
                self.follow(wait, options, deadline, once, &mut named)
            }
        }
    }

    fn create(&mut self, options: &Options) -> Checked<Result<ParsedAnswer, Box<Failure>>> {
        let path = options.base.own_path(CREATE_PATH);
        self.check_url(&options.base, &path, &[])?;
        let mut machine = Create::new(path, options.max_retries, options.relay);
        let (mut sends, mut slept) = (0_u32, 0.0);
        loop {
            self.step()?;
            sends += 1;
            prop_assert!(sends - 1 <= options.max_retries, "rule 1: {} sends", sends);
            let is_limited = f64::from(options.max_retries) < MANY_SENDS;
            let task = json!({"status": "pending", "task_id": "img_1"});
            let turn = self.turn(&self.call.sends, sends, is_limited, task);
            let (got, header) = self.exchange(&turn, options.create_timeout);
            let random = turn.random;
            let step = match &got {
                Ok(reply) => machine.answer(reply, random),
                Err((loss, sent)) => machine.lost(*loss, *sent, random),
            };
            match step {
                CreateAction::Retry(ms) => {
                    prop_assert!(may_repeat(&got, options.relay), "rule 1: repeated behind {:?}", got);
                    prop_assert!(ms >= asked_ms(&got, header), "rule 6: {} ms behind {:?}", ms, got);
                    slept += ms;
                    prop_assert!(slept <= CREATE_SLEEP_MS, "{} ms of sleep between attempts", slept);
                    self.came_past("create", &"Retry");
                    let hint = self.hint(ms);
                    self.rest(ms)?;
                    self.check_hint(&hint)?;
                }
                CreateAction::Done(meaning) => {
                    prop_assert!(meaning.task.is_some() || meaning.status == Status::Completed);
                    self.came_past("create", &meaning.status);
                    return Ok(Ok(meaning));
                }
                CreateAction::Fail(failure) => {
                    prop_assert!(
                        !is_unknown(&got) || failure.outcome == Outcome::Unknown,
                        "rule 1: {:?}",
                        failure
                    );
                    let was_sent = !matches!(got, Err((_, false)));
                    prop_assert_eq!(failure.outcome != Outcome::NotSent, was_sent);
                    self.came_past("create", &failure.kind);
                    return Ok(Err(failure));
                }
            }
        }
    }

    fn follow(
        &mut self,
        mut wait: Wait,
        options: &Options,
        deadline: f64,
        once: bool,
        named: &mut Vec<String>,
    ) -> Checked<Result<ParsedAnswer, Box<Failure>>> {
        let mut hint = None;
        let mut polls = Polls { deadline, once, ..Polls::default() };
        // Where every poll is answered at once, only the options limit their number.
        let is_limited = options.max_wait / options.poll_min < MANY_SENDS
            || options.max_polls > 0 && f64::from(options.max_polls) < MANY_SENDS;
        loop {
            self.step()?;
            let now = self.now();
            match twice(&mut wait, |wait| wait.next(now))? {
                WaitAction::Sleep(until) => {
                    let (ms, latest) = (until - now, polls.latest());
                    prop_assert!(ms > 0.0 && until <= latest + ROUNDING, "rule 4: {} ms at {}", ms, now);
                    self.came_past("wait", &"Sleep");
                    if self.sleep(ms) {
                        let now = self.now();
                        self.came_past("wait", &"woken");
                        twice(&mut wait, |wait| wait.wake(now))?;
                    }
                }
                WaitAction::Poll(path, until) => {
                    self.came_past("wait", &"Poll");
                    self.check_url(&options.base, &path, named)?;
                    if let Some(hint) = hint.take() {
                        self.check_hint(&hint)?;
                    }
                    polls.check(path, now, until, options)?;
                    self.trail.extend(polls.trail().map(str::to_owned));
                    let end = json!({"status": "completed", "data": [{"url": "x"}]});
                    let turn = self.turn(&self.call.polls, polls.sends, is_limited, end);
                    let (got, header) = self.exchange(&turn, until - now);
                    if let Ok(Answer { body: Some(body), .. }) = &got {
                        named.push(body.text_of(Name::PollUrl));
                    }
                    let (now, random) = (self.now(), turn.random);
                    let verdict = twice(&mut wait, |wait| match &got {
                        Ok(reply) => wait.answer(&options.base, reply, now, random),
                        Err((loss, _)) => wait.lost(*loss, now, random),
                    })?;
                    hint = Some(self.hint(asked_ms(&got, header)));
                    match verdict {
                        PollResult::Answered(meaning) => {
                            self.came_past("wait", &meaning.status);
                            if meaning.is_foreign {
                                self.came_past("wait", &"foreign-status");
                            }
                            if once || meaning.status == Status::Completed {
                                return Ok(Ok(meaning));
                            }
                        }
                        PollResult::Again => {
                            self.came_past("wait", &"Again");
                            polls.is_missing = true;
                        }
                        PollResult::Lost(failure) => {
                            check_failure(&failure)?;
                            prop_assert_eq!(failure.outcome, Outcome::Accepted);
                            self.came_past("lost", &failure.kind);
                            if once {
                                return Ok(Err(failure));
                            }
                        }
                        PollResult::Fail(failure) => {
                            self.came_past("wait", &failure.kind);
                            prop_assert!(matches!(failure.outcome, Outcome::Accepted | Outcome::Failed));
                            return Ok(Err(failure));
                        }
                    }
                }
                WaitAction::Fail(failure) => {
                    self.came_past("wait", &failure.kind);
                    prop_assert_eq!(failure.outcome, Outcome::Accepted, "rule 2");
                    return Ok(Err(failure));
                }
            }
        }
    }

    /// What comes of the request of this number, counted from 1.
    fn turn(&self, turns: &[Turn], number: u32, is_limited: bool, otherwise: Plain) -> Turn {
        let last = turns.last().filter(|_| self.call.endless && is_limited);
        turns.get(number as usize - 1).or(last).cloned().unwrap_or(Turn {
            got: Got::Answer { status: 200, body: Some(otherwise), header: Header::Nothing },
            took: 0.0,
            drift: Drift::Steady,
            random: 0.5,
        })
    }

    /// Lets a request come to its end, and tells its `Retry-After` once more.
    fn exchange(
        &mut self,
        turn: &Turn,
        timeout: f64,
    ) -> (Result<Answer<Json>, (TransportError, bool)>, RetryAfter) {
        let is_timeout =
            matches!(turn.got, Got::Lost { loss: TransportError::Timeout, .. }) && timeout < LONGEST_TIMER_MS;
        self.pass(if is_timeout { timeout } else { turn.took.min(timeout) }, turn.drift);
        match &turn.got {
            Got::Lost { loss, sent } => (Err((*loss, *sent)), RetryAfter::NONE),
            Got::Answer { status, body, header } => {
                let retry_after = header.read(self.wall);
                let body = body.as_ref().map(redacted);
                let location = vocabulary::location(*status);
                (Ok(Answer { status: *status, body, retry_after, location }), retry_after)
            }
        }
    }

    fn now(&mut self) -> f64 {
        self.clock.read(self.monotonic, self.wall)
    }

    /// Lets time pass.
    fn pass(&mut self, ms: f64, drift: Drift) {
        self.truth += ms;
        let (mut monotonic, mut wall) = (0.0, 0.0);
        match drift {
            Drift::Frozen => {
                self.owed += ms;
                return;
            }
            Drift::Steady => {}
            Drift::Suspended(more, along) => {
                self.truth += more;
                wall = more;
                monotonic = if along { 0.0 } else { more };
            }
            Drift::Set(by, wall_by) => {
                (monotonic, wall) = (by, wall_by);
                self.forward += by.max(wall_by).max(0.0);
            }
        }
        let owed = std::mem::take(&mut self.owed);
        self.forward += owed;
        self.monotonic += ms + owed + monotonic;
        self.wall += ms + owed + wall;
    }

    /// Sleeps as the shell does, and tells whether it was woken.
    fn sleep(&mut self, ms: f64) -> bool {
        let end = self.now() + ms;
        // The pieces of an endless sleep, all but the last, go by in one.
        let pieces = (ms / LONGEST_TIMER_MS).floor().max(1.0);
        let timer = (ms.min(LONGEST_TIMER_MS) * pieces).ceil();
        let full = Nap { drift: Drift::Steady, woken: None };
        let Nap { drift, woken } = *self.naps.next().unwrap_or(&full);
        self.pass(timer * woken.unwrap_or(1.0), drift);
        if woken.is_none() && ms < LONGEST_TIMER_MS && self.now() < end {
            self.clock.at_least(end);
        }
        woken.is_some()
    }

    /// Sleeps to the end as the shell does.
    fn rest(&mut self, ms: f64) -> Checked {
        let end = self.now() + ms;
        loop {
            self.step()?;
            let left = end - self.now();
            self.sleep(left.max(0.0));
            if self.now() >= end {
                return Ok(());
            }
        }
    }

    fn step(&mut self) -> Checked {
        self.steps += 1;
        prop_assert!(self.steps < MANY_STEPS, "rule 4: a call without an end");
        Ok(())
    }

    fn hint(&mut self, asked: f64) -> Hint {
        Hint { asked, at: [self.now(), self.truth, self.forward] }
    }

    /// Neither by the call's own clock nor in truth may less time have passed than the server asked for; in truth,
    /// clocks that ran ahead are no fault of ours.
    fn check_hint(&mut self, hint: &Hint) -> Checked {
        let Hint { asked, at: [at, truth, forward] } = hint;
        let (shown, passed) = (self.now() - at, self.truth - truth + (self.forward - forward));
        prop_assert!(shown >= asked - ROUNDING, "rule 6: {} ms shown, {} ms asked for", shown, asked);
        prop_assert!(passed >= asked - ROUNDING, "rule 6: {} ms in truth, {} ms asked for", passed, asked);
        Ok(())
    }

    /// The key goes to the base URL's origin. Below its prefix, too, unless the server has named an absolute URL.
    fn check_url(&self, base: &Base, path: &str, named: &[String]) -> Checked {
        let option = |wanted| {
            self.call.options.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.text())
        };
        let url =
            option("baseUrl").filter(|url| !url.is_empty()).unwrap_or("https://api.lemondata.cc".into());
        let url = Url::parse(&url).expect("an accepted base URL");
        let called = base.url(path);
        let parsed = Url::parse(&called).expect("a URL");
        prop_assert_eq!(parsed.origin(), url.origin(), "rule 3: {}", called);
        prop_assert_eq!(
            (parsed.username(), parsed.password(), parsed.fragment()),
            ("", None, None),
            "rule 3: {}",
            called
        );
        // What was judged is what is called.
        prop_assert!(parsed.as_str() == called, "{} would be called as {}", called, parsed);
        let prefix = url.path().trim_end_matches('/');
        let prefix = prefix.strip_suffix("/v1").unwrap_or(prefix).trim_end_matches('/');
        let is_inside = parsed.path().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));

        let is_elsewhere = |text: &String| text.split('/').next().is_some_and(|start| start.ends_with(':'));
        prop_assert!(is_inside || named.iter().any(is_elsewhere), "rule 3: {} is not below {}", called, url);
        Ok(())
    }

    fn came_past(&mut self, what: &str, which: &dyn std::fmt::Debug) {
        self.trail.insert(format!("{what} {which:?}").replace('"', ""));
    }
}

/// No message may show a secret.
fn check_failure(failure: &Failure) -> Checked {
    prop_assert!(!failure.message.is_empty());
    prop_assert!(!failure.message.contains(KEY), "rule 3: the key in {}", failure.message);
    prop_assert!(!failure.message.contains(QUERY), "rule 3: a query in {}", failure.message);
    prop_assert!(failure.retry_after_ms >= 0.0 && failure.retry_after_ms.is_finite());
    Ok(())
}

/// Does something with a wait and with its stored copy: both have to do the same, and stay the same.
fn twice<T: PartialEq + std::fmt::Debug>(wait: &mut Wait, act: impl Fn(&mut Wait) -> T) -> Checked<T> {
    // Through a value and not through text, whose parser may miss the last bit of a number.
    let stored = serde_json::to_value(&*wait).expect("a wait to store");
    let mut restored: Wait = serde_json::from_value(stored).expect("a stored wait");
    prop_assert_eq!(&restored, &*wait);
    let result = act(wait);
    prop_assert_eq!(&act(&mut restored), &result);
    prop_assert_eq!(&restored, &*wait);
    Ok(result)
}

/// What the shell makes of a text that shows the key.
fn redacted(body: &Plain) -> Json {
    let text = body.to_string().replace(KEY, "[key]");
    serde_json::from_str::<Plain>(&text).expect("JSON still").into()
}

/// Whether a create has done nothing, by the server's own word.
fn did_nothing(reply: &Answer<Json>) -> bool {
    reply.status == 429 || reply.status == 503 && retryable(reply) == Some(true)
}

fn retryable(reply: &Answer<Json>) -> Option<bool> {
    reply.body.as_ref().and_then(|body| body.get(Name::Error).flag_of(Name::Retryable))
}

/// Whether a create may have been carried out, for all that is known.
fn is_unknown(got: &Result<Answer<Json>, (TransportError, bool)>) -> bool {
    match got {
        Err((_, sent)) => *sent,
        Ok(reply) => match reply.status {
            200..=299 => reply.body.is_none(),
            408 | 500.. => !did_nothing(reply),
            _ => false,
        },
    }
}

/// Whether a create may be sent again behind this: the rule once more, in other words.
fn may_repeat(got: &Result<Answer<Json>, (TransportError, bool)>, is_relay: bool) -> bool {
    let (allowed, forbidden) = match got {
        Ok(reply) => (did_nothing(reply), retryable(reply) == Some(false)),
        Err((loss, sent)) => (*loss == TransportError::Connection && !sent, false),
    };
    !forbidden && (allowed || is_relay && is_unknown(got))
}

/// How long the server asks to wait, in milliseconds. An answer that was carried out says it in the header alone.
fn asked_ms(got: &Result<Answer<Json>, (TransportError, bool)>, header: RetryAfter) -> f64 {
    let Ok(reply) = got else { return 0.0 };
    let by_header =
        if header.seconds.is_nan() { header.date_ms - header.now_ms } else { header.seconds * 1_000.0 };
    let by_body = match &reply.body {
        Some(body) if !matches!(reply.status, 200..=299) => {
            body.get(Name::Error).number_of(Name::RetryAfter) * 1_000.0
        }
        _ => 0.0,
    };
    [by_header, by_body].into_iter().filter(|ms| *ms > 0.0).fold(0.0, f64::max).min(1e15)
}
