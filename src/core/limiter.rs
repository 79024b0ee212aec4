//! Whose turn it is: spreads the requests of many tasks below the limit of the key that they share.
//!
//! A bucket of tokens sets the pace. While there is none, requests queue: creates and polls take turns, and
//! within each of the two every identity has its turn, however many requests another one has waiting. An answer
//! of 429 stops everybody, and slows everybody afterwards.
//!
//! The state is soft: whoever waits comes back by itself, so that a queue which is lost forms anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{abi::Name, answer::Answer, text::contains, value::Value};

/// The provider counts requests by the minute.
const WINDOW_MS: f64 = 60_000.0;
/// After a 429 that does not say how long to wait, in milliseconds.
const DEFAULT_SLOW_MS: f64 = 1_000.0;
/// What a 429 leaves of the pace; it comes back within a window.
const SLOWDOWN: f64 = 0.5;
const SLOWEST: f64 = 0.05;
/// Nobody is waited for so long after its time, in milliseconds, and nobody at all while the bucket has been full for
/// so long.
const GRACE_MS: f64 = 500.0;
/// Whoever does not come back for so long after its time, in milliseconds, has no place in the queue any more.
const PATIENCE_MS: f64 = 10_000.0;
/// How often those are looked for, in milliseconds.
const SWEEP_MS: f64 = 5_000.0;
/// How many places in front are looked at, beside those that a full bucket serves.
const IN_FRONT: usize = 64;
/// What one turn counts in the part that creates have of them.
const MEMORY: f64 = 0.02;
/// Nobody is asked to come back sooner, in milliseconds: the answer costs more than the wait.
const MIN_WAIT_MS: f64 = 50.0;
/// The range of limits, in requests a minute. What is no number falls to the lower end: a mistake must not open
/// the limiter.
const FEWEST: f64 = 1.0;
const MOST: f64 = 1_000_000.0;
/// No answer closes the limiter for longer, in milliseconds, whatever it asks for: one absurd `Retry-After` would
/// stop every user.
const LONGEST_PAUSE_MS: f64 = 600_000.0;
/// After a pause that was cut, one request goes first. The others wait so long for what it brings, in milliseconds.
const PROBE_MS: f64 = 5_000.0;
/// So many models are remembered as closed.
const MAX_MODELS: usize = 100;

/// What a turn is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// A create.
    Create,
    /// A poll.
    Poll,
}

/// The answer to whoever asks for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Admission {
    /// How long to wait before asking again, in milliseconds; 0 is the turn itself.
    pub wait_ms: f64,
    /// How many requests of this kind come first.
    pub position: u32,
    /// How many requests wait, this one included.
    pub length: u32,
}

/// The order of turns: the round in which the identity has its turn, and the number of the request.
type Key = (u64, u64);

/// One place in a queue. Small, since every turn moves all that follow.
#[derive(Clone, Copy, Debug)]
struct Place {
    key: Key,
    /// When it has been told to come back.
    told: f64,
}

impl Place {
    /// Whether it ought to be here: nobody waits for those who are not.
    fn is_overdue(&self, now: f64) -> bool {
        now >= self.told + GRACE_MS
    }
}

/// Requests of one kind.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// In the order of their turns.
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

    /// The index of a ticket's place, which it gets now where it has none.
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
        self.places.insert(index, Place { key, told: f64::INFINITY });
        index
    }

    /// How many of the first places come `soon` and are waited for, and how many are overdue. Only those who stand
    /// in front are looked at: the others come later.
    fn ahead(&self, index: usize, most: usize, soon: f64, now: f64) -> (usize, usize) {
        let (mut waited, mut overdue) = (0, 0);
        for place in self.places.iter().take(index.min(2 * most + IN_FRONT)) {
            if place.is_overdue(now) {
                overdue += 1;
            } else if place.told <= soon {
                waited += 1;
            }
        }
        (waited, overdue)
    }

    /// A place has its turn.
    fn take(&mut self, ticket: &str, index: usize) {
        self.round = self.round.max(self.places[index].key.0);
        self.remove(ticket, index);
    }

    fn remove(&mut self, ticket: &str, index: usize) {
        self.places.remove(index);
        if let Some((_, identity)) = self.tickets.remove(ticket) {
            leave(&mut self.counts, &identity);
        }
    }

    /// Drops whoever has not come back for long.
    fn drop_late(&mut self, now: f64) {
        let Queue { places, tickets, counts, .. } = self;
        places.retain(|place| place.told + PATIENCE_MS >= now);
        if places.len() < tickets.len() {
            tickets.retain(|_, (key, identity)| {
                let stays = places.binary_search_by_key(key, |place| place.key).is_ok();
                if !stays {
                    leave(counts, identity);
                }
                stays
            });
        }
    }
}

fn leave(counts: &mut BTreeMap<String, u64>, identity: &str) {
    if let Some(count) = counts.get_mut(identity) {
        *count -= 1;
        if *count == 0 {
            counts.remove(identity);
        }
    }
}

/// A time in which nobody sends, because the provider has refused a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Closure {
    until: f64,
    /// Whether the provider asked for more than [`LONGEST_PAUSE_MS`].
    is_cut: bool,
}

impl Closure {
    /// A longer pause counts, a shorter one does not.
    fn pause(&mut self, ms: f64, now: f64) {
        self.is_cut |= ms > LONGEST_PAUSE_MS;
        self.until = self.until.max(now + ms.min(LONGEST_PAUSE_MS));
    }

    /// A request goes. The first one after a pause that was cut is a probe.
    fn pass(&mut self, now: f64) {
        if core::mem::take(&mut self.is_cut) {
            self.until = now + PROBE_MS;
        }
    }

    /// The same, as a process finds it that has just started.
    fn restored(self, now: f64) -> Closure {
        Closure { until: self.until.min(now + LONGEST_PAUSE_MS), ..self }
    }
}

/// Which pauses a limiter keeps: plain data, so that they outlive the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pauses {
    all: Closure,
    /// The models that the provider has refused by their names.
    models: BTreeMap<String, Closure>,
}

impl Pauses {
    /// Whether any of them lasts.
    pub fn last(&self, now: f64) -> bool {
        self.all.until > now || self.models.values().any(|closure| closure.until > now)
    }
}

/// A bucket of tokens, one for each request.
#[derive(Clone, Debug)]
struct Bucket {
    /// Tokens a millisecond, when nothing slows us.
    rate: f64,
    /// The most tokens at once.
    burst: f64,
    tokens: f64,
    at: f64,
    /// While it lasts, nobody has a turn: there are no tokens, and none are added.
    closed: Closure,
    /// The part of the rate that is used, which grows back to 1.
    pace: f64,
    /// For how long the bucket has been full, in milliseconds.
    full_for: f64,
}

impl Bucket {
    /// Closes it, and opens it at a slower pace.
    fn close(&mut self, closed: &Closure) {
        self.pace = (self.pace * SLOWDOWN).max(SLOWEST);
        self.tokens = 0.0;
        self.full_for = 0.0;
        self.closed = *closed;
    }

    fn refill(&mut self, now: f64) {
        let passed = (now - self.at.max(self.closed.until)).max(0.0);
        let slowed = passed.min(self.slow_for());
        let gained = slowed * (self.pace + slowed / (2.0 * WINDOW_MS)) + (passed - slowed);
        let tokens = self.tokens + gained * self.rate;
        self.tokens = tokens.min(self.burst);
        self.full_for += (tokens - self.tokens) / self.rate;
        self.pace = (self.pace + slowed / WINDOW_MS).min(1.0);
        self.at = self.at.max(now);
    }

    /// How long it takes, in milliseconds, until the pace is whole.
    fn slow_for(&self) -> f64 {
        (1.0 - self.pace) * WINDOW_MS
    }

    /// How long it takes, in milliseconds, until the bucket is full, were one token taken now.
    fn full_after(&self) -> f64 {
        (self.burst - self.tokens + 1.0) / (self.rate * self.pace)
    }

    /// How long it takes, in milliseconds, until there are so many tokens, were they not limited: what
    /// [`Bucket::refill`] gains, solved for the time.
    fn wait_for(&self, tokens: f64, now: f64) -> f64 {
        let closed = (self.closed.until - now).max(0.0);
        let missing = (tokens - self.tokens).max(0.0) / self.rate;
        let slowed = self.slow_for();
        let gained = slowed * (self.pace + 1.0) / 2.0;
        closed
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
    /// The kind that has had the last turn.
    last: RequestKind,
    /// The part of the turns that creates have had of late.
    creates_part: f64,
    number: u64,
    swept_at: f64,
    /// The models whose creates have to wait.
    models: BTreeMap<String, Closure>,
}

impl Limiter {
    /// A limiter that sends at most `per_minute` requests in any minute.
    pub fn new(per_minute: f64, now: f64) -> Limiter {
        #[allow(clippy::manual_clamp)] // `clamp` would keep what is not a number
        let per_minute = per_minute.max(FEWEST).min(MOST);
        // A second's worth. With fewer than two, waiting for whoever comes first would let a full bucket stand idle.
        let burst = (per_minute / 60.0).max((per_minute / 2.0).clamp(1.0, 2.0));
        let bucket = Bucket {
            // What a full bucket lets through at once is missing in the minute that follows.
            rate: (per_minute - burst).max(1.0) / WINDOW_MS,
            burst,
            // Nobody knows what was sent before: a limiter that is lost again and again must not begin full.
            tokens: 1.0,
            at: now,
            closed: Closure { until: now, is_cut: false },
            pace: 1.0,
            full_for: 0.0,
        };
        Limiter {
            bucket,
            creates: Queue::default(),
            polls: Queue::default(),
            last: RequestKind::Poll,
            creates_part: 0.0,
            number: 0,
            swept_at: now,
            models: BTreeMap::new(),
        }
    }

    /// A limiter that keeps the pauses of one whose process is gone.
    pub fn with_pauses(per_minute: f64, pauses: Pauses, now: f64) -> Limiter {
        let mut limiter = Limiter::new(per_minute, now);
        if pauses.all.until > now {
            limiter.bucket.close(&pauses.all.restored(now));
        }
        limiter.models =
            pauses.models.into_iter().map(|(model, closure)| (model, closure.restored(now))).collect();
        limiter
    }

    /// The pauses that have to outlive this process.
    pub fn pauses(&self) -> Pauses {
        Pauses { all: self.bucket.closed, models: self.models.clone() }
    }

    /// Asks for a turn for a create of this model, which may have to wait while others need not. Otherwise it is
    /// [`Limiter::ask_within`].
    pub fn ask_for(
        &mut self,
        model: &str,
        ticket: &str,
        identity: &str,
        need: RequestKind,
        patience_ms: f64,
        now: f64,
    ) -> Admission {
        let closed =
            self.models.get(model).filter(|closure| need == RequestKind::Create && closure.until > now);
        if let Some(closure) = closed {
            let wait_ms = (closure.until - now).ceil().max(MIN_WAIT_MS);
            // It keeps no place: the queue must not wait for it.
            if let Some((key, _)) = self.creates.tickets.get(ticket) {
                let index = self.creates.index(*key);
                self.creates.remove(ticket, index);
            }
            let length = (self.creates.places.len() + self.polls.places.len()) as u32 + 1;
            return Admission { wait_ms, position: self.creates.places.len() as u32, length };
        }
        let turn = self.ask_within(ticket, identity, need, patience_ms, now);
        if turn.wait_ms == 0.0
            && need == RequestKind::Create
            && let Some(closure) = self.models.get_mut(model)
        {
            closure.pass(now);
        }
        turn
    }

    /// Asks for a turn. A `ticket` names the request, and keeps its place from one time to the next.
    pub fn ask(&mut self, ticket: &str, identity: &str, need: RequestKind, now: f64) -> Admission {
        self.ask_within(ticket, identity, need, f64::INFINITY, now)
    }

    /// Asks for a turn that has to come within so many milliseconds. One that will not come so soon leaves no
    /// place: a queue of those who do not come back would hold up everybody else.
    pub fn ask_within(
        &mut self,
        ticket: &str,
        identity: &str,
        need: RequestKind,
        patience_ms: f64,
        now: f64,
    ) -> Admission {
        let bucket = &mut self.bucket;
        bucket.refill(now);
        if now >= self.swept_at + SWEEP_MS {
            self.swept_at = now;
            self.creates.drop_late(now);
            self.polls.drop_late(now);
        }
        let (own, other) = match need {
            RequestKind::Create => (&mut self.creates, &self.polls),
            RequestKind::Poll => (&mut self.polls, &self.creates),
        };
        let index = own.place(ticket, identity, &mut self.number);
        let length = (own.places.len() + other.places.len()) as u32;
        // More than the bucket holds need not be counted exactly.
        let most = bucket.burst as usize + 1;
        // Whoever comes when the bucket has filled up again loses nothing by a turn that is taken now.
        let soon = now + bucket.full_after();
        let (waited, overdue) = own.ahead(index, most, soon, now);
        let (rivals, absent) = other.ahead(other.places.len(), most, soon, now);
        // The kinds take turns, for as long as both wait.
        let before = |own: usize, rivals: usize| own + rivals.min(own + usize::from(self.last == need));
        let needed = before(waited, rivals) as u32 + 1;
        // Whoever is here goes before turns are lost for long, whoever is waited for.
        let is_idle = bucket.full_for >= GRACE_MS;
        if is_idle || bucket.tokens >= f64::from(needed) {
            bucket.tokens -= 1.0;
            bucket.full_for = 0.0;
            if bucket.closed.is_cut {
                bucket.tokens = 0.0;
                bucket.closed.pass(now);
            }
            self.last = need;
            let is_create = f64::from(u8::from(need == RequestKind::Create));
            self.creates_part += (is_create - self.creates_part) * MEMORY;
            own.take(ticket, index);
            return Admission { wait_ms: 0.0, position: 0, length: length - 1 };
        }
        let needed = before(index - overdue, other.places.len() - absent) as u32 + 1;
        // Creates that are still to come go before polls that wait: they take as many turns as of late.
        let share = if need == RequestKind::Poll { (1.0 - self.creates_part).max(0.5) } else { 1.0 };
        let needed = f64::from(needed).max(f64::from((index - overdue) as u32 + 1) / share);
        let wait_ms = bucket.wait_for(needed, now).ceil().max(MIN_WAIT_MS);
        let turn = Admission { wait_ms, position: index as u32, length };
        if wait_ms > patience_ms {
            own.remove(ticket, index);
        } else {
            own.places[index].told = now + wait_ms;
        }
        turn
    }

    /// The provider has refused a request: nobody sends any for so long, and then all more slowly.
    pub fn pause_all(&mut self, ms: f64, now: f64) {
        let bucket = &mut self.bucket;
        bucket.refill(now);
        let mut closed = bucket.closed;
        closed.pause(ms, now);
        if now >= bucket.closed.until {
            bucket.close(&closed);
        } else {
            bucket.closed = closed;
        }
    }

    /// The provider has refused a create by the name of its model: none of that model is sent for so long.
    pub fn pause_model(&mut self, model: &str, ms: f64, now: f64) {
        self.models.retain(|_, closure| closure.until > now || closure.is_cut);
        self.models.entry(model.into()).or_default().pause(ms, now);
        if self.models.len() > MAX_MODELS {
            let first = self.models.iter().min_by(|one, other| one.1.until.total_cmp(&other.1.until));
            if let Some(model) = first.map(|(model, _)| model.clone()) {
                self.models.remove(&model);
            }
        }
    }
}

/// How long an answer asks the whole limiter to wait, in milliseconds; 0 where it does not.
pub fn pause_asked_ms<V: Value>(reply: &Answer<V>) -> f64 {
    if reply.status != 429 {
        return 0.0;
    }
    let asked = reply.retry_after.asked_ms(&error_of(reply));
    if asked > 0.0 { asked } else { DEFAULT_SLOW_MS }
}

/// Whether an answer of 429 refuses this model, and says nothing of the others.
pub fn names_model<V: Value>(reply: &Answer<V>, model: &str) -> bool {
    let error = error_of(reply);
    reply.status == 429
        && !model.is_empty()
        && (error.text_of(Name::Code).starts_with("model_") || contains(&error.reason(), model))
}

fn error_of<V: Value>(reply: &Answer<V>) -> V {
    reply.body.as_ref().map_or_else(V::nothing, |body| body.get(Name::Error))
}
