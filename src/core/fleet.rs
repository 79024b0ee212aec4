//! Whose turn it is: spreads the requests of many tasks below the limit of the key that they share.
//!
//! A bucket of tokens sets the pace. While there is none, requests queue: creates and polls take turns, and
//! within each of the two every identity has its turn, however many requests another one has waiting. An answer
//! of 429 stops everybody, and slows everybody afterwards.
//!
//! The state is soft: whoever waits comes back by itself, so that a queue which is lost forms anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{answer::Reply, value::Value};

/// The provider counts requests by the minute.
const WINDOW_MS: f64 = 60_000.0;
/// After a 429 that does not say how long to wait, in milliseconds.
const DEFAULT_SLOW_MS: f64 = 1_000.0;
/// What a 429 leaves of the pace; it comes back within a window.
const SLOWDOWN: f64 = 0.5;
const SLOWEST: f64 = 0.05;
/// Whoever does not come back for so long after its time, in milliseconds, has no place in the queue any more.
const PATIENCE_MS: f64 = 5_000.0;
/// How often those are looked for, in milliseconds.
const SWEEP_MS: f64 = 1_000.0;
/// Nobody is asked to come back sooner, in milliseconds: the answer costs more than the wait.
const MIN_WAIT_MS: f64 = 50.0;

/// What a turn is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A create.
    Create,
    /// A poll.
    Poll,
}

/// The answer to whoever asks for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// How long to wait before asking again, in milliseconds; 0 is the turn itself.
    pub wait_ms: f64,
    /// How many requests of this kind come first.
    pub position: u32,
    /// How many requests wait, this one included.
    pub length: u32,
}

/// One place in a queue.
#[derive(Clone, Debug)]
struct Place {
    /// The round in which this identity has its turn.
    round: u64,
    number: u64,
    ticket: String,
    identity: String,
    /// When it will come back at the latest.
    until: f64,
}

/// Requests of one kind, in the order of their turns.
#[derive(Clone, Debug, Default)]
struct Queue {
    places: Vec<Place>,
    /// The round and the number of each ticket's place.
    tickets: BTreeMap<String, (u64, u64)>,
    /// The round that is being served.
    round: u64,
    /// The last round in which an identity has a turn.
    rounds: BTreeMap<String, u64>,
}

impl Queue {
    /// The index of a ticket's place, which it gets now where it has none.
    fn place(&mut self, ticket: &str, identity: &str, number: &mut u64) -> usize {
        if let Some(key) = self.tickets.get(ticket) {
            return self.places.partition_point(|place| (place.round, place.number) < *key);
        }
        let last = self.rounds.entry(identity.into()).or_default();
        *last = self.round.max(*last) + 1;
        *number += 1;
        let place = Place {
            round: *last,
            number: *number,
            ticket: ticket.into(),
            identity: identity.into(),
            until: f64::INFINITY,
        };
        let key = (place.round, place.number);
        self.tickets.insert(ticket.into(), key);
        let index = self.places.partition_point(|other| (other.round, other.number) < key);
        self.places.insert(index, place);
        index
    }

    fn take(&mut self, index: usize) {
        let place = self.places.remove(index);
        self.tickets.remove(&place.ticket);
        self.round = self.round.max(place.round);
        self.forget(&place.identity);
    }

    /// Drops whoever has not come back.
    fn drop_late(&mut self, now: f64) {
        let served = self.round;
        self.places.retain(|place| place.until >= now);
        self.tickets.retain(|_, key| {
            self.places.binary_search_by_key(key, |place| (place.round, place.number)).is_ok()
        });
        self.rounds.retain(|_, round| *round > served);
    }

    /// An identity without a claim on a later round is like one that has never been here.
    fn forget(&mut self, identity: &str) {
        if self.rounds.get(identity).is_some_and(|round| *round <= self.round) {
            self.rounds.remove(identity);
        }
    }
}

/// The fleet of one key. All times are milliseconds of the caller's clock.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Tokens a millisecond, when nothing slows us.
    rate: f64,
    /// The most tokens at once.
    burst: f64,
    tokens: f64,
    at: f64,
    /// Before this, nobody has a turn.
    closed_until: f64,
    /// The part of the rate that is used, which grows back to 1.
    pace: f64,
    creates: Queue,
    polls: Queue,
    /// The kind that has had the last contested turn.
    last: Need,
    number: u64,
    swept_at: f64,
}

impl Fleet {
    /// A fleet that sends at most `per_minute` requests in any minute.
    pub fn new(per_minute: f64, now: f64) -> Fleet {
        let burst = (per_minute / 60.0).max(1.0);
        Fleet {
            // What a full bucket lets through at once is missing in the minute that follows.
            rate: (per_minute - burst).max(1.0) / WINDOW_MS,
            burst,
            tokens: burst,
            at: now,
            closed_until: now,
            pace: 1.0,
            creates: Queue::default(),
            polls: Queue::default(),
            last: Need::Poll,
            number: 0,
            swept_at: now,
        }
    }

    fn refill(&mut self, now: f64) {
        let passed = (now - self.at.max(self.closed_until)).max(0.0);
        self.tokens = (self.tokens + passed * self.rate * self.pace).min(self.burst);
        self.pace = (self.pace + passed / WINDOW_MS).min(1.0);
        self.at = self.at.max(now);
    }

    /// Asks for a turn. A `ticket` names the request, and keeps its place from one time to the next.
    pub fn ask(&mut self, ticket: &str, identity: &str, need: Need, now: f64) -> Turn {
        self.refill(now);
        if now >= self.swept_at + SWEEP_MS {
            self.swept_at = now;
            self.creates.drop_late(now);
            self.polls.drop_late(now);
        }
        let (own, other) = match need {
            Need::Create => (&mut self.creates, &self.polls),
            Need::Poll => (&mut self.polls, &self.creates),
        };
        let index = own.place(ticket, identity, &mut self.number);
        let rivals = other.places.len();
        let length = (own.places.len() + rivals) as u32;
        // The kinds take turns, for as long as both wait.
        let before = (index + rivals.min(if self.last == need { index + 1 } else { index })) as u32;
        if now >= self.closed_until && self.tokens >= f64::from(before + 1) {
            self.tokens -= 1.0;
            self.last = need;
            own.take(index);
            return Turn { wait_ms: 0.0, position: 0, length: length - 1 };
        }
        let missing = f64::from(before + 1) - self.tokens;
        let closed = (self.closed_until - now).max(0.0);
        let wait_ms = (closed + missing.max(0.0) / (self.rate * self.pace)).ceil().max(MIN_WAIT_MS);
        own.places[index].until = now + wait_ms + PATIENCE_MS;
        Turn { wait_ms, position: index as u32, length }
    }

    /// The provider has refused a request: nobody sends any for so long, and then all more slowly.
    pub fn slow(&mut self, ms: f64, now: f64) {
        self.refill(now);
        if now >= self.closed_until {
            self.pace = (self.pace * SLOWDOWN).max(SLOWEST);
        }
        self.tokens = 0.0;
        self.closed_until = self.closed_until.max(now + ms);
    }
}

/// How long an answer asks the whole fleet to wait, in milliseconds; 0 where it does not.
pub fn slow_ms<V: Value>(reply: &Reply<V>) -> f64 {
    if reply.status != 429 {
        return 0.0;
    }
    let error = reply.body.as_ref().map_or_else(V::nothing, |body| body.get("error"));
    let asked = reply.retry_after.asked_ms(&error);
    if asked > 0.0 { asked } else { DEFAULT_SLOW_MS }
}
