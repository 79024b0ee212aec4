//! The call machine beside a naive reference: a function that reads like the rules, and blocks until each of its actions
//! is answered. Both meet the same events at the same times, and have to act, report and end alike.

use lemondata_wasm::core::{
    Action, Call, Command, End, Environment, Event, Kind, Ms, Name, Options, Origin, Outcome, Source, Status,
    Task, TransportError, Update, Value,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use crate::{
    help::{attempt, call, config, lost_attempt, task},
    json::Json,
    limits::{ANNOUNCE_MS, CREATE_SLEEP_MS, LONGEST_BACKOFF_MS, OVERSLEPT_MS, READING_MS, SILENT_MS},
    simulation::{self, Event as Reply, FOREIGN, NAMED, ScriptedPoll, TASK_URL},
    wait_model::{Decision, Model, Start},
};

const CASES: u32 = 10_000;
const ORIGIN: &str = "https://api.lemondata.cc";
const BASE_URL: &str = "https://api.lemondata.cc/api";
/// Calls end before this many events, unless something is wrong.
const MANY_EVENTS: usize = 5_000;

/// What the functions for key and headers come to.
#[derive(Clone, Copy, Debug)]
enum Credentials {
    Ready,
    NoKey,
    KeyFailed,
    HeadersFailed,
}

/// Something that happens to a call.
#[derive(Clone, Debug)]
enum Happening {
    Credentials(Credentials),
    /// An attempt ends with this, and the request of a lost one may have left the machine.
    Attempt(ScriptedPoll, bool),
    Following(Source),
    LeaderLeft,
    /// `onTask` settles, or fails.
    Announced(bool),
    Woken,
    Elapsed,
    Aborted,
}

impl Happening {
    fn random(&self) -> f64 {
        if let Happening::Attempt(turn, _) = self { turn.random } else { 0.5 }
    }

    fn event(&self) -> Event<Json> {
        match self {
            Happening::Credentials(credentials) => Event::Credentials(
                match credentials {
                    Credentials::Ready => json!({"key": "sk-test"}),
                    Credentials::NoKey => json!({"key": ""}),
                    Credentials::KeyFailed => json!({"keyFailed": true, "cause": {}}),
                    Credentials::HeadersFailed => json!({"key": "sk-test", "headersFailed": true}),
                }
                .into(),
            ),
            Happening::Attempt(turn, is_sent) => Event::Attempt(match (turn.reply(), &turn.event) {
                (Some(answer), _) => attempt(&answer),
                (None, Reply::Lost(error)) => lost_attempt(*error, *is_sent),
                (None, _) => unreachable!("only a lost attempt brings no answer"),
            }),
            Happening::Following(source) => Event::Following(*source),
            Happening::LeaderLeft => Event::LeaderLeft,
            Happening::Announced(is_ok) => {
                Event::Announced(if *is_ok { Json::nothing() } else { json!({"cause": {}}).into() })
            }
            Happening::Woken => Event::Woken,
            Happening::Elapsed => Event::Elapsed,
            Happening::Aborted => Event::Aborted,
        }
    }
}

/// The settings of a call, as a caller passes them.
#[derive(Clone, Debug)]
struct Settings {
    has_key_function: bool,
    relay: bool,
    idempotency_key: bool,
    max_retries: u32,
    request_timeout: f64,
    wait: Options,
}

impl Settings {
    fn options(&self) -> Vec<(&'static str, Json)> {
        let number = |number: f64| Json::Number(number);
        let mut options = vec![
            ("baseUrl", Json::Plain(BASE_URL.into())),
            ("relay", Json::Plain(self.relay.into())),
            ("maxRetries", number(self.max_retries.into())),
            ("requestTimeout", number(self.request_timeout)),
            ("pollInterval", json!({"min": self.wait.poll_min.0, "max": self.wait.poll_max.0}).into()),
            ("maxWait", number(self.wait.max_wait.0)),
        ];
        if self.checks_key() {
            options.push(("apiKey", Json::Function));
        }
        if self.idempotency_key {
            options.push(("idempotencyKey", Json::Plain("order-7".into())));
        }
        if self.wait.max_polls > 0 {
            options.push(("maxPolls", number(self.wait.max_polls.into())));
        }
        options
    }

    /// Whether the key comes from a function, which may have none at hand.
    fn checks_key(&self) -> bool {
        self.has_key_function && !self.relay
    }
}

/// All that is left to chance. What is used up goes well: credentials are ready, polls are the call's own, and the task
/// goes on until the wait gives up.
#[derive(Clone, Debug)]
struct Script {
    command: Command,
    has_poll_url: bool,
    /// How long ago `generate` returned the task.
    age: Option<f64>,
    settings: Settings,
    start: f64,
    credentials: Vec<Option<Credentials>>,
    /// What requests bring, and whether those without an answer have left the machine.
    turns: Vec<(ScriptedPoll, bool)>,
    /// Where shared polls are answered.
    sources: Vec<Source>,
    /// What comes before the end of a sleep, after a part of it.
    interruptions: Vec<Option<(f64, Happening)>>,
    /// How much longer sleeps last, since the runtime is suspended.
    delays: Vec<f64>,
    /// Whether `onTask` succeeds; none where it never settles.
    callback: Option<bool>,
    /// The number of the event in whose place the signal aborts.
    abort: Option<usize>,
}

fn turn() -> BoxedStrategy<(ScriptedPoll, bool)> {
    let refused =
        (simulation::turn(), select(vec![429_u16, 429, 503, 500]), select(vec![None, Some(true)])).prop_map(
            |(turn, status, retryable)| ScriptedPoll { event: Reply::Refused { status, retryable }, ..turn },
        );
    let completed = simulation::turn().prop_map(|turn| ScriptedPoll { event: Reply::Completed, ..turn });
    (prop_oneof![12 => simulation::turn(), 4 => refused, 1 => completed], any::<bool>()).boxed()
}

fn happening() -> BoxedStrategy<Happening> {
    prop_oneof![
        4 => turn().prop_map(|(turn, is_sent)| Happening::Attempt(turn, is_sent)),
        2 => Just(Happening::Woken),
        2 => Just(Happening::LeaderLeft),
        1 => any::<bool>().prop_map(Happening::Announced),
        1 => Just(Happening::Credentials(Credentials::Ready)),
        1 => select(vec![Source::Poll, Source::Stream]).prop_map(Happening::Following),
    ]
    .boxed()
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        (any::<bool>(), prop::bool::weighted(0.4), any::<bool>(), 0_u32..5),
        (500_u32..70_000).prop_map(f64::from),
        simulation::options(),
    )
        .prop_map(|((has_key_function, relay, idempotency_key, max_retries), request_timeout, wait)| {
            Settings { has_key_function, relay, idempotency_key, max_retries, request_timeout, wait }
        })
}

fn script() -> impl Strategy<Value = Script> {
    let failure = select(vec![Credentials::NoKey, Credentials::KeyFailed, Credentials::HeadersFailed]);
    let credentials = prop_oneof![
        20 => Just(Some(Credentials::Ready)),
        1 => failure.prop_map(Some),
        1 => Just(None),
    ];
    let sources = select(vec![Source::Own, Source::Own, Source::Poll, Source::Stream]);
    let part = prop_oneof![Just(0.0), 0.0..1.0];
    let delay = prop_oneof![3 => Just(0.0), 1 => simulation::suspension()];
    (
        (select(Command::ALL.to_vec()), any::<bool>(), option::of(0.0..20_000.0), settings()),
        any::<u32>().prop_map(f64::from),
        (vec(credentials, 0..12), vec(turn(), 0..12), vec(sources, 0..12)),
        (vec(option::weighted(0.5, (part, happening())), 0..16), vec(delay, 0..12)),
        (
            prop_oneof![8 => Just(Some(true)), 1 => Just(Some(false)), 1 => Just(None)],
            option::weighted(0.2, 0_usize..30),
        ),
    )
        .prop_map(
            |(
                (command, has_poll_url, age, settings),
                start,
                (credentials, turns, sources),
                (interruptions, delays),
                (callback, abort),
            )| Script {
                command,
                has_poll_url,
                age,
                settings,
                start,
                credentials,
                turns,
                sources,
                interruptions,
                delays,
                callback,
                abort,
            },
        )
}

/// What a driver sees of a call, from its first action to its end.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Authorize { until: f64 },
    Send { request: Sent, until: f64 },
    GiveUp,
    Announce { task: Task, until: f64 },
    Sleep { until: f64 },
    Update { status: Status, next_poll: Option<f64> },
    Finish(Ending),
}

#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools)] // independent of each other
struct Sent {
    url: String,
    is_create: bool,
    number: u32,
    uses_relay: bool,
    is_shared: bool,
    /// Whether a stream that answers it counts as dead.
    is_silent: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Ending {
    Done(Status),
    Failed { kind: Kind, outcome: Outcome, cause: Option<Kind> },
    Aborted,
}

fn failed(kind: Kind, outcome: Outcome) -> Ending {
    Ending::Failed { kind, outcome, cause: None }
}

/// The world of a call: it notes each step, and answers it as the script says.
struct World<'a> {
    script: &'a Script,
    now: f64,
    steps: Vec<Step>,
    events: usize,
    requests: usize,
    sources: std::slice::Iter<'a, Source>,
    credentials: std::slice::Iter<'a, Option<Credentials>>,
    interruptions: std::slice::Iter<'a, Option<(f64, Happening)>>,
    delays: std::slice::Iter<'a, f64>,
}

impl World<'_> {
    fn new(script: &Script) -> World<'_> {
        World {
            script,
            now: script.start,
            steps: Vec::new(),
            events: 0,
            requests: 0,
            sources: script.sources.iter(),
            credentials: script.credentials.iter(),
            interruptions: script.interruptions.iter(),
            delays: script.delays.iter(),
        }
    }

    /// Takes a step. Returns what happens then.
    fn take(&mut self, step: Step) -> Happening {
        self.steps.push(step);
        self.next()
    }

    /// What happens next to a call that has taken its last step, and goes on waiting.
    fn next(&mut self) -> Happening {
        self.events += 1;
        assert!(self.events < MANY_EVENTS, "rule 4: a call without an end");
        if self.script.abort == Some(self.events) {
            return Happening::Aborted;
        }
        let (last, before) = self.steps.split_last().expect("a step");
        let (until, settled) = match last.clone() {
            Step::GiveUp => {
                let event = Reply::Lost(TransportError::Timeout);
                let is_sent = matches!(before.last(), Some(Step::Send { .. }));
                return Happening::Attempt(ScriptedPoll { event, ..simulation::still_running() }, is_sent);
            }
            Step::Send { request: Sent { is_shared: true, .. }, until } => match self.sources.next() {
                None | Some(Source::Own) => return self.answer(until),
                Some(source) => return Happening::Following(*source),
            },
            Step::Send { until, .. } => return self.answer(until),
            Step::Authorize { until } => {
                let credentials = self.credentials.next().copied();
                (until, credentials.unwrap_or(Some(Credentials::Ready)).map(Happening::Credentials))
            }
            Step::Announce { until, .. } => (until, self.script.callback.map(Happening::Announced)),
            Step::Sleep { until } => (until, None),
            Step::Update { .. } | Step::Finish(_) => unreachable!("nothing answers it"),
        };
        if let Some((part, happening)) = self.interruptions.next().cloned().flatten() {
            self.now += (until - self.now).max(0.0) * part;
            return happening;
        }
        settled.unwrap_or_else(|| self.elapse(until))
    }

    fn answer(&mut self, until: f64) -> Happening {
        let (turn, is_sent) = match self.script.turns.get(self.requests) {
            Some((turn, is_sent)) => (turn.clone(), *is_sent),
            None => (simulation::still_running(), true),
        };
        self.requests += 1;
        if turn.event == Reply::Lost(TransportError::Timeout) || turn.took >= until - self.now {
            return self.elapse(until);
        }
        self.now += turn.took + turn.suspended;
        Happening::Attempt(turn, is_sent)
    }

    fn elapse(&mut self, until: f64) -> Happening {
        self.now = self.now.max(until) + self.delays.next().unwrap_or(&0.0);
        Happening::Elapsed
    }
}

/// What the machine does.
fn machine(script: &Script) -> Vec<Step> {
    let mut world = World::new(script);
    let mut value = call(input(script), &script.settings.options());
    if let (Json::Object(fields), Some(age)) = (&mut value, script.age) {
        fields.push(("age".into(), Json::Number(age)));
    }
    let environment = Environment { browser: false };
    let (mut call, mut action) =
        Call::start(script.command, &value, environment, world.now, 0.5).expect("a call that can begin");
    loop {
        let until = call.until();
        let happening = match action {
            Action::Wait => world.next(),
            Action::Authorize => world.take(Step::Authorize { until }),
            Action::Send => {
                let request = call.request();
                assert_eq!(request.path, request.url[ORIGIN.len()..].split('?').next().expect("a path"));
                let sent = Sent {
                    url: request.url.clone(),
                    is_create: request.is_create,
                    number: request.number,
                    uses_relay: request.uses_relay,
                    is_shared: request.is_shared,
                    is_silent: request.is_shared && call.is_silent(world.now),
                };
                world.take(Step::Send { request: sent, until })
            }
            Action::GiveUp => world.take(Step::GiveUp),
            Action::Announce => {
                world.take(Step::Announce { task: call.task().expect("a task").clone(), until })
            }
            Action::Sleep => world.take(Step::Sleep { until }),
            Action::Finish => {
                let ending = match call.end() {
                    End::Done(generation) => Ending::Done(status_of(generation)),
                    End::Failed(end) => Ending::Failed {
                        kind: end.failure.kind,
                        outcome: end.failure.outcome,
                        cause: end.cause.as_ref().map(|cause| cause.failure.kind),
                    },
                    End::Aborted => Ending::Aborted,
                };
                world.steps.push(Step::Finish(ending));
                return world.steps;
            }
        };
        action = call.handle(happening.event(), world.now, happening.random());
        if let Some(Update { generation, next_poll }) = call.take_update() {
            world.steps.push(Step::Update { status: status_of(&generation), next_poll });
        }
    }
}

fn status_of(generation: &Json) -> Status {
    let text = generation.text_of(Name::Status);
    *Status::ALL.iter().find(|status| status.text() == text).expect("a status of ours")
}

fn input(script: &Script) -> Json {
    match script.command {
        Command::Generate | Command::GenerateAndWait => json!({"prompt": "a lemon"}),
        Command::Edit | Command::EditAndWait => {
            json!({"prompt": "a lemon", "image_url": "https://x.example/1"})
        }
        Command::GetTask | Command::WaitForTask => {
            json!({"id": "img_x", "poll_url": if script.has_poll_url { TASK_URL } else { "" }})
        }
    }
    .into()
}

/// A call, step by step: an `Err` is its end.
struct Reference<'a> {
    world: World<'a>,
    script: &'a Script,
    /// When the last answer to a poll came.
    answered_at: f64,
}

type Blocking<T> = Result<T, Ending>;

/// What the rules say that a call does.
fn reference(script: &Script) -> Vec<Step> {
    let mut call = Reference { world: World::new(script), script, answered_at: script.start };
    let ending = call.run().unwrap_or_else(|ending| ending);
    call.world.steps.push(Step::Finish(ending));
    call.world.steps
}

impl Reference<'_> {
    fn run(&mut self) -> Blocking<Ending> {
        if matches!(self.script.command, Command::GetTask | Command::WaitForTask) {
            let task = task("img_x", if self.script.has_poll_url { TASK_URL } else { "" });
            let at = |age| Origin::Generated(self.script.start - age);
            return self.wait(&task, self.script.age.map_or(Origin::Elsewhere, at), self.script.start);
        }
        let (task, status, pause) = self.create()?;
        let answered_at = self.world.now;
        self.announce(&task)?;
        if matches!(self.script.command, Command::Generate | Command::Edit) {
            return Ok(Ending::Done(status));
        }
        self.wait(&task, Origin::Created(pause), answered_at)
    }

    /// Takes a step, and waits for an event that answers it.
    fn take(&mut self, step: Step, answers: impl Fn(&Happening) -> bool) -> Blocking<Happening> {
        let mut happening = self.world.take(step);
        loop {
            match happening {
                Happening::Aborted => return Err(Ending::Aborted),
                happening if answers(&happening) => return Ok(happening),
                _ => happening = self.world.next(),
            }
        }
    }

    /// A create is repeated where it has done nothing, or where a relay carries it out once.
    fn create(&mut self) -> Blocking<(Task, Status, Ms)> {
        let Settings { relay, idempotency_key, max_retries, request_timeout, .. } = self.script.settings;
        let is_edit = matches!(self.script.command, Command::Edit | Command::EditAndWait);
        let route = if is_edit { "edits" } else { "generations" };
        let (mut number, mut slept, mut may_be_billed) = (0, 0.0, false);
        loop {
            number += 1;
            let request = Sent {
                url: format!("{BASE_URL}/v1/images/{route}"),
                is_create: true,
                number,
                uses_relay: relay && !idempotency_key,
                is_shared: false,
                is_silent: false,
            };
            let free = if may_be_billed { Outcome::Unknown } else { Outcome::NotSent };
            let until = self.world.now + request_timeout;
            let (turn, is_sent) = self.exchange(&request, until, free)?;
            let lost = if is_sent { Outcome::Unknown } else { Outcome::NotSent };
            let (outcome, may_repeat) = match turn.event {
                Reply::Running { status, poll_url } => {
                    return Ok((task("x", poll_url), status_of_word(status), Ms(turn.pause_ms())));
                }
                Reply::Completed => return Err(Ending::Done(Status::Completed)),
                Reply::Failed { .. } => (Outcome::Failed, false),
                Reply::Broken => (Outcome::Unknown, relay),
                Reply::Unclear => (Outcome::Unknown, false),
                Reply::Missing { .. } => (Outcome::Rejected, false),
                Reply::Refused { status, retryable } => {
                    let (outcome, may_repeat) = match status {
                        429 => (Outcome::Rejected, true),
                        503 if retryable == Some(true) => (Outcome::Rejected, true),
                        304 | 408 | 499.. => (Outcome::Unknown, relay),
                        _ => (Outcome::Rejected, false),
                    };
                    (outcome, may_repeat && retryable != Some(false))
                }
                Reply::Lost(_) if is_sent => (lost, relay),
                Reply::Lost(error) => (lost, error == TransportError::Connection),
            };
            let gap = match turn.pause_ms() {
                0.0 => backoff_ms(number - 1) * turn.random,
                asked => asked,
            };
            if !may_repeat || number > max_retries || slept + gap > CREATE_SLEEP_MS {
                let is_free = matches!(outcome, Outcome::NotSent | Outcome::Rejected);
                let outcome = if may_be_billed && is_free { Outcome::Unknown } else { outcome };
                return Err(failed(kind_of(&turn.event), outcome));
            }
            slept += gap;
            may_be_billed |= outcome == Outcome::Unknown;
            let until = self.world.now + gap;
            self.take(Step::Sleep { until }, |happening| matches!(happening, Happening::Elapsed))?;
        }
    }

    /// The caller stores the task before anything else happens to it.
    fn announce(&mut self, task: &Task) -> Blocking<()> {
        let until = self.world.now + self.script.settings.wait.max_wait.0.max(ANNOUNCE_MS);
        let step = Step::Announce { task: task.clone(), until };
        let answers =
            |happening: &Happening| matches!(happening, Happening::Announced(_) | Happening::Elapsed);
        match self.take(step, answers)? {
            Happening::Announced(true) => Ok(()),
            _ => Err(failed(Kind::Callback, Outcome::Accepted)),
        }
    }

    /// A wait polls until its task has ended, or until it has to give up.
    fn wait(&mut self, task: &Task, origin: Origin, at: f64) -> Blocking<Ending> {
        let Settings { relay, request_timeout, ref wait, .. } = self.script.settings;
        let paths: &[&str] = match (&*task.poll_url, &*task.id) {
            (FOREIGN, _) => return Err(failed(Kind::UntrustedUrl, Outcome::Accepted)),
            (TASK_URL, _) => &["tasks/first"],
            (url, _) if url == NAMED[0] => &["tasks/named?by=server"],
            (url, _) if url == NAMED[1] => &["tasks/other"],
            (_, "img_x") => &["images/generations/img_x", "tasks/img_x"],
            _ => &["tasks/x", "images/generations/x"],
        };
        let is_single = self.script.command == Command::GetTask;
        let options = Options { poll_timeout: Ms(request_timeout), ..wait.clone() };
        let mut model = Model::new(paths, Start { origin, is_single, options, at });
        let (mut number, mut cause) = (0, None);
        self.answered_at = at;
        loop {
            let turn = match model.next(self.world.now) {
                Decision::GiveUp(kind) => {
                    return Err(Ending::Failed { kind, outcome: Outcome::Accepted, cause });
                }
                Decision::Poll(path, until) => {
                    number += 1;
                    let request = Sent {
                        url: format!("{ORIGIN}{path}"),
                        is_create: false,
                        number,
                        uses_relay: relay && !is_single,
                        is_shared: !is_single,
                        is_silent: false,
                    };
                    self.exchange(&request, until, Outcome::Accepted)?.0
                }
                Decision::Sleep(until) => {
                    let answers = |happening: &Happening| {
                        matches!(happening, Happening::Attempt(..) | Happening::Woken | Happening::Elapsed)
                    };
                    match self.take(Step::Sleep { until }, answers)? {
                        Happening::Attempt(turn, _) => {
                            model.join();
                            turn
                        }
                        Happening::Woken => {
                            model.wake(self.world.now);
                            continue;
                        }
                        _ => continue,
                    }
                }
                decision => unreachable!("{decision:?}"),
            };
            if !matches!(turn.event, Reply::Lost(_)) {
                self.answered_at = self.world.now;
            }
            let decision = model.judge(&turn, self.world.now);
            if matches!(decision, Decision::Running) {
                cause = None;
            }
            let (status, next_poll) = match (decision, &turn.event) {
                (Decision::Running, Reply::Running { status, .. }) => (status_of_word(status), model.due()),
                (Decision::Completed, _) => (Status::Completed, None),
                (Decision::Fail, Reply::Failed { .. }) => (Status::Failed, None),
                (Decision::Fail, event) => return Err(failed(kind_of(event), Outcome::Accepted)),
                (Decision::Lost, event) => {
                    cause = Some(kind_of(event));
                    continue;
                }
                _ => continue,
            };
            if !is_single {
                self.world.steps.push(Step::Update { status, next_poll });
            }
            match status {
                Status::Failed => return Err(failed(kind_of(&turn.event), Outcome::Failed)),
                Status::Completed => return Ok(Ending::Done(status)),
                _ if is_single => return Ok(Ending::Done(status)),
                _ => {}
            }
        }
    }

    /// Gets credentials and sends a request, or lets another call's answer serve, until its time is over.
    fn exchange(
        &mut self,
        request: &Sent,
        mut until: f64,
        unsent: Outcome,
    ) -> Blocking<(ScriptedPoll, bool)> {
        loop {
            let answers =
                |happening: &Happening| matches!(happening, Happening::Credentials(_) | Happening::Elapsed);
            match self.take(Step::Authorize { until }, answers)? {
                Happening::Credentials(Credentials::KeyFailed) => {
                    return Err(failed(Kind::Authentication, unsent));
                }
                Happening::Credentials(Credentials::NoKey) if self.script.settings.checks_key() => {
                    return Err(failed(Kind::InvalidRequest, unsent));
                }
                Happening::Credentials(Credentials::HeadersFailed) => {
                    return Err(failed(Kind::InvalidRequest, unsent));
                }
                Happening::Credentials(_) => {}
                _ => return self.give_up(),
            }
            let silent_at = self.answered_at + SILENT_MS;
            let is_silent = request.is_shared && self.world.now >= silent_at;
            let mut step = Step::Send { request: Sent { is_silent, ..request.clone() }, until };
            let source = loop {
                let answers = |happening: &Happening| {
                    matches!(happening, Happening::Attempt(..) | Happening::Following(_) | Happening::Elapsed)
                };
                match self.take(step, answers)? {
                    Happening::Attempt(turn, is_sent) => return Ok((turn, is_sent)),
                    Happening::Following(source) => break source,
                    // The runtime was suspended: what has arrived meanwhile is read first.
                    Happening::Elapsed if self.world.now > until + OVERSLEPT_MS => {
                        until = self.world.now + READING_MS;
                        step = Step::Sleep { until };
                    }
                    _ => return self.give_up(),
                }
            };
            let is_stream = source == Source::Stream;
            // A create has no stream, whatever a driver says.
            let until_silent = if is_stream && !request.is_create { until.min(silent_at) } else { until };
            let answers = |happening: &Happening| match happening {
                Happening::Woken => is_stream,
                happening => {
                    matches!(happening, Happening::Attempt(..) | Happening::LeaderLeft | Happening::Elapsed)
                }
            };
            match self.take(Step::Sleep { until: until_silent }, answers)? {
                Happening::Attempt(turn, is_sent) => return Ok((turn, is_sent)),
                Happening::Elapsed if self.world.now >= until => return self.give_up(),
                // The other call has gone, or its stream may be dead: this one polls.
                _ => {}
            }
        }
    }

    fn give_up(&mut self) -> Blocking<(ScriptedPoll, bool)> {
        match self.take(Step::GiveUp, |_| true)? {
            Happening::Attempt(turn, is_sent) => Ok((turn, is_sent)),
            happening => unreachable!("{happening:?}"),
        }
    }
}

fn backoff_ms(failures: u32) -> f64 {
    (1_000.0 * f64::from(1_u32 << failures)).min(LONGEST_BACKOFF_MS)
}

fn status_of_word(word: &str) -> Status {
    if matches!(word, "pending" | "queued") { Status::Pending } else { Status::Processing }
}

/// The kind of an error that this leads to.
fn kind_of(reply: &Reply) -> Kind {
    match *reply {
        Reply::Failed { cancelled: true } => Kind::TaskCancelled,
        Reply::Failed { cancelled: false } => Kind::TaskFailed,
        Reply::Missing { coded: true } => Kind::TaskNotFound,
        Reply::Missing { coded: false } => Kind::NotFound,
        Reply::Lost(TransportError::Connection) => Kind::Connection,
        Reply::Lost(TransportError::Timeout) => Kind::RequestTimeout,
        Reply::Refused { status, .. } => match status {
            304 | 408 | 500.. => Kind::Server,
            0 | 300..=399 => Kind::Response,
            401 => Kind::Authentication,
            402 => Kind::PaymentRequired,
            403 => Kind::PermissionDenied,
            429 => Kind::RateLimit,
            _ => Kind::InvalidRequest,
        },
        Reply::Running { .. } | Reply::Completed | Reply::Broken | Reply::Unclear => Kind::Response,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..config() })]

    #[test]
    fn a_call_does_what_its_reference_does(script in script()) {
        let (steps, expected) = (machine(&script), reference(&script));
        let agreed = steps.iter().zip(&expected).take_while(|(step, expected)| step == expected).count();
        prop_assert_eq!(steps.get(agreed), expected.get(agreed), "behind {:#?}", &expected[..agreed]);
    }
}
