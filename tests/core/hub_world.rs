//! A small world that drives a hub's job: alarms, crashes at every point, and every answer.

use lemondata_wasm::core::{
    Answer, Failure, HubAction, HubOptions, Job, JobRequest, JobUpdate, Ms, Options, Phase, RequestKind,
    TransportError,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value as Plain, json};

use crate::{
    help::{asking, bodiless, reply},
    json::Json,
    simulation::{self, Event, ScriptedPoll, options, suspension},
};

/// Beyond this many steps a job counts as endless.
const MANY_STEPS: usize = 20_000;

/// The result of a create.
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
    Lost { error: TransportError, sent: bool },
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

    /// Whether it was certainly not carried out, and a repeat may help.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Sent::Refused { status: 429, retryable, .. } => *retryable != Some(false),
            Sent::Refused { status: 503, retryable, .. } => *retryable == Some(true),
            Sent::Lost { error: TransportError::Connection, sent } => !sent,
            _ => false,
        }
    }

    /// Whether it may have been carried out, as far as a client can know.
    pub fn may_be_billed(&self) -> bool {
        match self {
            Sent::Refused { status: 503, retryable, .. } => *retryable != Some(true),
            Sent::Refused { status, .. } => matches!(status, 304 | 408 | 499..),
            Sent::Lost { sent, .. } => *sent,
            _ => true,
        }
    }

    /// Whether the answer names a task.
    pub fn names_task(&self) -> bool {
        matches!(self, Sent::Task { .. } | Sent::FailedTask | Sent::Empty)
    }
}

/// A fault between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    None,
    /// The process ends after it has stored the job and before it acts; the next one starts this much later.
    Before(f64),
    /// The process ends after it has acted and before it stores the result.
    After(f64),
    /// An alarm comes this much later than it was set to.
    Late(f64),
    /// An alarm comes too early, after this part of a sleep.
    Early(f64),
}

/// Everything that is left to chance. Where the lists are used up, a create is refused, the task goes on running,
/// requests are admitted at once, pictures are copied and nothing fails.
#[derive(Clone, Debug)]
pub struct Plan {
    pub options: Options,
    pub request: JobRequest,
    pub hub: HubOptions,
    pub start: f64,
    pub sends: Vec<Sent>,
    pub polls: Vec<ScriptedPoll>,
    /// The waits that the limiter asks for, in milliseconds.
    pub admissions: Vec<f64>,
    pub copies: Vec<bool>,
    pub faults: Vec<Fault>,
    /// The fault of every step once the faults are used up.
    pub then: Fault,
    /// How long after each suspension a client asks for the task.
    pub resumes: Vec<f64>,
    pub random: f64,
}

/// A poll that was sent.
#[derive(Clone, Debug)]
pub struct Poll {
    pub at: f64,
    pub path: String,
    /// When the wait ends: the last poll comes from then on.
    pub deadline: f64,
    /// When the answer was seen, and the answer; none where the process ended before.
    pub seen: Option<(f64, ScriptedPoll)>,
}

/// A job from its start until it is forgotten.
#[derive(Debug)]
pub struct Run {
    /// When each create was sent, and its result where that was seen.
    pub sends: Vec<(f64, Option<Sent>)>,
    pub polls: Vec<Poll>,
    /// When the hub tried to copy the pictures.
    pub copies: Vec<f64>,
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

/// A time in a stored job.
pub fn time_of(job: &Job, names: &[&str]) -> f64 {
    let stored = serde_json::to_value(job).unwrap();
    names.iter().fold(&stored, |value, name| &value[name]).as_f64().expect("a time")
}

/// Runs a job until it is forgotten.
#[allow(clippy::too_many_lines)] // one arm for each action
pub fn simulate(plan: &Plan) -> Run {
    let Plan { options, hub, random, .. } = plan;
    let (hub, random) = (*hub, *random);
    let (mut sends, mut polls) = (plan.sends.iter().cloned(), plan.polls.iter().cloned());
    let (mut admissions, mut copies) = (plan.admissions.iter().copied(), plan.copies.iter().copied());
    let (mut faults, mut resumes) = (plan.faults.iter().copied(), plan.resumes.iter().copied());
    let mut now = plan.start;
    let mut stored = Job::new(options, plan.request, now);
    let mut run = Run {
        sends: Vec::new(),
        polls: Vec::new(),
        copies: Vec::new(),
        ends: Vec::new(),
        forgotten: 0.0,
        job: stored.clone(),
    };
    let (mut has_ended, mut why) = (false, None);
    for _ in 0..MANY_STEPS {
        if stored.phase.is_end() && !has_ended {
            has_ended = true;
            run.ends.push((time_of(&stored, &["due"]) - hub.retention.0, stored.phase, why.take()));
            if let Some(after) = resumes.next().filter(|after| now + after < time_of(&stored, &["due"])) {
                now += after;
                let unchanged = stored.clone();
                has_ended = !stored.resume::<Json>(options, now, random);
                let reason_stands = time_of(&unchanged, &["ended_at"]) + 2.0 * options.poll_max.0;
                let has_reason = now < reason_stands.max(time_of(&unchanged, &["not_before"]));
                assert_eq!(has_ended, has_reason || unchanged.phase != Phase::Suspended);
                assert!(if has_ended { stored == unchanged } else { stored.phase == Phase::Waiting });
            }
        }
        let mut job = carry(&stored);
        let action = job.next(options, hub, now);
        if action == HubAction::Forget {
            run.forgotten = now;
            run.job = stored;
            return run;
        }
        stored = job.clone();
        let fault = match (faults.next().unwrap_or(plan.then), &action) {
            // The end of a process that sleeps changes nothing.
            (Fault::Before(_) | Fault::After(_), HubAction::Sleep(_) | HubAction::Fail(_)) => Fault::None,
            (fault, _) => fault,
        };
        if let Fault::Before(down) = fault {
            now += down;
            continue;
        }
        match action {
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
            HubAction::RequestAdmission(kind, Ms(timeout_ms)) => {
                let is_create = job.phase == Phase::Queued;
                assert_eq!(kind, if is_create { RequestKind::Create } else { RequestKind::Poll });
                assert!(timeout_ms > 0.0, "{timeout_ms}");
                job.admission_answered(Ms(admissions.next().unwrap_or(0.0)), now);
            }
            HubAction::SendCreate { path, timeout, is_short } => {
                let route = if plan.request.is_edit { "edits" } else { "generations" };
                assert_eq!((path, job.phase), (format!("/api/v1/images/{route}"), Phase::Sending));
                assert_eq!(is_short, plan.request.is_short, "no answer of this world refuses it");
                assert!(job.needs_request());
                let refused = Sent::Refused { status: 400, retryable: None, retry_after: None };
                let sent = sends.next().unwrap_or(refused);
                run.sends.push((now, None));
                now += if matches!(sent, Sent::Lost { error: TransportError::Timeout, .. }) {
                    timeout.0
                } else {
                    700.0
                };
                let answer = sent.reply();
                let result = match (&answer, &sent) {
                    (Some(reply), _) => Ok(reply),
                    (None, Sent::Lost { error, sent }) => Err((*error, *sent)),
                    _ => unreachable!("only a lost attempt brings no answer"),
                };
                if let JobUpdate::Fail(failure) = job.create_answered(options, hub, result, None, now, random)
                {
                    why = Some(failure);
                }
                if let Some(last) = run.sends.last_mut().filter(|_| !matches!(fault, Fault::After(_))) {
                    last.1 = Some(sent);
                }
            }
            HubAction::SendPoll(path, Ms(timeout)) => {
                let deadline = time_of(&job, &["wait", "deadline"]);
                run.polls.push(Poll { at: now, path, deadline, seen: None });
                let turn = polls.next().unwrap_or_else(simulation::still_running);
                let lasts =
                    if turn.event == Event::Lost(TransportError::Timeout) { timeout } else { turn.took };
                now += lasts.min(timeout) + turn.suspended;
                let answer = turn.reply();
                let result = match (&answer, &turn.event) {
                    (Some(reply), _) => Ok(reply),
                    (None, Event::Lost(error)) => Err((*error, true)),
                    _ => unreachable!("only a lost attempt brings no answer"),
                };
                if let JobUpdate::Fail(failure) = job.poll_answered(options, hub, result, now, random) {
                    why = Some(failure);
                }
                if let Some(last) = run.polls.last_mut().filter(|_| !matches!(fault, Fault::After(_))) {
                    last.seen = Some((now, turn));
                }
            }
            HubAction::CopyPictures => {
                run.copies.push(now);
                now += 300.0;
                job.pictures_copied(copies.next().unwrap_or(true), hub, now, random);
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
    let status = select(vec![
        429_u16, 429, 503, 503, 400, 499, 401, 402, 403, 404, 408, 413, 422, 500, 502, 504, 524, 302, 304,
    ]);
    let retryable = prop_oneof![2 => Just(None), 4 => Just(Some(true)), 1 => Just(Some(false))];
    let retry_after = option::of(prop_oneof![(0_u32..30).prop_map(f64::from), Just(1e9)]);
    let poll_url = select(vec!["", "", simulation::TASK_URL, simulation::FOREIGN]);
    let error = select(vec![TransportError::Connection, TransportError::Timeout]);
    prop_oneof![
        8 => (status, retryable, retry_after)
            .prop_map(|(status, retryable, retry_after)| Sent::Refused { status, retryable, retry_after }),
        12 => poll_url.prop_map(|poll_url| Sent::Task { poll_url }),
        3 => Just(Sent::Inline),
        1 => Just(Sent::FailedTask),
        1 => Just(Sent::Empty),
        1 => Just(Sent::Broken),
        1 => Just(Sent::Unclear),
        2 => (error, any::<bool>()).prop_map(|(error, sent)| Sent::Lost { error, sent }),
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

/// Any job of a chain of models.
pub fn chain() -> impl Strategy<Value = Plan> {
    (plan(), 1_u32..4).prop_map(|(plan, fallbacks)| {
        let request = JobRequest { fallbacks, ..plan.request };
        Plan { request, ..plan }
    })
}

/// Any job of one model, with any options.
pub fn plan() -> impl Strategy<Value = Plan> {
    let wait = prop_oneof![4 => Just(0_u32), 3 => 1_u32..2_000, 1 => 2_000_u32..400_000].prop_map(f64::from);
    // A whole number of milliseconds, as a wall clock has them.
    let start = prop_oneof![Just(0_u32), any::<u32>()].prop_map(|seconds| f64::from(seconds) * 1_000.0);
    let hub = (any::<bool>(), any::<bool>(), 1_000_u32..100_000_000).prop_map(
        |(has_limiter, copies_pictures, retention_ms)| HubOptions {
            has_limiter,
            copies_pictures,
            retention: Ms(retention_ms.into()),
        },
    );
    let then = prop_oneof![
        8 => Just(Fault::None),
        1 => (1_000_u32..5_000).prop_map(|ms| Fault::Before(ms.into())),
        1 => (1_000_u32..5_000).prop_map(|ms| Fault::After(ms.into())),
    ];
    let world =
        (vec(sent(), 0..5), vec(simulation::turn(), 0..30), vec(wait, 0..30), vec(any::<bool>(), 0..8));
    let resumes = vec((0_u32..40_000).prop_map(f64::from), 0..4);
    let request = (any::<bool>(), any::<bool>()).prop_map(|(is_edit, is_short)| JobRequest {
        is_edit,
        is_short,
        fallbacks: 0,
    });
    let options = (options(), 0_u32..5).prop_map(|(options, max_retries)| Options { max_retries, ..options });
    (options, request, hub, start, world, vec(fault(), 0..60), then, resumes, 0.0..1.0).prop_map(
        |(
            options,
            request,
            hub,
            start,
            (sends, polls, admissions, copies),
            faults,
            then,
            resumes,
            random,
        )| Plan {
            options,
            request,
            hub,
            start,
            sends,
            polls,
            admissions,
            copies,
            faults,
            then,
            resumes,
            random,
        },
    )
}
