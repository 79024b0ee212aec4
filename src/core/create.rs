//! The state machine of a create. It never pays twice.

use serde::{Deserialize, Serialize};

use super::{
    abi::{Kind, Outcome},
    answer::{Answer, TransportError},
    failure::Failure,
    ms::Ms,
    parse::ParsedAnswer,
    refusal::is_temporary,
    retry::backoff,
    text::join,
    value::Value,
};

/// All sleeps between the attempts of one create together.
const SLEEP_BUDGET: Ms = Ms(60_000.0);

/// A create under way: plain data, so that it can be stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Create {
    path: String,
    max_retries: u32,
    failures: u32,
    #[serde(rename = "slept_ms")]
    slept: Ms,
    replayable: bool,
    /// Whether an attempt that has been repeated may have been carried out. A create that is stored is not `replayable`.
    #[serde(skip)]
    may_be_billed: bool,
}

/// What to do after an attempt.
#[derive(Debug, PartialEq)]
pub enum CreateAction {
    /// Send the same request again after this time.
    Retry(Ms),
    /// It was carried out.
    Done(ParsedAnswer),
    /// It failed.
    Fail(Box<Failure>),
}

impl Create {
    /// A create that has not been sent. It is `replayable` only where the server promises to carry out
    /// a keyed create once.
    pub fn new(path: String, max_retries: u32, replayable: bool) -> Create {
        Create { path, max_retries, failures: 0, slept: Ms::ZERO, replayable, may_be_billed: false }
    }

    /// The path of the request, below the base URL's origin.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether an attempt before the last one may have been carried out and billed.
    pub fn may_be_billed(&self) -> bool {
        self.may_be_billed
    }

    /// Judges an answer. `random` lies in 0..1.
    pub fn answer<V: Value>(&mut self, answer: &Answer<V>, random: f64) -> CreateAction {
        let target = self.target();
        if !answer.is_success() {
            return self.retry_or_fail(Failure::of_answer(&target, answer), random);
        }
        match ParsedAnswer::of(&target, answer, None) {
            Ok(parsed) => CreateAction::Done(parsed),
            // A whole answer would only come again.
            Err(failure) if answer.body.is_some() => CreateAction::Fail(failure),
            Err(failure) => self.retry_or_fail(failure, random),
        }
    }

    /// Judges an attempt that brought no answer. `is_sent` tells whether it left this machine.
    pub fn lost(&mut self, error: TransportError, is_sent: bool, random: f64) -> CreateAction {
        let outcome = if is_sent { Outcome::Unknown } else { Outcome::NotSent };
        self.retry_or_fail(Failure::lost(&self.target(), error, outcome), random)
    }

    fn target(&self) -> String {
        join(&["POST ", &self.path])
    }

    /// Repeats what is safe to repeat, and fails otherwise.
    fn retry_or_fail(&mut self, failure: Box<Failure>, random: f64) -> CreateAction {
        let harmless = match failure.outcome {
            Outcome::Rejected => is_temporary(&failure),
            Outcome::Unknown => self.replayable,
            // No connection was made. A key function that takes too long would only do so again.
            Outcome::NotSent => failure.kind == Kind::Connection,
            _ => false,
        };
        let retry_after = failure.retry_after;
        let sleep = if retry_after > Ms::ZERO { retry_after } else { backoff(self.failures, random) };
        if !harmless
            || failure.is_final
            || self.failures == self.max_retries
            || self.slept + sleep > SLEEP_BUDGET
        {
            return CreateAction::Fail(failure);
        }
        self.slept += sleep;
        self.failures += 1;
        self.may_be_billed |= failure.outcome == Outcome::Unknown;
        CreateAction::Retry(sleep)
    }
}
