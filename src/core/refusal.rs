//! Temporary refusals: the server did nothing, and it may accept the same request later.

use super::{
    abi::{Name, Outcome},
    answer::Answer,
    failure::Failure,
    ms::Ms,
    retry::longer_pause,
    text::contains,
    value::Value,
};

const TOO_MANY_REQUESTS: u16 = 429;
const UNAVAILABLE: u16 = 503;
/// The pause after a 429 without a hint.
const DEFAULT_PAUSE: Ms = Ms(1_000.0);

/// Whether the same request may be sent again: after a 429, and after a 503 that the server marks as retryable.
///
/// A 503 without that mark has the outcome [`Outcome::Unknown`].
pub fn is_temporary(failure: &Failure) -> bool {
    failure.outcome == Outcome::Rejected && matches!(failure.status, TOO_MANY_REQUESTS | UNAVAILABLE)
}

/// How long the sender of a failed request pauses: as long as the server asks for, or a little after a 429.
pub fn pause(status: u16, retry_after: Ms) -> Ms {
    if status == TOO_MANY_REQUESTS && retry_after == Ms::ZERO { DEFAULT_PAUSE } else { retry_after }
}

/// What a 429 asks of all senders that share the key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// How long to send nothing.
    pub pause: Ms,
    /// Whether the answer refuses creates of one model and says nothing of other requests.
    pub is_model_specific: bool,
}

impl RateLimit {
    /// Reads the answer to a request for this model.
    pub fn of<V: Value>(answer: &Answer<V>, model: &str) -> Option<RateLimit> {
        if answer.status != TOO_MANY_REQUESTS {
            return None;
        }
        let error = answer.error();
        let names_model =
            error.text_of(Name::Code).starts_with("model_") || contains(&answer.reason(), model);
        Some(RateLimit {
            pause: pause(answer.status, longer_pause(answer.retry_after, &error)),
            is_model_specific: names_model && !model.is_empty(),
        })
    }
}
