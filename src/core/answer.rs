//! What a request brought.

use super::{
    abi::{Name, Shape},
    ms::Ms,
    retry::RetryAfter,
    value::Value,
};

/// How an attempt ended that brought no answer to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The transport failed before an answer began: no connection, or a reset.
    Connection,
    /// The attempt used up its time-out.
    Timeout,
}

/// An answer as the shell received it.
#[derive(Clone, Debug)]
pub struct Answer<V> {
    /// The HTTP status; 0 where a browser hides a redirect.
    pub status: u16,
    /// The body; none where it broke off or is not JSON.
    pub body: Option<V>,
    /// How long the server wants to be left alone, by the `Retry-After` header.
    pub retry_after: Ms,
    /// The origin that the `Location` header leads to, a string; nothing where there is none, or where it is a path.
    pub location: V,
}

impl<V: Value> Answer<V> {
    /// Whether the status says that the request was carried out.
    pub fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Why it refuses, or nothing.
    pub fn reason(&self) -> String {
        self.body.as_ref().map_or_else(String::new, V::reason)
    }

    /// What the body says of an error.
    pub fn error(&self) -> V {
        self.body.as_ref().map_or_else(V::nothing, |body| body.get(Name::Error))
    }
}

/// One HTTP exchange.
#[derive(Clone, Debug)]
pub struct Attempt<V> {
    /// The answer, or how it was lost and whether the request had left this machine.
    pub result: Result<Answer<V>, (TransportError, bool)>,
    /// What the shell knows of the exchange, for an error that it leads to.
    pub value: V,
}

impl<V: Value> Attempt<V> {
    /// Reads what the shell knows of an exchange.
    pub fn of(value: V) -> Attempt<V> {
        let status = value.number_of(Name::Status);
        let place = |name: Name| name as u32 - Name::IsSent as u32;
        let shapes = Shape::TRUE | Shape::NUMBER | Shape::FILLED;
        let mask = value.mask(Name::IsSent, place(Name::Location) + 1, shapes);
        let has = |name: Name| mask >> place(name) & 1 != 0;
        let is_late = has(Name::IsLate);
        let result = if is_late || status.is_nan() {
            let error = if is_late { TransportError::Timeout } else { TransportError::Connection };
            Err((error, has(Name::IsSent)))
        } else {
            Ok(Answer {
                status: status as u16,
                body: has(Name::IsJson).then(|| value.get(Name::Body)),
                location: if has(Name::Location) { value.get(Name::Location) } else { V::nothing() },
                retry_after: if has(Name::Seconds) {
                    let header = RetryAfter {
                        seconds: value.number_of(Name::Seconds),
                        date_ms: value.number_of(Name::Date),
                        now_ms: value.number_of(Name::Now),
                    };
                    header.pause()
                } else {
                    Ms::ZERO
                },
            })
        };
        Attempt { result, value }
    }
}
