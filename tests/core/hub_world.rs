//! A small world that drives a hub's job: alarms, crashes at every point, and whatever answer can come.

use lemondata_wasm::core::{
    Answer, Failure, HubAction, HubOptions, Job, JobUpdate, Options, Phase, RequestKind, TransportError,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value as Plain, json};

use crate::{
    help::{asking, bodiless, reply},
    json::Json,
    simulation::{self, Event, Turn, options, suspension},
};

/// Beyond this many steps a job counts as endless.
const MANY_STEPS: usize = 20_000;

/// What a create brings.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// An HTTP error or a redirect.
    Refused { status: u16, retryable: Option<bool>, retry_after: Option<f64> },
    /// A task, with a `poll_url` that may lead elsewhere.
    Task { poll_url: &'static str },
    /// The picture itself.
    Inline,
    /// A task that has failed.
    FailedTask,
    /// A completed task without its picture.
    Empty,
    /// A success whose body broke off.
    Broken,
    /// A success that means nothing.
    Unclear,
    /// No answer.
    Lost { loss: TransportError, sent: bool },
}

impl Sent {
    fn reply(&self) -> Option<Answer<Json>> {
        Some(match self {
            Sent::Refused { status, retryable, retry_after } => {
                let answer = reply(*status, json!({"error": {"retryable": retryable}}));
                asking(answer, retry_after.unwrap_or(f64::NAN))
            }
            Sent::Task { poll_url } => {
                reply(200, json!({"id": "img_x", "status": "pending", "poll_url": poll_url}))
            }
            Sent::Inline => reply(200, json!({"data": [{"b64_json": "aGk="}]})),
            Sent::FailedTask => reply(200, json!({"id": "img_x", "status": "failed"})),
            Sent::Empty => reply(200, json!({"id": "img_x", "status": "completed", "data": []})),
            Sent::Broken => bodiless(200),
            Sent::Unclear => reply(200, Plain::Null),
            Sent::Lost { .. } => return None,
        })
    }

    /// Whether it was certainly not carried out, and asking again may help.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Sent::Refused { status: 429, retryable, .. } => *retryable != Some(false),
            Sent::Refused { status: 503, retryable, .. } => *retryable == Some(true),
            Sent::Lost { loss: TransportError::Connection, sent } => !sent,
            _ => false,
        }
    }

    /// Whether it may have been carried out, for all that anybody knows.
    pub fn may_be_billed(&self) -> bool {
        match self {
            Sent::Refused { status: 503, retryable, .. } => *retryable != Some(true),
            Sent::Refused { status, .. } => matches!(status, 408 | 500..),
            Sent::Lost { sent, .. } => *sent,
            _ => true,
        }
    }

    /// Whether the answer names a task.
    pub fn names_task(&self) -> bool {
        matches!(self, Sent::Task { .. } | Sent::FailedTask | Sent::Empty)
    }
}

/// What comes between the lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    None,
    /// The process ends behind the store and before the act, and another starts so much later.
    Before(f64),
    /// The process ends behind the act and before what came of it is stored.
    After(f64),
    /// An alarm comes so much later than it was set to.
    Late(f64),
    /// An alarm comes when it has nothing to do, after this part of a sleep.
    Early(f64),
}

/// All that is left to chance. Where the lists are used up, a create is refused, the task goes on running, turns
/// are given at once, pictures are copied and nothing fails.
#[derive(Clone, Debug)]
pub struct Plan {
    pub options: Options,
    pub terms: HubOptions,
    pub start: f64,
    pub sends: Vec<Sent>,
    pub polls: Vec<Turn>,
    /// What the limiter says, in milliseconds.
    pub turns: Vec<f64>,
    pub keeps: Vec<bool>,
    pub faults: Vec<Fault>,
    /// What happens at every step once the faults are used up.
    pub then: Fault,
    /// How long after each time that the task is left somebody asks for it.
    pub resumes: Vec<f64>,
    pub random: f64,
}

/// A poll that was sent.
#[derive(Clone, Debug)]
pub struct Poll {
    pub at: f64,
    pub path: String,
    /// When the wait ends, from which on the last poll comes.
    pub deadline: f64,
    /// When the answer was seen, and what it was; none where the process ended before.
    pub seen: Option<(f64, Turn)>,
}

/// A job from its beginning until it is forgotten.
#[derive(Debug)]
pub struct Run {
    /// When each create was sent, and what it brought where that was seen.
    pub sends: Vec<(f64, Option<Sent>)>,
    pub polls: Vec<Poll>,
    /// When the pictures were tried to be copied.
    pub keeps: Vec<f64>,
    /// How each stretch ended: when, in which phase, and why.
    pub ends: Vec<(f64, Phase, Option<Box<Failure>>)>,
    pub forgotten: f64,
    /// The last job before it was forgotten.
    pub job: Job,
}

/// A job as it comes out of a store. Through a value and not through text, whose parser may miss the last bit of
/// a number.
pub fn carry(job: &Job) -> Job {
    let stored = serde_json::to_value(job).unwrap();
    let restored: Job = serde_json::from_value(stored).expect("a stored job");
    assert_eq!(&restored, job);
    restored
}

/// A time that is within a stored job.
pub fn time_of(job: &Job, names: &[&str]) -> f64 {
    let stored = serde_json::to_value(job).unwrap();
    names.iter().fold(&stored, |value, name| &value[name]).as_f64().expect("a time")
}

/// Runs a job until it is forgotten.
#[allow(clippy::too_many_lines)] // one arm for each act
pub fn simulate(plan: &Plan) -> Run {
    let Plan { options, terms, random, .. } = plan;
    let (terms, random) = (*terms, *random);
    let (mut sends, mut polls) = (plan.sends.iter().cloned(), plan.polls.iter().cloned());
    let (mut turns, mut keeps) = (plan.turns.iter().copied(), plan.keeps.iter().copied());
    let (mut faults, mut resumes) = (plan.faults.iter().copied(), plan.resumes.iter().copied());
    let mut now = plan.start;
    let mut stored = Job::new(options, now);
    let mut run = Run {
        sends: Vec::new(),
        polls: Vec::new(),
        keeps: Vec::new(),
        ends: Vec::new(),
        forgotten: 0.0,
        job: stored.clone(),
    };
    let (mut has_ended, mut why) = (false, None);
    for _ in 0..MANY_STEPS {
        if stored.phase.is_end() && !has_ended {
            has_ended = true;
            run.ends.push((time_of(&stored, &["due"]) - terms.retention, stored.phase, why.take()));
            if let Some(after) = resumes.next().filter(|after| now + after < time_of(&stored, &["due"])) {
                now += after;
                let unchanged = stored.clone();
                has_ended = !stored.resume::<Json>(options, now, random);
                let reason_stands = time_of(&unchanged, &["ended"]) + 2.0 * options.poll_max;
                let is_told = now < reason_stands.max(time_of(&unchanged, &["not_before"]));
                assert_eq!(has_ended, is_told || unchanged.phase != Phase::Left);
                assert!(if has_ended { stored == unchanged } else { stored.phase == Phase::Waiting });
            }
        }
        let mut job = carry(&stored);
        let act = job.next(options, terms, now);
        if act == HubAction::Forget {
            run.forgotten = now;
            run.job = stored;
            return run;
        }
        stored = job.clone();
        let fault = match (faults.next().unwrap_or(plan.then), &act) {
            // Nobody notices the end of a process that sleeps.
            (Fault::Before(_) | Fault::After(_), HubAction::Sleep(_) | HubAction::Fail(_)) => Fault::None,
            (fault, _) => fault,
        };
        if let Fault::Before(down) = fault {
            now += down;
            continue;
        }
        match act {
            HubAction::Forget => unreachable!("done above"),
            HubAction::Fail(failure) => why = Some(failure),
            HubAction::Sleep(until) => {
                assert!(until > now && until.is_finite() && until.fract() == 0.0, "until {until} at {now}");
                now = match fault {
                    Fault::Late(ms) => until + ms,
                    Fault::Early(part) => now + (until - now) * part,
                    _ => until,
                };
            }
            HubAction::Ask(need) => {
                let is_create = job.phase == Phase::Queued;
                assert_eq!(need, if is_create { RequestKind::Create } else { RequestKind::Poll });
                job.turn(turns.next().unwrap_or(0.0), now);
            }
            HubAction::Send(path, timeout) => {
                assert_eq!((path.as_str(), job.phase), ("/api/v1/images/generations", Phase::Sending));
                let refused = Sent::Refused { status: 400, retryable: None, retry_after: None };
                let sent = sends.next().unwrap_or(refused);
                run.sends.push((now, None));
                now += if matches!(sent, Sent::Lost { loss: TransportError::Timeout, .. }) {
                    timeout
                } else {
                    700.0
                };
                let answer = sent.reply();
                let result = match (&answer, &sent) {
                    (Some(reply), _) => Ok(reply),
                    (None, Sent::Lost { loss, sent }) => Err((*loss, *sent)),
                    _ => unreachable!("only a loss brings no answer"),
                };
                if let JobUpdate::Fail(failure) = job.sent(options, terms, result, now, random) {
                    why = Some(failure);
                }
                if let Some(last) = run.sends.last_mut().filter(|_| !matches!(fault, Fault::After(_))) {
                    last.1 = Some(sent);
                }
            }
            HubAction::Poll(path, timeout) => {
                let deadline = time_of(&job, &["wait", "deadline"]);
                run.polls.push(Poll { at: now, path, deadline, seen: None });
                let turn = polls.next().unwrap_or_else(simulation::still_running);
                let lasts =
                    if turn.event == Event::Lost(TransportError::Timeout) { timeout } else { turn.took };
                now += lasts.min(timeout) + turn.suspended;
                let answer = turn.reply();
                let result = match (&answer, &turn.event) {
                    (Some(reply), _) => Ok(reply),
                    (None, Event::Lost(loss)) => Err((*loss, true)),
                    _ => unreachable!("only a loss brings no answer"),
                };
                if let JobUpdate::Fail(failure) = job.polled(options, terms, result, now, random) {
                    why = Some(failure);
                }
                if let Some(last) = run.polls.last_mut().filter(|_| !matches!(fault, Fault::After(_))) {
                    last.seen = Some((now, turn));
                }
            }
            HubAction::Keep => {
                run.keeps.push(now);
                now += 300.0;
                job.kept(keeps.next().unwrap_or(true), terms, now, random);
            }
        }
        if let Fault::After(down) = fault {
            now += down;
            why = None;
        } else {
            stored = job;
        }
    }
    panic!("rule 4: a job without an end: {plan:?}");
}

fn sent() -> impl Strategy<Value = Sent> {
    let status =
        select(vec![429_u16, 429, 503, 503, 400, 401, 402, 403, 404, 408, 413, 422, 500, 502, 504, 524, 302]);
    let retryable = prop_oneof![2 => Just(None), 4 => Just(Some(true)), 1 => Just(Some(false))];
    let retry_after = option::of(prop_oneof![(0_u32..30).prop_map(f64::from), Just(1e9)]);
    let poll_url = select(vec!["", "", simulation::GIVEN, simulation::FOREIGN]);
    let loss = select(vec![TransportError::Connection, TransportError::Timeout]);
    prop_oneof![
        8 => (status, retryable, retry_after)
            .prop_map(|(status, retryable, retry_after)| Sent::Refused { status, retryable, retry_after }),
        12 => poll_url.prop_map(|poll_url| Sent::Task { poll_url }),
        3 => Just(Sent::Inline),
        1 => Just(Sent::FailedTask),
        1 => Just(Sent::Empty),
        1 => Just(Sent::Broken),
        1 => Just(Sent::Unclear),
        2 => (loss, any::<bool>()).prop_map(|(loss, sent)| Sent::Lost { loss, sent }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        12 => Just(Fault::None),
        1 => suspension().prop_map(Fault::Before),
        1 => suspension().prop_map(Fault::After),
        2 => suspension().prop_map(Fault::Late),
        2 => (0.0..1.0).prop_map(Fault::Early),
    ]
}

/// Any job, under any terms.
pub fn plan() -> impl Strategy<Value = Plan> {
    let wait = prop_oneof![4 => Just(0_u32), 3 => 1_u32..2_000, 1 => 2_000_u32..400_000].prop_map(f64::from);
    // A whole number of milliseconds, as a wall clock has them.
    let start = prop_oneof![Just(0_u32), any::<u32>()].prop_map(|seconds| f64::from(seconds) * 1_000.0);
    let terms = (any::<bool>(), any::<bool>(), 1_000_u32..100_000_000)
        .prop_map(|(limited, keeps, retention)| HubOptions { limited, keeps, retention: retention.into() });
    let then = prop_oneof![
        8 => Just(Fault::None),
        1 => (1_000_u32..5_000).prop_map(|ms| Fault::Before(ms.into())),
        1 => (1_000_u32..5_000).prop_map(|ms| Fault::After(ms.into())),
    ];
    let world =
        (vec(sent(), 0..5), vec(simulation::turn(), 0..30), vec(wait, 0..30), vec(any::<bool>(), 0..8));
    let resumes = vec((0_u32..40_000).prop_map(f64::from), 0..4);
    (options(), 0_u32..5, terms, start, world, vec(fault(), 0..60), then, resumes, 0.0..1.0).prop_map(
        |(
            options,
            max_retries,
            terms,
            start,
            (sends, polls, turns, keeps),
            faults,
            then,
            resumes,
            random,
        )| Plan {
            options: Options { max_retries, ..options },
            terms,
            start,
            sends,
            polls,
            turns,
            keeps,
            faults,
            then,
            resumes,
            random,
        },
    )
}
