//! Whole calls: the call machine, driven as the shell drives it, in a world where anything may come and both clocks may
//! show anything. What must hold of every call is checked on the way.

#![allow(clippy::struct_excessive_bools)] // each is a fact of its own

use std::collections::BTreeSet;

use lemondata_wasm::core::{
    Action, Answer, CREATE_PATH, Call, CallFailure, Clock, Command, EDIT_PATH, End, Environment, Event,
    Failure, Kind, Name, Options, Outcome, RetryAfter, Source, Status, TransportError, Update, Value,
};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestCaseError};
use serde_json::{Value as Plain, json};
use url::Url;

use crate::{
    help::read,
    json::Json,
    limits::{ANNOUNCE_MS, CREATE_SLEEP_MS, LAST_POLL_MS, OVERSLEPT_MS, READING_MS, SILENT_MS},
    vocabulary::{self, Exchange, Header, KEY, QUERY},
};

type Checked<T = ()> = Result<T, TestCaseError>;
/// What a request brought: an answer, or how it was lost and whether it had left this machine.
type AttemptResult = Result<Answer<Json>, (TransportError, bool)>;

/// Beyond this many steps a call counts as endless.
const MANY_STEPS: usize = 20_000;
/// So many requests fit into that, with their sleeps.
const MANY_SENDS: f64 = 4_000.0;
/// What sums of fractions of milliseconds may differ by, years of them included.
const ROUNDING: f64 = 1.0;
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

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
pub struct ScriptedPoll {
    got: Exchange,
    took: f64,
    drift: Drift,
    random: f64,
}

/// A sleep, which may be cut short after a part of it.
#[derive(Clone, Debug)]
pub struct Nap {
    drift: Drift,
    interruption: Option<(f64, Interruption)>,
}

#[derive(Clone, Debug)]
pub enum Interruption {
    /// The runtime comes back to life.
    Woken,
    /// Another call for the task gets an answer, if the call has joined others by then.
    Joined(ScriptedPoll),
}

/// What the functions for key and headers come to.
#[derive(Clone, Copy, Debug)]
pub enum Credentials {
    /// What the options say; a function returns this key.
    Ready(&'static str),
    KeyFailed,
    HeadersFailed,
    /// They do not settle.
    Late,
}

/// What becomes of a poll that other calls send, too.
#[derive(Clone, Copy, Debug)]
pub enum Sharing {
    /// This call sends it.
    Own,
    /// Another one does, and this comes of it after a part of the time.
    Followed(Source, f64, Following),
}

#[derive(Clone, Copy, Debug)]
pub enum Following {
    Answered,
    LeaderLeft,
    Woken,
    /// Nothing comes.
    Late,
}

/// What `onTask` does, and how long that takes.
#[derive(Clone, Copy, Debug)]
pub enum Callback {
    Done(f64),
    Failed(f64),
    Never,
}

/// All that is left to chance. Once the naps, credentials and sharings are used up, sleeps are full, credentials are
/// ready and polls are the call's own. Where no turn is left, the last one repeats itself, if this is to be endless and
/// the options set a limit to it; else the create brings a task, and a poll its end.
#[derive(Clone, Debug)]
pub struct Scenario {
    command: Command,
    input: Plain,
    /// How long ago `generate` returned the task.
    age: f64,
    /// What a caller passes for the options of a call, and the body that its request makes.
    call_options: Json,
    body: Json,
    options: Vec<(&'static str, Json)>,
    browser: bool,
    clocks: (f64, f64),
    sends: Vec<ScriptedPoll>,
    polls: Vec<ScriptedPoll>,
    naps: Vec<Nap>,
    credentials: Vec<(Credentials, f64)>,
    sharings: Vec<Sharing>,
    callback: Callback,
    /// The signal aborts in place of the action of this number.
    abort: Option<usize>,
    endless: bool,
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

fn took() -> BoxedStrategy<f64> {
    prop_oneof![3 => 0.0..3_000.0, 1 => Just(0.0), 1 => 3_000.0..120_000.0].boxed()
}

fn turn(got: BoxedStrategy<Exchange>) -> BoxedStrategy<ScriptedPoll> {
    (got, took(), drift(), 0.0..1.0)
        .prop_map(|(got, took, drift, random)| ScriptedPoll { got, took, drift, random })
        .boxed()
}

fn part() -> BoxedStrategy<f64> {
    prop_oneof![Just(0.0), 0.0..1.0].boxed()
}

fn credentials() -> BoxedStrategy<(Credentials, f64)> {
    let result = prop_oneof![
        20 => Just(Credentials::Ready(KEY)),
        1 => select(vec!["", "Bearer sk-fuzz-0123456789", "sk-fuzz-0123456789\n"]).prop_map(Credentials::Ready),
        1 => Just(Credentials::KeyFailed),
        1 => Just(Credentials::HeadersFailed),
        1 => Just(Credentials::Late),
    ];
    (result, prop_oneof![3 => Just(0.0), 1 => took()]).boxed()
}

fn sharing() -> BoxedStrategy<Sharing> {
    let following = select(vec![
        Following::Answered,
        Following::Answered,
        Following::LeaderLeft,
        Following::Woken,
        Following::Late,
    ]);
    prop_oneof![
        2 => Just(Sharing::Own),
        1 => (select(vec![Source::Poll, Source::Stream]), part(), following)
            .prop_map(|(source, part, following)| Sharing::Followed(source, part, following)),
    ]
    .boxed()
}

pub fn scenario() -> impl Strategy<Value = Scenario> {
    let create = select(vec![Command::Generate, Command::GenerateAndWait, Command::GenerateAndWait]);
    let edit = select(vec![Command::Edit, Command::EditAndWait]);
    let wait = select(vec![Command::WaitForTask, Command::WaitForTask, Command::GetTask]);
    let job = prop_oneof![
        6 => (create, vocabulary::request()),
        2 => (edit, vocabulary::edit()),
        8 => (wait, vocabulary::reference()),
    ];
    let age = prop_oneof![2 => Just(f64::NAN), 1 => 0.0..20_000.0];
    let call_options =
        prop_oneof![100 => Just(json!({}).into()), 1 => Just(json!("x").into()), 1 => Just(Json::Function)];
    let body = prop_oneof![50 => Just(json!({"value": "{}"}).into()), 1 => Just(json!({"cause": {}}).into())];
    let interruption = prop_oneof![
        1 => Just(Interruption::Woken),
        1 => turn(vocabulary::got_by_poll()).prop_map(Interruption::Joined),
    ];
    let nap = (drift(), option::weighted(0.3, (part(), interruption)))
        .prop_map(|(drift, interruption)| Nap { drift, interruption });
    let clocks = (0.0..1e9, prop_oneof![Just(0.0), Just(1.7e12), 0.0..4e12]);
    let callback = prop_oneof![
        8 => took().prop_map(Callback::Done),
        1 => took().prop_map(Callback::Failed),
        1 => Just(Callback::Never),
    ];
    (
        (job, age, call_options, body),
        (vocabulary::options(), prop::bool::weighted(0.03), clocks),
        (
            vec(turn(vocabulary::got_by_create()), 0..6),
            vec(turn(vocabulary::got_by_poll()), 0..12),
            any::<bool>(),
        ),
        (vec(nap, 0..12), vec(credentials(), 0..8), vec(sharing(), 0..12)),
        (callback, option::weighted(0.15, 1_usize..40)),
    )
        .prop_map(
            |(
                ((command, input), age, call_options, body),
                (options, browser, clocks),
                (sends, polls, endless),
                (naps, credentials, sharings),
                (callback, abort),
            )| Scenario {
                command,
                input,
                age,
                call_options,
                body,
                options,
                browser,
                clocks,
                sends,
                polls,
                naps,
                credentials,
                sharings,
                callback,
                abort,
                endless,
            },
        )
}

/// What a call came past and how it ended, in words, which show over many calls whether anything was left out.
pub type Trail = BTreeSet<String>;

/// Time, as it passes and as the clocks show it.
struct Time {
    clock: Clock,
    monotonic: f64,
    wall: f64,
    /// The time that has passed in truth.
    truth: f64,
    /// What the clocks have not shown yet of it.
    owed: f64,
    /// How far the clocks have run ahead of it, in all.
    forward: f64,
}

impl Time {
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

    /// Lets a timer fire: what it counted has passed then, whatever the clocks show.
    fn fire(&mut self, ms: f64, drift: Drift) {
        let end = self.now() + ms;
        // The pieces of an endless sleep, all but the last, go by in one.
        let pieces = (ms / LONGEST_TIMER_MS).floor().max(1.0);
        self.pass((ms.min(LONGEST_TIMER_MS) * pieces).ceil(), drift);
        if ms < LONGEST_TIMER_MS && self.now() < end {
            self.clock.at_least(end);
        }
    }
}

/// How long the server wants to be left alone, and since when: by the call's own clock, in truth, and how far
/// the clocks had run ahead.
struct Hint {
    asked: f64,
    at: [f64; 3],
}

/// What a wait has polled so far.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // independent of each other
struct Polls {
    deadline: f64,
    is_single: bool,
    /// How many requests it has made, how many of them count as polls, and how many of those came too late.
    requests: u32,
    count: u32,
    late: u32,
    url: String,
    until: f64,
    /// When the last answer came.
    answered_at: f64,
    /// Whether the last one was answered with a 404.
    is_missing: bool,
    is_other_path: bool,
    /// Whether an attempt of another call has come since the last request.
    has_joined: bool,
    /// The serial number of the last attempt that brought no answer.
    lost: Option<f64>,
}

impl Polls {
    /// The latest time to which the wait may sleep. The other path of a missing task shares the time of the first.
    fn latest(&self) -> f64 {
        if self.is_missing { self.deadline.max(self.until) } else { self.deadline }
    }

    fn check(&mut self, url: &str, now: f64, until: f64, options: &Options) -> Checked {
        let (kept, is_over) = (until == self.until, now >= self.until);
        let is_other = std::mem::take(&mut self.is_missing) && url != self.url;
        // An attempt of another call may have ended the poll that was to go on to the other path.
        self.is_other_path = is_other && (kept || is_over || !self.has_joined);
        if self.is_other_path {
            prop_assert!(kept || is_over, "{} after {}: it is part of the same poll", until, self.until);
        } else {
            self.count += 1;
            self.late += u32::from(now >= self.deadline);
        }
        self.requests += 1;
        self.has_joined = false;
        (self.url, self.until) = (url.into(), until);
        prop_assert!(self.late <= 1, "a second poll behind the deadline");
        let is_within = self.is_single || options.max_polls == 0 || self.count <= options.max_polls;
        prop_assert!(is_within, "{} polls", self.count);
        // A time-out may be too short for the clock to show.
        prop_assert!(until > now || now + options.poll_timeout.0 == now);
        prop_assert!(until - now <= options.poll_timeout.0 + ROUNDING);
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

/// A call under way, with the world around it.
#[allow(clippy::struct_excessive_bools)] // independent of each other
struct World<'a> {
    scenario: &'a Scenario,
    call: Box<Call<Json>>,
    options: Options,
    time: Time,
    naps: std::slice::Iter<'a, Nap>,
    credentials: std::slice::Iter<'a, (Credentials, f64)>,
    sharings: std::slice::Iter<'a, Sharing>,
    trail: Trail,
    steps: usize,
    actions: usize,
    /// Counts the attempts that the machine has been shown.
    serial: f64,
    /// The number of the last request, and how long the creates have slept between theirs.
    number: u32,
    slept: f64,
    /// Whether a create may have been carried out, for all that is known.
    may_be_billed: bool,
    hint: Option<Hint>,
    /// When a create has brought a task, and how often `onTask` has been called.
    created_at: Option<f64>,
    announcements: usize,
    polls: Option<Polls>,
    /// A request of this call's own is under way, and whether it has left this machine.
    under_way: Option<bool>,
    /// What the call follows.
    following: Option<(Source, f64, Following)>,
    has_joined: bool,
    /// Whether the last event has brought an update.
    has_update: bool,
    /// The poll URLs that callers and answers have named.
    urls: Vec<String>,
}

/// Performs a call to its end.
pub fn perform(scenario: &Scenario) -> Checked<Trail> {
    let (monotonic, wall) = scenario.clocks;
    let mut time = Time { clock: Clock::new(), monotonic, wall, truth: 0.0, owed: 0.0, forward: 0.0 };
    let now = time.now();
    let input = redacted(&scenario.input);
    let poll_url = input.text_of(Name::PollUrl);
    let call = Json::object([
        ("input", input),
        ("age", Json::Number(scenario.age)),
        ("options", Json::object(scenario.options.iter().cloned())),
        ("callOptions", scenario.call_options.clone()),
        ("body", scenario.body.clone()),
    ]);
    let environment = Environment { browser: scenario.browser };
    let (call, action) = match Call::start(scenario.command, &call, environment, now, 0.5) {
        Ok(started) => started,
        Err(end) => {
            let mut trail = Trail::new();
            check_end(&end, None, &mut trail)?;
            let is_early = match end {
                End::Done(_) => scenario.command == Command::WaitForTask,
                End::Failed(end) => end.failure.outcome == Outcome::NotSent,
                End::Aborted => false,
            };
            prop_assert!(is_early, "an end that nothing has led to");
            return Ok(trail);
        }
    };
    let options = read(&scenario.options, scenario.browser).expect("options that are accepted");
    let mut world = World {
        scenario,
        call,
        options,
        time,
        naps: scenario.naps.iter(),
        credentials: scenario.credentials.iter(),
        sharings: scenario.sharings.iter(),
        trail: Trail::new(),
        steps: 0,
        actions: 0,
        serial: 0.0,
        number: 0,
        slept: 0.0,
        may_be_billed: false,
        hint: None,
        created_at: None,
        announcements: 0,
        polls: None,
        under_way: None,
        following: None,
        has_joined: false,
        has_update: false,
        urls: vec![poll_url],
    };
    if matches!(scenario.command, Command::GetTask | Command::WaitForTask) {
        world.begin_wait();
    }
    world.drive(action)?;
    let World { call, polls, mut trail, .. } = world;
    check_end(call.end(), polls.as_ref(), &mut trail)?;
    Ok(trail)
}

impl World<'_> {
    fn drive(&mut self, mut action: Action) -> Checked {
        while action != Action::Finish {
            self.step()?;
            self.actions += 1;
            if action == Action::Announce {
                self.announcements += 1;
            }
            if self.scenario.abort == Some(self.actions) {
                if self.following.is_some() {
                    self.came_past("abort", &"Follow");
                } else {
                    self.came_past("abort", &action);
                }
                prop_assert_eq!(self.handle(Event::Aborted, 0.5)?, Action::Finish);
                prop_assert!(matches!(self.call.end(), End::Aborted));
                prop_assert!(
                    self.created_at.is_none() || self.announcements == 1,
                    "rule 2: a task that is lost"
                );
                return Ok(());
            }
            action = match action {
                Action::Authorize => self.authorize()?,
                Action::Send => self.send()?,
                Action::GiveUp => self.give_up()?,
                Action::Announce => self.announce()?,
                Action::Sleep => match self.following.take() {
                    Some(following) => self.follow(following)?,
                    None => self.sleep()?,
                },
                Action::Wait | Action::Finish => unreachable!("no action"),
            };
        }
        prop_assert!(!matches!(self.call.end(), End::Aborted), "an abort that did not happen");
        prop_assert!(self.under_way.is_none(), "a request that nothing waits for");
        prop_assert_eq!(
            self.announcements,
            usize::from(self.created_at.is_some()),
            "onTask hears of a task once"
        );
        Ok(())
    }

    /// Hands in an event that the machine has to answer with something to do.
    fn handle(&mut self, event: Event<Json>, random: f64) -> Checked<Action> {
        let is_attempt = matches!(event, Event::Attempt(_));
        let now = self.time.now();
        let action = self.call.handle(event, now, random);
        prop_assert!(action != Action::Wait, "an event without an effect");
        let update = self.call.take_update();
        self.has_update = update.is_some();
        if let Some(Update { generation, next_poll }) = update {
            prop_assert!(is_attempt && self.polls.is_some() && self.scenario.command != Command::GetTask);
            prop_assert!(generation.has(Name::Status));
            match (action, next_poll) {
                (Action::Finish, None) => {}
                (Action::Sleep, Some(due)) => prop_assert_eq!(due, self.call.until()),
                (Action::Authorize, Some(due)) => prop_assert!(due <= now),
                _ => prop_assert!(false, "{:?} behind an update that names {:?}", action, next_poll),
            }
            self.came_past("wait", &status_of(&generation));
            if generation.plain().get("provider_status").is_some() {
                self.came_past("wait", &"foreign-status");
            }
        }
        Ok(action)
    }

    /// Hands in an event that means nothing at this moment.
    fn disturb(&mut self, event: Event<Json>) -> Checked {
        let (now, until) = (self.time.now(), self.call.until());
        prop_assert_eq!(self.call.handle(event, now, 0.5), Action::Wait);
        prop_assert_eq!(self.call.until(), until);
        prop_assert!(self.call.take_update().is_none());
        Ok(())
    }

    fn authorize(&mut self) -> Checked<Action> {
        let (now, until) = (self.time.now(), self.call.until());
        let request = self.call.request();
        let (number, url, is_create) = (request.number, request.url.clone(), request.is_create);
        prop_assert_eq!(is_create, self.polls.is_none());
        prop_assert_eq!(request.path.contains('?'), false, "rule 3: a query that logs may show");
        if number > self.number {
            prop_assert_eq!(number, self.number + 1);
            self.number = number;
            if let Some(hint) = self.hint.take() {
                self.check_hint(&hint)?;
            }
            self.check_url(&url)?;
            if let Some(polls) = &mut self.polls {
                polls.check(&url, now, until, &self.options)?;
                self.trail.extend(polls.trail().map(str::to_owned));
                self.came_past("wait", &"Poll");
            } else {
                prop_assert!(number - 1 <= self.options.max_retries, "rule 1: {} sends", number);
                prop_assert_eq!(until, now + self.options.create_timeout.0);
            }
        }
        self.disturb(Event::Woken)?;
        let (credentials, took) = *self.credentials.next().unwrap_or(&(Credentials::Ready(KEY), 0.0));
        if !matches!(credentials, Credentials::Ready(_)) {
            self.came_past("credentials", &credentials);
        }
        if matches!(credentials, Credentials::Late) && until - now < LONGEST_TIMER_MS {
            return self.time_out(until);
        }
        self.time.pass(took.min((until - now).max(0.0)), Drift::Steady);
        let option = self.option("apiKey");
        let is_function = matches!(option, Json::Function);
        let key = if is_function { json!(KEY).into() } else { option };
        let flag = || Json::from(json!(true));
        let (value, kind) = match credentials {
            Credentials::KeyFailed if is_function => {
                (Json::object([("keyFailed", flag()), ("cause", Json::Symbol)]), Some(Kind::Authentication))
            }
            Credentials::HeadersFailed => {
                (Json::object([("key", key), ("headersFailed", flag())]), Some(Kind::InvalidRequest))
            }
            Credentials::Ready(key) if is_function => {
                (Json::object([("key", json!(key).into())]), (key != KEY).then_some(Kind::InvalidRequest))
            }
            _ => (Json::object([("key", key)]), None),
        };
        let action = self.handle(Event::Credentials(value), 0.5)?;
        match (kind, self.call.end()) {
            (None, _) => prop_assert_eq!(action, Action::Send),
            (Some(kind), End::Failed(CallFailure { failure, .. })) => {
                prop_assert_eq!((action, failure.kind), (Action::Finish, kind));
                self.check_outcome(&failure.clone())?;
            }
            (Some(_), _) => prop_assert!(false, "credentials that cannot be used"),
        }
        Ok(action)
    }

    /// Lets the time of what is under way run out.
    fn time_out(&mut self, until: f64) -> Checked<Action> {
        self.rest(until)?;
        let mut action = self.handle(Event::Elapsed, 0.5)?;
        if action == Action::Sleep {
            // The machine has slept. An answer that came meanwhile gets time to be read; none came.
            let now = self.time.now();
            prop_assert!(now > until + OVERSLEPT_MS);
            prop_assert_eq!(self.call.until(), now + READING_MS);
            action = self.time_out(now + READING_MS)?;
        }
        prop_assert_eq!(action, Action::GiveUp);
        Ok(action)
    }

    fn send(&mut self) -> Checked<Action> {
        let request = self.call.request();
        let (is_shared, uses_relay, is_create) = (request.is_shared, request.uses_relay, request.is_create);
        prop_assert_eq!(is_shared, !is_create && self.scenario.command != Command::GetTask);
        prop_assert_eq!(uses_relay, self.options.relay && (is_shared || is_create && self.options.makes_key));
        prop_assert!(self.under_way.is_none(), "two requests at once");
        if let Some(polls) = &self.polls {
            // A request that takes over from another call has the time of the whole poll.
            prop_assert_eq!(self.call.until(), polls.until);
        }
        if is_shared {
            self.has_joined = true;
            if let Some(Sharing::Followed(source, part, following)) = self.sharings.next() {
                let (now, polls) = (self.time.now(), self.polls.as_ref().expect("a wait"));
                let is_silent = now >= polls.answered_at + SILENT_MS;
                prop_assert_eq!(self.call.is_silent(now), is_silent);
                if *source == Source::Poll || !is_silent {
                    let (until, silent_at) = (polls.until, polls.answered_at + SILENT_MS);
                    self.following = Some((*source, *part, *following));
                    let action = self.handle(Event::Following(*source), 0.5)?;
                    prop_assert_eq!(action, Action::Sleep);
                    let until = if *source == Source::Stream { until.min(silent_at) } else { until };
                    prop_assert_eq!(self.call.until(), until);
                    return Ok(action);
                }
            }
        }
        let turn = self.turn();
        let until = self.call.until();
        let timeout = (until - self.time.now()).max(0.0);
        self.disturb(Event::Woken)?;
        match turn.got {
            Exchange::Lost { error: TransportError::Timeout, sent } if timeout < LONGEST_TIMER_MS => {
                self.under_way = Some(sent);
                self.time.pass(timeout, turn.drift);
                self.time_out(until)
            }
            _ => {
                self.time.pass(turn.took.min(timeout), turn.drift);
                self.judge(&turn)
            }
        }
    }

    fn give_up(&mut self) -> Checked<Action> {
        self.came_past("attempt", &"given-up");
        let sent = self.under_way.take().unwrap_or_default();
        let got = Exchange::Lost { error: TransportError::Timeout, sent };
        self.judge(&ScriptedPoll { got, took: 0.0, drift: Drift::Steady, random: 0.5 })
    }

    fn announce(&mut self) -> Checked<Action> {
        let now = self.time.now();
        let until = now + self.options.max_wait.0.max(ANNOUNCE_MS);
        prop_assert_eq!(self.call.until(), until);
        prop_assert!(self.call.task().is_some_and(lemondata_wasm::core::Task::has_id));
        self.disturb(Event::Woken)?;
        let callback = self.scenario.callback;
        let (is_over, cause) = match callback {
            Callback::Done(took) if took < until - now => {
                self.time.pass(took, Drift::Steady);
                self.came_past("onTask", &"Done");
                (false, Json::nothing())
            }
            Callback::Failed(took) if took < until - now => {
                self.time.pass(took, Drift::Steady);
                self.came_past("onTask", &"Failed");
                (true, Json::object([("cause", Json::Symbol)]))
            }
            _ => {
                self.came_past("onTask", &"Never");
                self.rest(until)?;
                let action = self.handle(Event::Elapsed, 0.5)?;
                return self.callback_failed(action);
            }
        };
        let action = self.handle(Event::Announced(cause), 0.5)?;
        if is_over {
            return self.callback_failed(action);
        }
        if matches!(self.scenario.command, Command::Generate | Command::Edit) {
            prop_assert_eq!(action, Action::Finish);
        } else if !matches!(self.call.end(), End::Failed(_)) {
            self.begin_wait();
            if action == Action::Sleep {
                self.check_sleep(action)?;
            } else {
                // A slow `onTask` has used up the gap.
                prop_assert_eq!(action, Action::Authorize);
                let gap = self.options.poll_min.min(self.options.max_wait);
                let passed = self.time.now() - self.created_at.expect("a task");
                prop_assert!(passed >= gap.0 - ROUNDING, "no task is done at once");
            }
        }
        Ok(action)
    }

    fn callback_failed(&self, action: Action) -> Checked<Action> {
        prop_assert_eq!(action, Action::Finish);
        let End::Failed(CallFailure { failure, .. }) = self.call.end() else {
            panic!("rule 2: a lost failure")
        };
        prop_assert_eq!((failure.kind, failure.outcome), (Kind::Callback, Outcome::Accepted));
        prop_assert!(failure.task.is_some(), "rule 2: a task that is lost");
        Ok(action)
    }

    fn begin_wait(&mut self) {
        let began = self.created_at.unwrap_or_else(|| self.time.now());
        let is_single = self.scenario.command == Command::GetTask;
        let time = if is_single { self.options.poll_timeout.0 } else { self.options.max_wait.0 };
        self.number = 0;
        self.polls =
            Some(Polls { deadline: began + time, is_single, answered_at: began, ..Polls::default() });
    }

    fn follow(&mut self, (source, part, following): (Source, f64, Following)) -> Checked<Action> {
        self.came_past("follow", &source);
        self.came_past("follow", &following);
        let (now, until) = (self.time.now(), self.call.until());
        let left = (until - now).max(0.0);
        self.time.pass(left * part, Drift::Steady);
        match following {
            Following::Answered => {
                let turn = self.turn();
                self.time.pass(turn.took.min(left * (1.0 - part)), turn.drift);
                return self.judge(&turn);
            }
            Following::LeaderLeft => {
                let action = self.handle(Event::LeaderLeft, 0.5)?;
                prop_assert_eq!(action, Action::Authorize);
                return Ok(action);
            }
            Following::Woken if source == Source::Stream => {
                let action = self.handle(Event::Woken, 0.5)?;
                prop_assert_eq!(action, Action::Authorize);
                return Ok(action);
            }
            Following::Woken => self.disturb(Event::Woken)?,
            Following::Late => {}
        }
        self.rest(until)?;
        let now = self.time.now();
        // A poll takes the place of a silent stream, if its time is not over as well.
        let is_replaced = source == Source::Stream
            && self.call.is_silent(now)
            && self.polls.as_ref().is_some_and(|polls| now < polls.until);
        let action = self.handle(Event::Elapsed, 0.5)?;
        prop_assert_eq!(action, if is_replaced { Action::Authorize } else { Action::GiveUp });
        if is_replaced {
            self.came_past("follow", &"silent");
        }
        Ok(action)
    }

    /// Sleeps between two requests.
    fn sleep(&mut self) -> Checked<Action> {
        let until = self.call.until();
        let full = Nap { drift: Drift::Steady, interruption: None };
        loop {
            self.step()?;
            let left = until - self.time.now();
            if left <= 0.0 {
                return self.handle(Event::Elapsed, 0.5);
            }
            let nap = self.naps.next().unwrap_or(&full);
            let Some((part, interruption)) = &nap.interruption else {
                self.time.fire(left, nap.drift);
                continue;
            };
            self.time.pass(left * part, nap.drift);
            match interruption {
                Interruption::Woken if self.polls.is_none() => self.disturb(Event::Woken)?,
                Interruption::Woken => {
                    self.came_past("wait", &"woken");
                    let action = self.handle(Event::Woken, 0.5)?;
                    self.check_sleep(action)?;
                    self.check_wake(action)?;
                    return Ok(action);
                }
                Interruption::Joined(turn) if self.has_joined => {
                    self.came_past("wait", &"joined");
                    let polls = self.polls.as_mut().expect("a wait");
                    polls.count += u32::from(!polls.is_missing);
                    polls.has_joined = true;
                    return self.judge(turn);
                }
                Interruption::Joined(_) => {}
            }
        }
    }

    /// Hands in what a request brought.
    fn judge(&mut self, turn: &ScriptedPoll) -> Checked<Action> {
        let (got, header) = self.read(&turn.got);
        self.serial += 1.0;
        let number = |number: f64| Json::Number(number);
        let flag = |flag: bool| Json::from(json!(flag));
        let mut fields = match &got {
            Err((error, is_sent)) => vec![
                ("isSent", flag(*is_sent)),
                ("isLate", flag(*error == TransportError::Timeout)),
                ("isJson", flag(false)),
            ],
            Ok(answer) => vec![
                ("isSent", flag(true)),
                ("isLate", flag(false)),
                ("isJson", flag(answer.body.is_some())),
                ("status", number(answer.status.into())),
                ("body", answer.body.clone().unwrap_or_else(|| json!("<html>").into())),
                ("location", answer.location.clone()),
                ("seconds", number(header.seconds)),
                ("date", number(header.date_ms)),
                ("now", number(header.now_ms)),
            ],
        };
        fields.push(("value", number(self.serial)));
        let value = Json::object(fields);
        self.under_way = None;
        if let Ok(Answer { body: Some(body), .. }) = &got {
            self.urls.push(body.text_of(Name::PollUrl));
        }
        if self.polls.is_some() {
            self.judge_poll(value, &got, header, turn.random)
        } else {
            self.judge_create(value, &got, header, turn.random)
        }
    }

    fn judge_create(
        &mut self,
        value: Json,
        got: &AttemptResult,
        header: RetryAfter,
        random: f64,
    ) -> Checked<Action> {
        let action = self.handle(Event::Attempt(value), random)?;
        self.may_be_billed |= is_unknown(got);
        match (action, self.call.end()) {
            (Action::Sleep, _) => {
                prop_assert!(may_repeat(got, self.options.relay), "rule 1: repeated behind {:?}", got);
                let ms = self.call.until() - self.time.now();
                prop_assert!(
                    ms >= pause_ms(got, header, false) - ROUNDING,
                    "rule 6: {} ms behind {:?}",
                    ms,
                    got
                );
                self.slept += ms;
                prop_assert!(
                    self.slept <= CREATE_SLEEP_MS + ROUNDING,
                    "{} ms of sleep between attempts",
                    self.slept
                );
                self.came_past("create", &"Retry");
                self.hint = Some(self.hint(ms));
            }
            (Action::Announce, _) => {
                self.created_at = Some(self.time.now());
                self.hint = Some(self.hint(pause_ms(got, header, true)));
                self.came_past("create", &"Announce");
            }
            (Action::Finish, End::Done(generation)) => {
                let status = status_of(generation);
                prop_assert_eq!(status, Status::Completed);
                self.came_past("create", &status);
            }
            (Action::Finish, End::Failed(CallFailure { failure, .. })) => {
                let failure = failure.clone();
                let is_unknown = failure.outcome == Outcome::Unknown;
                prop_assert!(is_unknown || !self::is_unknown(got), "rule 1: {:?}", failure);
                self.check_outcome(&failure)?;
                let was_sent = !matches!(got, Err((_, false)));
                prop_assert!(was_sent || failure.outcome != Outcome::Rejected);
                prop_assert!(!was_sent || failure.outcome != Outcome::NotSent);
                self.came_past("create", &failure.kind);
            }
            _ => prop_assert!(false, "{:?} behind {:?}", action, got),
        }
        Ok(action)
    }

    /// What may be billed must not count as free, whatever came behind it.
    fn check_outcome(&self, failure: &Failure) -> Checked {
        if self.polls.is_some() {
            prop_assert!(
                matches!(failure.outcome, Outcome::Accepted | Outcome::Failed),
                "rule 2: {:?}",
                failure
            );
        } else if self.may_be_billed {
            prop_assert!(failure.outcome != Outcome::NotSent, "rule 1: {:?}", failure);
        }
        Ok(())
    }

    fn judge_poll(
        &mut self,
        value: Json,
        got: &AttemptResult,
        header: RetryAfter,
        random: f64,
    ) -> Checked<Action> {
        let action = self.handle(Event::Attempt(value), random)?;
        let now = self.time.now();
        self.hint = Some(self.hint(pause_ms(got, header, self.has_update)));
        let end = match (action, self.call.end()) {
            (Action::Finish, End::Failed(CallFailure { failure, .. })) => Some(failure.clone()),
            _ => None,
        };
        let gives_up =
            end.as_ref().is_some_and(|failure| matches!(failure.kind, Kind::WaitTimeout | Kind::PollBudget));
        let is_unanswered = !self.has_update && (action != Action::Finish || gives_up);
        let is_missing = is_unanswered && matches!(got, Ok(answer) if answer.status == 404);
        let polls = self.polls.as_mut().expect("a wait");
        if got.is_ok() {
            polls.answered_at = now;
        }
        polls.is_missing = is_missing;
        if self.has_update {
            polls.lost = None;
        }
        if is_missing {
            self.came_past("wait", &"Again");
        } else if is_unanswered {
            polls.lost = Some(self.serial);
            self.came_past("lost", &lost_kind(got));
        }
        if let Some(failure) = end {
            self.check_outcome(&failure)?;
            self.came_past("wait", &failure.kind);
        }
        self.check_sleep(action)?;
        Ok(action)
    }

    /// A wait sleeps to its deadline at the latest.
    fn check_sleep(&mut self, action: Action) -> Checked {
        if let (Action::Sleep, Some(polls)) = (action, &self.polls) {
            let (now, until, latest) = (self.time.now(), self.call.until(), polls.latest());
            prop_assert!(until > now && until <= latest + ROUNDING, "rule 4: to {} at {}", until, now);
            self.came_past("wait", &"Sleep");
        }
        Ok(())
    }

    /// Only the cadence and the server's hint hold up a poll behind a lost one once the runtime is back.
    fn check_wake(&mut self, action: Action) -> Checked {
        let is_lost = self.polls.as_ref().is_some_and(|polls| polls.lost == Some(self.serial));
        if let (Action::Sleep, true, Some(Hint { asked, at })) = (action, is_lost, &self.hint) {
            let latest = at[0] + asked.max(self.options.poll_min.0);
            prop_assert!(self.call.until() <= latest + ROUNDING, "woken, and asleep until {}", latest);
        }
        Ok(())
    }

    /// What comes of the request at hand.
    fn turn(&self) -> ScriptedPoll {
        let Scenario { sends, polls: turns, endless, .. } = self.scenario;
        let options = &self.options;
        let (turns, number, is_limited, otherwise) = match &self.polls {
            None => (
                sends,
                self.number,
                f64::from(options.max_retries) < MANY_SENDS,
                json!({"status": "pending", "task_id": "img_1"}),
            ),
            // Where every poll is answered at once, only the options limit their number.
            Some(polls) => (
                turns,
                polls.requests,
                options.max_wait.0 / options.poll_min.0 < MANY_SENDS
                    || options.max_polls > 0 && f64::from(options.max_polls) < MANY_SENDS,
                json!({"status": "completed", "data": [{"url": "x"}]}),
            ),
        };
        let last = turns.last().filter(|_| *endless && is_limited);
        turns.get(number as usize - 1).or(last).cloned().unwrap_or(ScriptedPoll {
            got: Exchange::Answer { status: 200, body: Some(otherwise), header: Header::Nothing },
            took: 0.0,
            drift: Drift::Steady,
            random: 0.5,
        })
    }

    /// What a request has brought, and its `Retry-After` once more.
    fn read(&self, got: &Exchange) -> (AttemptResult, RetryAfter) {
        match got {
            Exchange::Lost { error, sent } => (Err((*error, *sent)), Header::Nothing.read(0.0)),
            Exchange::Answer { status, body, header } => {
                let body = body.as_ref().map(redacted);
                let header = header.read(self.time.wall);
                let retry_after = header.pause();
                let location = vocabulary::location(*status);
                (Ok(Answer { status: *status, body, retry_after, location }), header)
            }
        }
    }

    /// Lets timers fire until a time has come.
    fn rest(&mut self, until: f64) -> Checked {
        loop {
            self.step()?;
            let left = until - self.time.now();
            if left <= 0.0 {
                return Ok(());
            }
            let drift = self.naps.next().map_or(Drift::Steady, |nap| nap.drift);
            self.time.fire(left, drift);
        }
    }

    fn step(&mut self) -> Checked {
        self.steps += 1;
        prop_assert!(self.steps < MANY_STEPS, "rule 4: a call without an end");
        Ok(())
    }

    fn hint(&mut self, asked: f64) -> Hint {
        Hint { asked, at: [self.time.now(), self.time.truth, self.time.forward] }
    }

    /// Neither by the call's own clock nor in truth may less time have passed than the server asked for; in truth,
    /// clocks that ran ahead are no fault of ours.
    fn check_hint(&mut self, hint: &Hint) -> Checked {
        let Hint { asked, at: [at, truth, forward] } = hint;
        let shown = self.time.now() - at;
        let passed = self.time.truth - truth + (self.time.forward - forward);
        prop_assert!(shown >= asked - ROUNDING, "rule 6: {} ms shown, {} ms asked for", shown, asked);
        prop_assert!(passed >= asked - ROUNDING, "rule 6: {} ms in truth, {} ms asked for", passed, asked);
        Ok(())
    }

    fn option(&self, name: &str) -> Json {
        let options = self.scenario.options.iter().rev();
        options
            .clone()
            .find(|(option, _)| *option == name)
            .map_or_else(Json::nothing, |(_, value)| value.clone())
    }

    /// The key goes to the base URL's origin. Below its prefix, too, unless the server has named an absolute URL.
    fn check_url(&self, called: &str) -> Checked {
        let base = self.option("baseUrl");
        let url = if base.is_nothing() { "https://api.lemondata.cc".into() } else { base.text() };
        let url = Url::parse(&url).expect("an accepted base URL");
        let parsed = Url::parse(called).expect("a URL");
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
        let below = parsed.path().strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
        if self.polls.is_none() {
            let is_edit = matches!(self.scenario.command, Command::Edit | Command::EditAndWait);
            prop_assert_eq!(below, Some(if is_edit { EDIT_PATH } else { CREATE_PATH }));
        }

        let is_elsewhere = |text: &String| text.split('/').next().is_some_and(|start| start.ends_with(':'));
        let is_named = self.urls.iter().any(is_elsewhere);
        prop_assert!(below.is_some() || is_named, "rule 3: {} is not below {}", called, url);
        Ok(())
    }

    fn came_past(&mut self, what: &str, which: &dyn std::fmt::Debug) {
        came_past(&mut self.trail, what, which);
    }
}

fn came_past(trail: &mut Trail, what: &str, which: &dyn std::fmt::Debug) {
    trail.insert(format!("{what} {which:?}").replace('"', ""));
}

fn status_of(generation: &Json) -> Status {
    let text = generation.text_of(Name::Status);
    *Status::ALL.iter().find(|status| status.text() == text).expect("a status of ours")
}

/// Checks how a call has ended, and adds that to its trail.
fn check_end(end: &End<Json>, polls: Option<&Polls>, trail: &mut Trail) -> Checked {
    match end {
        End::Aborted => {}
        End::Done(generation) => came_past(trail, "end", &status_of(generation)),
        End::Failed(end) => {
            check_failure(&end.failure)?;
            came_past(trail, "end", &end.failure.kind);
            came_past(trail, "end", &end.failure.outcome);
            prop_assert!(polls.is_none() || end.failure.task.is_some(), "rule 2: a task that is lost");
            let gives_up = matches!(end.failure.kind, Kind::WaitTimeout | Kind::PollBudget);
            let lost = polls.filter(|_| gives_up).and_then(|polls| polls.lost);
            prop_assert_eq!(end.cause.as_ref().map(|cause| cause.attempt.number_of(Name::Value)), lost);
            if let Some(cause) = &end.cause {
                check_failure(&cause.failure)?;
                prop_assert!(cause.failure.outcome == Outcome::Accepted && cause.cause.is_none());
                came_past(trail, "cause", &cause.failure.kind);
            }
        }
    }
    Ok(())
}

/// The kind of a poll that brought no answer.
fn lost_kind(got: &AttemptResult) -> Kind {
    match got {
        Err((TransportError::Connection, _)) => Kind::Connection,
        Err((TransportError::Timeout, _)) => Kind::RequestTimeout,
        Ok(answer) if answer.is_success() => Kind::Response,
        Ok(answer) if answer.status == 429 => Kind::RateLimit,
        Ok(_) => Kind::Server,
    }
}

/// No message may show a secret.
fn check_failure(failure: &Failure) -> Checked {
    prop_assert!(!failure.message.is_empty());
    prop_assert!(!failure.message.contains(KEY), "rule 3: the key in {}", failure.message);
    prop_assert!(!failure.message.contains(QUERY), "rule 3: a query in {}", failure.message);
    prop_assert!(failure.retry_after.0 >= 0.0 && failure.retry_after.0.is_finite());
    Ok(())
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
fn is_unknown(got: &AttemptResult) -> bool {
    match got {
        Err((_, sent)) => *sent,
        Ok(reply) => match reply.status {
            200..=299 => reply.body.is_none(),
            304 | 408 | 499.. => !did_nothing(reply),
            _ => false,
        },
    }
}

/// Whether a create may be sent again behind this: the rule once more, in other words.
fn may_repeat(got: &AttemptResult, is_relay: bool) -> bool {
    let (allowed, forbidden) = match got {
        Ok(reply) => (did_nothing(reply), retryable(reply) == Some(false)),
        Err((error, sent)) => (*error == TransportError::Connection && !sent, false),
    };
    !forbidden && (allowed || is_relay && is_unknown(got))
}

/// How long the server asks to wait, in milliseconds. An answer that says how a task stands does so in the header alone.
fn pause_ms(got: &AttemptResult, header: RetryAfter, is_understood: bool) -> f64 {
    let Ok(reply) = got else { return 0.0 };
    let by_header =
        if header.seconds.is_nan() { header.date_ms - header.now_ms } else { header.seconds * 1_000.0 };
    let by_body = match &reply.body {
        Some(body) if !is_understood => body.get(Name::Error).number_of(Name::RetryAfter) * 1_000.0,
        _ => 0.0,
    };
    [by_header, by_body].into_iter().filter(|ms| *ms > 0.0).fold(0.0, f64::max).min(1e15)
}
