//! What went wrong, whether money may have been spent, and what to do next.

use serde::{Deserialize, Serialize};

use super::{
    Loss,
    retry::RetryAfter,
    value::{Type, Value},
};

/// The kind of an error; its text is the class name in snake case, without `_error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the public documentation of each kind is its class's, in the declarations
pub enum Kind {
    InvalidRequest,
    Authentication,
    PaymentRequired,
    PermissionDenied,
    NotFound,
    RateLimit,
    Server,
    TaskNotFound,
    TaskFailed,
    TaskCancelled,
    Connection,
    RequestTimeout,
    Response,
    WaitTimeout,
    PollBudget,
    UntrustedUrl,
    Callback,
}

impl Kind {
    /// The kind of an HTTP status that is not a success.
    fn of_status(status: u16) -> Kind {
        match status {
            // A browser shows a redirect that it does not follow as status 0.
            0 | 300..=399 => Kind::Response,
            401 => Kind::Authentication,
            402 => Kind::PaymentRequired,
            403 => Kind::PermissionDenied,
            404 => Kind::NotFound,
            429 => Kind::RateLimit,
            408 | 500.. => Kind::Server,
            _ => Kind::InvalidRequest,
        }
    }

    /// What to do next, for an answer that brings no hint of its own.
    fn advice(self) -> &'static str {
        match self {
            Kind::Authentication => "Check the API key.",
            Kind::PaymentRequired => "Top up the account, or choose a cheaper model.",
            Kind::PermissionDenied => "Check what this key may use.",
            Kind::RateLimit => "Send fewer requests, or wait before the next one.",
            _ => "",
        }
    }
}

/// What is known of the request's effect, and so of its cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing has left this machine.
    NotSent,
    /// The server refused: nothing was billed.
    Rejected,
    /// A task exists and may still complete.
    Accepted,
    /// The task ended as failed.
    Failed,
    /// The request may have been carried out and billed.
    Unknown,
}

/// An error as data: the shell turns it into an instance of its class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Which class it is.
    pub kind: Kind,
    /// What is known of the request's effect.
    pub outcome: Outcome,
    /// What happened, to what, and what to do next.
    pub message: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The provider's `error.code`, or that of a failed task.
    pub code: Option<String>,
    /// The provider's `error.type`.
    #[serde(rename = "type")]
    pub error_type: Option<String>,
    /// The field that the provider objects to, or the option that we do.
    pub param: Option<String>,
    /// The provider's advice.
    pub hint: Option<String>,
    /// The `x-request-id` of the answer.
    pub request_id: Option<String>,
    /// How long the server asks to wait, in milliseconds.
    pub retry_after_ms: Option<f64>,
    /// The provider's own word on whether asking again can help.
    #[serde(skip)]
    pub retryable: Option<bool>,
}

impl Failure {
    /// A failure with a message and nothing else known.
    pub fn new(kind: Kind, outcome: Outcome, message: String) -> Failure {
        Failure {
            kind,
            outcome,
            message,
            status: None,
            code: None,
            error_type: None,
            param: None,
            hint: None,
            request_id: None,
            retry_after_ms: None,
            retryable: None,
        }
    }

    /// Says that a task goes on in spite of this failure, unless it is the task's own.
    pub fn leave_task(&mut self) {
        if self.outcome != Outcome::Failed {
            self.outcome = Outcome::Accepted;
        }
    }

    /// Our own objection to the field or option `name`.
    pub fn invalid(name: &str, expected: &str, got: Type) -> Failure {
        let mut failure = Failure::new(
            Kind::InvalidRequest,
            Outcome::NotSent,
            [name, " must be ", expected, ", got ", got.noun(), "."].concat(),
        );
        failure.param = Some(name.into());
        failure
    }

    /// An HTTP answer that refuses or breaks down. `target` is method and path.
    ///
    /// The outcome is that of a create: whoever waits for a task replaces it by `Accepted`.
    pub fn of_answer<V: Value>(
        target: &str,
        status: u16,
        body: Option<&V>,
        retry_after: &RetryAfter,
    ) -> Failure {
        let error = body.map(|body| body.get("error"));
        let field = |name| error.as_ref()?.text_of(name);
        let (code, hint) = (field("code"), field("hint"));
        let retryable = error.as_ref().and_then(|error| error.get("retryable").flag());
        let mut kind = Kind::of_status(status);
        if kind == Kind::NotFound && code.as_deref() == Some("async_task_not_found") {
            kind = Kind::TaskNotFound;
        }

        let mut message = String::from(target);
        if kind == Kind::Response {
            message.push_str(" was redirected, and redirects are not followed: check baseUrl.");
        } else {
            message.push_str(" was answered with status ");
            push_number(&mut message, status.into());
            if let Some(code) = &code {
                message.push_str(" (");
                message.push_str(code);
                message.push(')');
            }
            let said = field("message").or_else(|| error.as_ref()?.text());
            if let Some(said) = &said {
                message.push_str(": ");
                message.push_str(said);
            }
            let advice = hint.as_deref().unwrap_or(kind.advice());
            if !message.contains(advice) {
                message.push_str(if said.is_some() { " " } else { ". " });
                message.push_str(advice);
            }
        }
        let outcome = match status {
            503 if retryable == Some(true) => Outcome::Rejected,
            408 | 500.. => Outcome::Unknown,
            _ => Outcome::Rejected,
        };
        Failure {
            status: (status > 0).then_some(status),
            code,
            error_type: field("type"),
            param: field("param"),
            hint,
            retry_after_ms: retry_after.asked_ms(error.as_ref()),
            retryable,
            ..Failure::new(kind, outcome, message)
        }
    }
}

/// An attempt that brought no answer.
pub fn lost(target: &str, loss: Loss, outcome: Outcome) -> Failure {
    let (kind, what) = match loss {
        Loss::Connection => (Kind::Connection, " got no answer: the connection failed."),
        Loss::Timeout => (Kind::RequestTimeout, " got no answer within requestTimeout."),
    };
    let mut message = [target, what].concat();
    if outcome == Outcome::Unknown {
        message.push_str(" It may have been carried out and billed, so it is not sent again.");
    }
    Failure::new(kind, outcome, message)
}

/// A download that brought no picture. Downloads are not billed.
pub fn lost_download(target: &str, loss: Loss) -> Failure {
    lost(target, loss, Outcome::Rejected)
}

/// A successful answer that cannot be understood.
pub fn unclear(target: &str, why: &str, status: u16) -> Failure {
    let message = [target, " was answered, but ", why, "."].concat();
    Failure { status: Some(status), ..Failure::new(Kind::Response, Outcome::Unknown, message) }
}

/// Appends a number without the formatting machinery, which costs kilobytes of WebAssembly.
pub fn push_number(text: &mut String, number: u32) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}
