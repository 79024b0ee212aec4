//! Spreads the requests of many tasks below the rate limit of the key that they share.
//!
//! A bucket of tokens sets the pace. While it is empty, requests queue: creates and polls alternate, and within each
//! kind the identities alternate, however many requests one of them has in the queue. A 429 stops all requests and
//! slows them down afterwards.
//!
//! The state is soft: requests in the queue come back on their own, so a queue that is lost forms again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ms::Ms;

/// The provider counts requests by the minute.
const WINDOW_MS: f64 = 60_000.0;
/// The part of the pace that a 429 leaves. The full pace is back within a window.
const SLOWDOWN: f64 = 0.5;
const SLOWEST: f64 = 0.05;
/// How long the queue waits for a request that is late. A bucket that has been full for this long
/// waits for no request.
const GRACE: Ms = Ms(500.0);
/// A request that is later than this loses its place in the queue.
const MAX_LATENESS: Ms = Ms(10_000.0);
/// How often late requests are removed.
const SWEEP: Ms = Ms(5_000.0);
/// How many places at the front are examined, besides those that a full bucket serves.
const FRONT: usize = 64;
/// The weight of one admission in the moving average of the creates' share.
const SHARE_WEIGHT: f64 = 0.02;
/// No request is told to come back sooner: the answer costs more than the wait.
const MIN_WAIT: Ms = Ms(50.0);
/// The range of limits, in requests a minute. A value that is not a number becomes the lowest: a mistake must not open
/// the limiter.
const MIN_PER_MINUTE: f64 = 1.0;
const MAX_PER_MINUTE: f64 = 1_000_000.0;
/// No answer pauses requests for longer: one absurd `Retry-After` would stop every user.
const MAX_PAUSE: Ms = Ms(600_000.0);
/// After a pause that was cut short, one request probes the server. The others wait this long for its answer.
const PROBE: Ms = Ms(5_000.0);
/// How many paused models are remembered.
const MAX_MODELS: usize = 100;

/// The two kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// A create.
    Create,
    /// A poll.
    Poll,
}

/// A request that wants to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdmissionRequest<'a> {
    /// Names the request. It keeps its place in the queue under this name.
    pub ticket: &'a str,
    /// The user whose request it is.
    pub identity: &'a str,
    /// Whether it is a create or a poll.
    pub kind: RequestKind,
    /// The model of a create; empty where it is not known.
    pub model: &'a str,
    /// An admission that comes later than this is of no use.
    pub timeout: Ms,
}

/// The answer to an [`AdmissionRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Admission {
    /// How long to wait before asking again. No time admits the request now.
    #[serde(rename = "wait_ms")]
    pub wait: Ms,
    /// How many requests of this kind come first.
    pub position: u32,
    /// How many requests wait, including this one.
    pub length: u32,
}

/// The order of a queue: the round in which the identity is served, and the number of the request.
type Key = (u64, u64);

/// One place in a queue. Small, since each admission moves all places behind it.
#[derive(Clone, Copy, Debug)]
struct Place {
    key: Key,
    /// When its request comes back.
    expected_at: f64,
}

impl Place {
    /// Whether its request should be here by now. The queue does not wait for it.
    fn is_overdue(&self, now: f64) -> bool {
        now >= self.expected_at + GRACE
    }
}

/// Requests of one kind.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// In the order of admission.
    places: Vec<Place>,
    /// The key and the identity of each ticket.
    tickets: BTreeMap<String, (Key, String)>,
    /// How many places each identity has.
    counts: BTreeMap<String, u64>,
    /// The round that is being served.
    round: u64,
}

impl Queue {
    fn index(&self, key: Key) -> usize {
        self.places.partition_point(|place| place.key < key)
    }

    /// The index of a ticket's place. A new ticket gets one.
    fn place(&mut self, ticket: &str, identity: &str, number: &mut u64) -> usize {
        if let Some((key, _)) = self.tickets.get(ticket) {
            return self.index(*key);
        }
        let count = self.counts.entry(identity.into()).or_default();
        *count += 1;
        *number += 1;
        let key = (self.round + *count, *number);
        self.tickets.insert(ticket.into(), (key, identity.into()));
        let index = self.index(key);
        self.places.insert(index, Place { key, expected_at: f64::INFINITY });
        index
    }

    /// How many of the first places come `soon` and are waited for, and how many are overdue. Only the front is
    /// examined: the others come later.
    fn ahead(&self, index: usize, most: usize, soon: f64, now: f64) -> (usize, usize) {
        let (mut expected, mut overdue) = (0, 0);
        for place in self.places.iter().take(index.min(2 * most + FRONT)) {
            if place.is_overdue(now) {
                overdue += 1;
            } else if place.expected_at <= soon {
                expected += 1;
            }
        }
        (expected, overdue)
    }

    /// Admits the request of a place.
    fn serve(&mut self, ticket: &str, index: usize) {
        self.round = self.round.max(self.places[index].key.0);
        self.remove(ticket, index);
    }

    fn remove(&mut self, ticket: &str, index: usize) {
        self.places.remove(index);
        if let Some((_, identity)) = self.tickets.remove(ticket) {
            decrement(&mut self.counts, &identity);
        }
    }

    /// Removes requests that have not come back.
    fn remove_late(&mut self, now: f64) {
        let Queue { places, tickets, counts, .. } = self;
        places.retain(|place| place.expected_at + MAX_LATENESS >= now);
        if places.len() < tickets.len() {
            tickets.retain(|_, (key, identity)| {
                let stays = places.binary_search_by_key(key, |place| place.key).is_ok();
                if !stays {
                    decrement(counts, identity);
                }
                stays
            });
        }
    }
}

fn decrement(counts: &mut BTreeMap<String, u64>, identity: &str) {
    if let Some(count) = counts.get_mut(identity) {
        *count -= 1;
        if *count == 0 {
            counts.remove(identity);
        }
    }
}

/// A time in which no request is sent, since the provider has refused one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Pause {
    until: f64,
    /// Whether the provider asked for more than [`MAX_PAUSE`].
    is_cut: bool,
}

impl Pause {
    /// A longer pause replaces a shorter one.
    fn extend(&mut self, duration: Ms, now: f64) {
        self.is_cut |= duration > MAX_PAUSE;
        self.until = self.until.max(now + duration.min(MAX_PAUSE));
    }

    /// A request is sent. The first one after a pause that was cut is a probe.
    fn request_sent(&mut self, now: f64) {
        if core::mem::take(&mut self.is_cut) {
            self.until = now + PROBE;
        }
    }

    /// The same pause in a new process, whose clock may differ.
    fn restored(self, now: f64) -> Pause {
        Pause { until: self.until.min(now + MAX_PAUSE), ..self }
    }
}

/// The pauses of a limiter: plain data, so that they outlive the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pauses {
    all: Pause,
    /// The models that the provider has refused by name.
    models: BTreeMap<String, Pause>,
}

/// A bucket of tokens, one for each request.
#[derive(Clone, Debug)]
struct Bucket {
    /// Tokens a millisecond at full pace.
    rate: f64,
    /// The most tokens at once.
    burst: f64,
    tokens: f64,
    at: f64,
    /// During the pause there are no tokens, and none are added.
    pause: Pause,
    /// The part of the rate that is used. It grows back to 1.
    pace: f64,
    /// For how long the bucket has been full, in milliseconds.
    full_for: f64,
}

impl Bucket {
    /// Starts a pause, and a slower pace behind it.
    fn start_pause(&mut self, pause: Pause) {
        self.pace = (self.pace * SLOWDOWN).max(SLOWEST);
        self.tokens = 0.0;
        self.full_for = 0.0;
        self.pause = pause;
    }

    fn refill(&mut self, now: f64) {
        let passed = (now - self.at.max(self.pause.until)).max(0.0);
        let slowed = passed.min(self.slow_for());
        let gained = slowed * (self.pace + slowed / (2.0 * WINDOW_MS)) + (passed - slowed);
        let tokens = self.tokens + gained * self.rate;
        self.tokens = tokens.min(self.burst);
        self.full_for += (tokens - self.tokens) / self.rate;
        self.pace = (self.pace + slowed / WINDOW_MS).min(1.0);
        self.at = self.at.max(now);
    }

    /// How long until the pace is full, in milliseconds.
    fn slow_for(&self) -> f64 {
        (1.0 - self.pace) * WINDOW_MS
    }

    /// How long until the bucket is full if one token is taken now, in milliseconds.
    fn full_after(&self) -> f64 {
        (self.burst - self.tokens + 1.0) / (self.rate * self.pace)
    }

    /// How long until there are this many tokens, if their number had no limit, in milliseconds: the gain of
    /// [`Bucket::refill`], solved for the time.
    fn wait_for(&self, tokens: f64, now: f64) -> f64 {
        let paused = (self.pause.until - now).max(0.0);
        let missing = (tokens - self.tokens).max(0.0) / self.rate;
        let slowed = self.slow_for();
        let gained = slowed * (self.pace + 1.0) / 2.0;
        paused
            + if missing < gained {
                WINDOW_MS * ((self.pace * self.pace + 2.0 * missing / WINDOW_MS).sqrt() - self.pace)
            } else {
                slowed + (missing - gained)
            }
    }
}

/// The limiter of one key. All times are milliseconds of the caller's clock.
#[derive(Clone, Debug)]
pub struct Limiter {
    bucket: Bucket,
    creates: Queue,
    polls: Queue,
    /// The kind that was admitted last.
    last: RequestKind,
    /// The share of recent admissions that were creates.
    creates_share: f64,
    number: u64,
    swept_at: f64,
    /// The models whose creates have to wait.
    models: BTreeMap<String, Pause>,
}

impl Limiter {
    /// A limiter that sends at most `per_minute` requests in any minute.
    pub fn new(per_minute: f64, now: f64) -> Limiter {
        #[allow(clippy::manual_clamp)] // `clamp` would keep what is not a number
        let per_minute = per_minute.max(MIN_PER_MINUTE).min(MAX_PER_MINUTE);
        // A second's worth. With fewer than two, a full bucket would stand idle while the queue waits for its first.
        let burst = (per_minute / 60.0).max((per_minute / 2.0).clamp(1.0, 2.0));
        let bucket = Bucket {
            // A full bucket's burst is missing in the minute that follows.
            rate: (per_minute - burst).max(1.0) / WINDOW_MS,
            burst,
            // What was sent before is unknown: a limiter that is lost again and again must not begin full.
            tokens: 1.0,
            at: now,
            pause: Pause { until: now, is_cut: false },
            pace: 1.0,
            full_for: 0.0,
        };
        Limiter {
            bucket,
            creates: Queue::default(),
            polls: Queue::default(),
            last: RequestKind::Poll,
            creates_share: 0.0,
            number: 0,
            swept_at: now,
            models: BTreeMap::new(),
        }
    }

    /// A limiter that keeps the pauses of an earlier process.
    pub fn with_pauses(per_minute: f64, pauses: Pauses, now: f64) -> Limiter {
        let mut limiter = Limiter::new(per_minute, now);
        if pauses.all.until > now {
            limiter.bucket.start_pause(pauses.all.restored(now));
        }
        limiter.models =
            pauses.models.into_iter().map(|(model, pause)| (model, pause.restored(now))).collect();
        limiter
    }

    /// The pauses, which have to outlive this process.
    pub fn pauses(&self) -> Pauses {
        Pauses { all: self.bucket.pause, models: self.models.clone() }
    }

    /// Admits a request now, or says when to ask again.
    ///
    /// A request that would be admitted too late for its time-out gets no place in the queue: places of requests that
    /// do not come back would hold up all others.
    pub fn admit(&mut self, request: AdmissionRequest, now: f64) -> Admission {
        if request.kind == RequestKind::Poll {
            return self.queue(request, now);
        }
        if let Some(pause) = self.models.get(request.model).filter(|pause| pause.until > now) {
            let wait = Ms((pause.until - now).ceil()).max(MIN_WAIT);
            // It gives up its place: the queue must not wait for a paused model.
            if let Some((key, _)) = self.creates.tickets.get(request.ticket) {
                let index = self.creates.index(*key);
                self.creates.remove(request.ticket, index);
            }
            let position = self.creates.places.len() as u32;
            return Admission { wait, position, length: position + self.polls.places.len() as u32 + 1 };
        }
        let admission = self.queue(request, now);
        if admission.wait == Ms::ZERO
            && let Some(pause) = self.models.get_mut(request.model)
        {
            pause.request_sent(now);
        }
        admission
    }

    /// Admits the request if enough tokens are left for those before it. Otherwise it has a place in the queue.
    fn queue(&mut self, request: AdmissionRequest, now: f64) -> Admission {
        let AdmissionRequest { ticket, identity, kind, timeout, .. } = request;
        let bucket = &mut self.bucket;
        bucket.refill(now);
        if now >= self.swept_at + SWEEP {
            self.swept_at = now;
            self.creates.remove_late(now);
            self.polls.remove_late(now);
        }
        let (own, other) = match kind {
            RequestKind::Create => (&mut self.creates, &self.polls),
            RequestKind::Poll => (&mut self.polls, &self.creates),
        };
        let index = own.place(ticket, identity, &mut self.number);
        let length = (own.places.len() + other.places.len()) as u32;
        // More than the bucket holds need not be counted exactly.
        let most = bucket.burst as usize + 1;
        // A request that comes when the bucket is full again loses nothing by this admission.
        let soon = now + bucket.full_after();
        let (own_expected, own_overdue) = own.ahead(index, most, soon, now);
        let (other_expected, other_overdue) = other.ahead(other.places.len(), most, soon, now);
        // The kinds alternate while both wait.
        let before = |own: usize, other: usize| own + other.min(own + usize::from(self.last == kind));
        let needed = before(own_expected, other_expected) as u32 + 1;
        // A request that is here goes first before tokens are lost for long.
        let is_idle = bucket.full_for >= GRACE.0;
        if is_idle || bucket.tokens >= f64::from(needed) {
            bucket.tokens -= 1.0;
            bucket.full_for = 0.0;
            if bucket.pause.is_cut {
                bucket.tokens = 0.0;
                bucket.pause.request_sent(now);
            }
            self.last = kind;
            let is_create = f64::from(u8::from(kind == RequestKind::Create));
            self.creates_share += (is_create - self.creates_share) * SHARE_WEIGHT;
            own.serve(ticket, index);
            return Admission { wait: Ms::ZERO, position: 0, length: length - 1 };
        }
        let needed = before(index - own_overdue, other.places.len() - other_overdue) as u32 + 1;
        // Creates that are still to come go before polls in the queue, at their recent share.
        let share = if kind == RequestKind::Poll { (1.0 - self.creates_share).max(0.5) } else { 1.0 };
        let needed = f64::from(needed).max(f64::from((index - own_overdue) as u32 + 1) / share);
        let wait = Ms(bucket.wait_for(needed, now).ceil()).max(MIN_WAIT);
        if wait > timeout {
            own.remove(ticket, index);
        } else {
            own.places[index].expected_at = now + wait;
        }
        Admission { wait, position: index as u32, length }
    }

    /// Pauses all requests, since the provider has refused one, and slows them down afterwards.
    pub fn pause_all(&mut self, duration: Ms, now: f64) {
        let bucket = &mut self.bucket;
        bucket.refill(now);
        let mut pause = bucket.pause;
        pause.extend(duration, now);
        if now >= bucket.pause.until {
            bucket.start_pause(pause);
        } else {
            bucket.pause = pause;
        }
    }

    /// Pauses the creates of a model, since the provider has refused one by its name.
    pub fn pause_model(&mut self, model: &str, duration: Ms, now: f64) {
        self.models.retain(|_, pause| pause.until > now || pause.is_cut);
        self.models.entry(model.into()).or_default().extend(duration, now);
        if self.models.len() > MAX_MODELS {
            let first = self.models.iter().min_by(|one, other| one.1.until.total_cmp(&other.1.until));
            if let Some(model) = first.map(|(model, _)| model.clone()) {
                self.models.remove(&model);
            }
        }
    }
}
