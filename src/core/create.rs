//! The state machine of a create. It never pays twice.

use super::{
    Loss,
    answer::{Meaning, Patch, Reply, Task},
    failure::{Failure, Outcome, lost, unclear},
    retry::backoff_ms,
    value::Value,
};

/// All sleeps between the attempts of one create together, in milliseconds.
const SLEEP_BUDGET_MS: f64 = 60_000.0;

/// A create under way.
#[derive(Clone, Debug)]
pub struct Create {
    target: String,
    retries_left: u32,
    failures: u32,
    slept_ms: f64,
    replayable: bool,
}

/// What to do after an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum CreateStep {
    /// Send the same request again after so many milliseconds.
    Retry(f64),
    /// Done, without a task to wait for.
    Completed(Patch),
    /// A task exists.
    Task(Task, Patch),
    /// It failed.
    Fail(Failure),
}

impl Create {
    /// A create that has not been sent. It is `replayable` only where the server promises to carry out
    /// a keyed create once.
    pub fn new(path: &str, max_retries: u32, replayable: bool) -> Create {
        let target = ["POST ", path].concat();
        Create { target, retries_left: max_retries, failures: 0, slept_ms: 0.0, replayable }
    }

    /// Judges an answer. `random` lies in 0..1.
    pub fn answer<V: Value>(&mut self, reply: &Reply<V>, random: f64) -> CreateStep {
        let failure = match (reply.is_success(), &reply.body) {
            (false, body) => Failure::of_answer(&self.target, reply.status, body.as_ref(), &reply.retry_after),
            (true, None) => unclear(&self.target, "the body broke off or is not JSON", reply.status),
            (true, Some(body)) => match Meaning::of(body, None) {
                Meaning::Completed(patch) => return CreateStep::Completed(patch),
                Meaning::Running(task, patch) => return CreateStep::Task(task, patch),
                Meaning::Failed(failure) => return CreateStep::Fail(failure),
                // The answer is whole, so that asking again would only bring it again.
                Meaning::Unclear(why) => return CreateStep::Fail(unclear(&self.target, why, reply.status)),
            },
        };
        self.again(failure, random)
    }

    /// Judges an attempt that brought no answer. `sent` tells whether it left this machine.
    pub fn lost(&mut self, loss: Loss, sent: bool, random: f64) -> CreateStep {
        let outcome = if sent { Outcome::Unknown } else { Outcome::NotSent };
        self.again(lost(&self.target, loss, outcome), random)
    }

    /// Repeats what is safe to repeat, and fails otherwise.
    fn again(&mut self, failure: Failure, random: f64) -> CreateStep {
        let did_nothing = failure.outcome == Outcome::Rejected && matches!(failure.status, Some(429 | 503));
        let harmless = did_nothing || self.replayable && failure.outcome == Outcome::Unknown;
        let sleep = failure.retry_after_ms.unwrap_or_else(|| backoff_ms(self.failures, random));
        if !harmless
            || failure.retryable == Some(false)
            || self.retries_left == 0
            || self.slept_ms + sleep > SLEEP_BUDGET_MS
        {
            return CreateStep::Fail(failure);
        }
        self.slept_ms += sleep;
        self.retries_left -= 1;
        self.failures += 1;
        CreateStep::Retry(sleep)
    }
}
