//! A day of a hub in virtual time: the real jobs and the real limiter, a provider that counts, and a meter for
//! everything that Cloudflare bills.
//!
//! Everything follows from the seed: two runs of one scenario are equal to the last digit.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use lemondata_wasm::core::{
    AdmissionRequest, Answer, Base, HubAction, HubOptions, Job, JobRequest, JobUpdate, Limiter, Location, Ms,
    Options, Phase, RateLimit, RequestKind, TransportError,
};
use serde::{Deserialize, Serialize};

use super::body::Body;

const MINUTE_MS: u64 = 60_000;
/// The stretch of time that a point of a series stands for.
const BUCKET_MS: u64 = 10 * MINUTE_MS;
/// An alarm whose process has ended comes again after so long.
const AGAIN_MS: u64 = 2_000;

/// What is simulated.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    pub seed: u64,
    /// How many tasks are asked for, over how many minutes.
    pub tasks: u32,
    pub minutes: f64,
    /// Whether they follow the curve of a day, whose peak is twice the mean.
    pub daily: bool,
    /// What arrives before is there, but not in the distributions.
    pub measured_from_minute: f64,
    /// The provider's limit, and the part of it that the limiter uses.
    pub requests_per_minute: f64,
    pub used_part: f64,
    /// Between how many users the tasks are spread; the first ones have most.
    pub users: u32,
    /// How long the provider works, in seconds.
    pub works_s: [f64; 2],
    /// How long a request takes to the provider and back, in milliseconds.
    pub create_ms: [f64; 2],
    pub poll_ms: [f64; 2],
    pub copy_ms: [f64; 2],
    /// How late an alarm is, in milliseconds.
    pub alarm_late_ms: [f64; 2],
    /// How often a process ends while a request is under way, a poll is lost, a create is refused as overload.
    pub crash_part: f64,
    pub lost_part: f64,
    pub overload_part: f64,
    pub retention_minutes: f64,
    pub max_wait_ms: f64,
    pub poll_interval_ms: [f64; 2],
    pub copies_pictures: bool,
}

/// The outcome of a scenario.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub name: String,
    pub tasks: u32,
    pub requests_per_minute: f64,
    /// How the tasks ended.
    pub completed: u32,
    pub suspended: u32,
    pub idle: u32,
    pub unknown: u32,
    /// What must not be: tasks of the provider that no job knows, without one that says so; more than one task for a
    /// job.
    pub lost: u32,
    pub doubled: u32,
    /// What the provider has seen.
    pub creates: u64,
    pub polls: u64,
    pub refused: u64,
    pub busiest_minute: u64,
    /// What is billed.
    pub alarms_set: u64,
    pub alarms_fired: u64,
    pub limiter_requests: u64,
    pub busiest_limiter_second: u64,
    pub copies: u64,
    /// How long objects waited for the provider or for R2, in seconds.
    pub active_s: f64,
    /// How long tasks were watched, from the request to the result, in seconds.
    pub watched_s: f64,
    /// Of every task that was measured, in milliseconds.
    pub create_wait: Spread,
    pub delivery_delay: Spread,
    pub poll_gap: Spread,
    pub most_creates_waiting: u64,
    pub most_polls_waiting: u64,
    pub most_tasks_at_once: u64,
    pub series: Vec<Point>,
}

/// A distribution, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub p50: u32,
    pub p95: u32,
    pub p99: u32,
    pub max: u32,
}

impl Spread {
    fn of(values: &mut [u32]) -> Spread {
        values.sort_unstable();
        let at = |part: usize| values.get((values.len() * part / 100).min(values.len().saturating_sub(1)));
        let [p50, p95, p99, max] = [50, 95, 99, 100].map(|part| at(part).copied().unwrap_or_default());
        Spread { p50, p95, p99, max }
    }
}

/// Ten minutes.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    pub minute: u64,
    pub arrived: u64,
    pub requests: u64,
    pub given_up: u64,
    pub creates_waiting: u64,
    pub polls_waiting: u64,
    pub create_wait: Spread,
    pub delivery_delay: Spread,
    pub poll_gap: Spread,
}

/// The distributions of ten minutes.
#[derive(Default)]
struct Samples {
    create_wait: Vec<u32>,
    delivery_delay: Vec<u32>,
    poll_gap: Vec<u32>,
}

/// A small generator, of good quality and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, [from, to]: [f64; 2]) -> f64 {
        from + (to - from) * self.next()
    }

    fn happens(&mut self, part: f64) -> bool {
        part > 0.0 && self.next() < part
    }
}

/// What happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Alarm,
    /// The request that is under way arrives, and its answer is there.
    Arrives,
    Copied,
}

/// A task with its object.
struct Object {
    job: Job,
    ticket: String,
    user: u32,
    arrived: u64,
    /// What the provider knows: how many tasks it has made for this one, and when the first is done.
    made: u32,
    done_at: u64,
    has_ended: bool,
    sent_before: bool,
    waits: Option<RequestKind>,
    polled_at: u64,
}

struct World<'a> {
    scenario: &'a Scenario,
    options: Options,
    hub_options: HubOptions,
    random: Random,
    limiter: Limiter,
    agenda: BinaryHeap<Reverse<(u64, u64, usize, Event)>>,
    events: u64,
    objects: Vec<Option<Object>>,
    free: Vec<usize>,
    users: Vec<String>,
    made: u32,
    /// The arrivals of the last minute at the provider.
    minute: VecDeque<u64>,
    limiter_second: (u64, u64),
    waiting: [u64; 2],
    at_once: u64,
    samples: Vec<Samples>,
    outcome: Outcome,
}

/// Runs a scenario until its last object is gone.
pub fn run(scenario: &Scenario) -> Outcome {
    let mut random = Random(scenario.seed);
    let arrivals = arrivals(scenario, &mut random);
    let base =
        Base::new(Location { origin: "https://provider.example".into(), path: "/".into(), is_plain: true });
    let mut world = World {
        scenario,
        options: Options {
            base,
            has_key: true,
            has_key_function: false,
            is_page: false,
            relay: false,
            makes_key: false,
            create_timeout: Ms(300_000.0),
            poll_timeout: Ms(60_000.0),
            max_retries: 2,
            poll_min: Ms(scenario.poll_interval_ms[0]),
            poll_max: Ms(scenario.poll_interval_ms[1]),
            max_wait: Ms(scenario.max_wait_ms),
            max_polls: 0,
        },
        hub_options: HubOptions {
            has_limiter: true,
            copies_pictures: scenario.copies_pictures,
            retention: Ms(scenario.retention_minutes * MINUTE_MS as f64),
        },
        random,
        limiter: Limiter::new(scenario.requests_per_minute * scenario.used_part, 0.0),
        agenda: BinaryHeap::new(),
        events: 0,
        objects: Vec::new(),
        free: Vec::new(),
        users: (0..scenario.users).map(|user| format!("user-{user}")).collect(),
        made: 0,
        minute: VecDeque::new(),
        limiter_second: (0, 0),
        waiting: [0, 0],
        at_once: 0,
        samples: Vec::new(),
        outcome: Outcome {
            name: scenario.name.clone(),
            tasks: scenario.tasks,
            requests_per_minute: scenario.requests_per_minute,
            ..Outcome::default()
        },
    };
    for arrival in arrivals {
        world.advance(arrival);
        world.arrive(arrival);
    }
    world.advance(u64::MAX);
    world.finish()
}

/// When the tasks are asked for: independent of each other, as those of many users are.
fn arrivals(scenario: &Scenario, random: &mut Random) -> Vec<u64> {
    let length = scenario.minutes * MINUTE_MS as f64;
    let mut times = Vec::with_capacity(scenario.tasks as usize);
    while times.len() < scenario.tasks as usize {
        let part = random.next();
        if !scenario.daily || random.happens((1.0 - (part * std::f64::consts::TAU).cos()) / 2.0) {
            times.push((part * length) as u64);
        }
    }
    times.sort_unstable();
    times
}

impl World<'_> {
    fn advance(&mut self, until: u64) {
        while self.agenda.peek().is_some_and(|Reverse((at, ..))| *at <= until) {
            let Some(Reverse((now, _, slot, event))) = self.agenda.pop() else { return };
            match event {
                Event::Alarm => {
                    self.outcome.alarms_fired += 1;
                    self.go_on(slot, now);
                }
                Event::Arrives => self.arrives(slot, now),
                Event::Copied => {
                    let random = self.random.next();
                    let hub_options = self.hub_options;
                    self.object(slot).job.pictures_copied(true, hub_options, now as f64, random);
                    self.go_on(slot, now);
                }
            }
        }
    }

    fn plan(&mut self, at: u64, slot: usize, event: Event) {
        self.events += 1;
        self.agenda.push(Reverse((at, self.events, slot, event)));
    }

    fn object(&mut self, slot: usize) -> &mut Object {
        self.objects[slot].as_mut().expect("an object")
    }

    fn point(&mut self, now: u64) -> &mut Point {
        let index = (now / BUCKET_MS) as usize;
        while self.outcome.series.len() <= index {
            let minute = self.outcome.series.len() as u64 * BUCKET_MS / MINUTE_MS;
            self.outcome.series.push(Point { minute, ..Point::default() });
            self.samples.push(Samples::default());
        }
        &mut self.outcome.series[index]
    }

    fn sample(&mut self, object: u64, now: u64, pick: impl Fn(&mut Samples) -> &mut Vec<u32>, ms: u64) {
        if object as f64 >= self.scenario.measured_from_minute * MINUTE_MS as f64 {
            self.point(now);
            pick(&mut self.samples[(now / BUCKET_MS) as usize]).push(ms as u32);
        }
    }

    fn arrive(&mut self, now: u64) {
        self.point(now).arrived += 1;
        self.made += 1;
        // The square makes the first users ask most: the first hundredth asks for a tenth.
        let user = (f64::from(self.scenario.users) * self.random.next().powi(2)) as u32;
        let object = Object {
            job: Job::new(&self.options, JobRequest::default(), now as f64),
            ticket: self.made.to_string(),
            user,
            arrived: now,
            made: 0,
            done_at: 0,
            has_ended: false,
            sent_before: false,
            waits: None,
            polled_at: 0,
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.objects.push(None);
            self.objects.len() - 1
        });
        self.objects[slot] = Some(object);
        self.at_once += 1;
        self.outcome.most_tasks_at_once = self.outcome.most_tasks_at_once.max(self.at_once);
        self.go_on(slot, now);
    }

    /// Does what is next, until there is something to wait for.
    fn go_on(&mut self, slot: usize, now: u64) {
        loop {
            let object = self.objects[slot].as_mut().expect("an object");
            if object.job.phase.is_end() && !object.has_ended {
                self.ended(slot, now);
                continue;
            }
            match object.job.next(&self.options, self.hub_options, now as f64) {
                HubAction::Sleep(until) => {
                    let late = self.random.between(self.scenario.alarm_late_ms);
                    self.outcome.alarms_set += 1;
                    self.plan((until + late) as u64, slot, Event::Alarm);
                    return;
                }
                HubAction::RequestAdmission(kind, timeout) => self.ask(slot, kind, timeout, now),
                HubAction::SendCreate { .. } => {
                    if !object.sent_before {
                        object.sent_before = true;
                        let (arrived, wait) = (object.arrived, now - object.arrived);
                        self.sample(arrived, now, |samples| &mut samples.create_wait, wait);
                    }
                    self.outcome.creates += 1;
                    self.request(slot, self.scenario.create_ms, now, Event::Arrives);
                    return;
                }
                HubAction::SendPoll(..) => {
                    let (arrived, before) = (object.arrived, object.polled_at);
                    object.polled_at = now;
                    if before > 0 {
                        self.sample(arrived, now, |samples| &mut samples.poll_gap, now - before);
                    }
                    self.outcome.polls += 1;
                    self.request(slot, self.scenario.poll_ms, now, Event::Arrives);
                    return;
                }
                HubAction::CopyPictures => {
                    self.outcome.copies += 1;
                    self.request(slot, self.scenario.copy_ms, now, Event::Copied);
                    return;
                }
                HubAction::Fail(_) => {}
                HubAction::Forget => {
                    self.objects[slot] = None;
                    self.free.push(slot);
                    return;
                }
            }
        }
    }

    fn request(&mut self, slot: usize, takes: [f64; 2], now: u64, event: Event) {
        let ms = self.random.between(takes);
        self.outcome.active_s += ms / 1_000.0;
        self.plan(now + ms as u64, slot, event);
    }

    fn ask(&mut self, slot: usize, need: RequestKind, timeout: Ms, now: u64) {
        let object = self.objects[slot].as_mut().expect("an object");
        let user = &self.users[object.user as usize];
        let request =
            AdmissionRequest { ticket: &object.ticket, identity: user, kind: need, model: "", timeout };
        let admission = self.limiter.admit(request, now as f64);
        object.job.admission_answered(admission.wait, now as f64);
        let (waited, waits) = (object.waits.is_some(), (admission.wait.0 > 0.0).then_some(need));
        object.waits = waits;
        let kind = usize::from(need == RequestKind::Poll);
        self.waiting[kind] = (self.waiting[kind] + u64::from(waits.is_some())) - u64::from(waited);
        let [creates, polls] = self.waiting;
        let point = self.point(now);
        point.creates_waiting = point.creates_waiting.max(creates);
        point.polls_waiting = point.polls_waiting.max(polls);
        self.outcome.limiter_requests += 1;
        let (second, count) = &mut self.limiter_second;
        if *second != now / 1_000 {
            (*second, *count) = (now / 1_000, 0);
        }
        *count += 1;
        self.outcome.busiest_limiter_second = self.outcome.busiest_limiter_second.max(*count);
    }

    /// The provider counts, works and answers; on the way, a process may end or an answer may be lost.
    fn arrives(&mut self, slot: usize, now: u64) {
        self.point(now).requests += 1;
        while self.minute.front().is_some_and(|at| at + MINUTE_MS <= now) {
            self.minute.pop_front();
        }
        let is_over = self.minute.len() as f64 >= self.scenario.requests_per_minute;
        if !is_over {
            self.minute.push_back(now);
            self.outcome.busiest_minute = self.outcome.busiest_minute.max(self.minute.len() as u64);
        }
        let works = self.random.between(self.scenario.works_s) * 1_000.0;
        let is_overloaded = self.random.happens(self.scenario.overload_part);
        let has_crashed = self.random.happens(self.scenario.crash_part);
        let is_lost = self.random.happens(self.scenario.lost_part);
        let random = self.random.next();
        let object = self.objects[slot].as_mut().expect("an object");
        let is_create = object.job.phase == Phase::Sending;
        let (status, body) = if is_over {
            (429, Body::Refused)
        } else if !is_create {
            (200, if now >= object.done_at { Body::Done } else { Body::Running })
        } else if is_overloaded {
            (503, Body::Refused)
        } else {
            object.made += 1;
            object.done_at = now + works as u64;
            (200, Body::Created(object.made))
        };
        if has_crashed {
            self.plan(now + AGAIN_MS, slot, Event::Alarm);
            return;
        }
        let reply = Answer { status, body: Some(body), retry_after: Ms::ZERO, location: Body::Nothing };
        if let Some(rate_limit) = RateLimit::of(&reply, "") {
            self.outcome.refused += 1;
            self.limiter.pause_all(Ms(rate_limit.pause.0), now as f64);
        }
        let update = if is_create {
            object.job.create_answered(&self.options, self.hub_options, Ok(&reply), None, now as f64, random)
        } else {
            let result = if is_lost { Err((TransportError::Connection, true)) } else { Ok(&reply) };
            object.job.poll_answered(&self.options, self.hub_options, result, now as f64, random)
        };
        if matches!(&update, JobUpdate::Answered(parsed) if parsed.status.text() == "completed") {
            let (arrived, late) = (object.arrived, now - object.done_at);
            self.sample(arrived, now, |samples| &mut samples.delivery_delay, late);
        }
        self.go_on(slot, now);
    }

    fn ended(&mut self, slot: usize, now: u64) {
        let object = self.objects[slot].as_mut().expect("an object");
        object.has_ended = true;
        let waited = object.waits.take();
        let outcome = &mut self.outcome;
        let (phase, made) = (object.job.phase, object.made);
        outcome.watched_s += (now - object.arrived) as f64 / 1_000.0;
        match phase {
            Phase::Completed => outcome.completed += 1,
            Phase::Suspended => outcome.suspended += 1,
            Phase::Idle => outcome.idle += 1,
            Phase::Unknown => outcome.unknown += 1,
            other => unreachable!("no answer here leads to {other:?}"),
        }
        let says_so = phase == Phase::Unknown || object.job.task().is_some();
        outcome.lost += u32::from(made > 0 && !says_so);
        outcome.doubled += u32::from(made > 1);
        self.at_once -= 1;
        if let Some(need) = waited {
            self.waiting[usize::from(need == RequestKind::Poll)] -= 1;
        }
        if phase == Phase::Idle {
            self.point(now).given_up += 1;
        }
    }

    fn finish(mut self) -> Outcome {
        let mut all = Samples::default();
        for (point, samples) in self.outcome.series.iter_mut().zip(&mut self.samples) {
            point.create_wait = Spread::of(&mut samples.create_wait);
            point.delivery_delay = Spread::of(&mut samples.delivery_delay);
            point.poll_gap = Spread::of(&mut samples.poll_gap);
            all.create_wait.append(&mut samples.create_wait);
            all.delivery_delay.append(&mut samples.delivery_delay);
            all.poll_gap.append(&mut samples.poll_gap);
            self.outcome.most_creates_waiting = self.outcome.most_creates_waiting.max(point.creates_waiting);
            self.outcome.most_polls_waiting = self.outcome.most_polls_waiting.max(point.polls_waiting);
        }
        self.outcome.create_wait = Spread::of(&mut all.create_wait);
        self.outcome.delivery_delay = Spread::of(&mut all.delivery_delay);
        self.outcome.poll_gap = Spread::of(&mut all.poll_gap);
        // Once the last request has been made, only alarms are left that delete.
        let last = self.outcome.series.iter().rposition(|point| point.requests > 0 || point.arrived > 0);
        self.outcome.series.truncate(last.map_or(0, |last| last + 1));
        self.outcome
    }
}
