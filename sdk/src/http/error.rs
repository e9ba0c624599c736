//! Why a request did not give what was wanted, and which of these a later attempt may cure.

use std::time::Duration;
use std::{fmt, io};

use serde::Serialize;

use crate::failure::Failure;

/// Groups of errors that are handled alike.
///
/// ```
/// use quantum_sdk::http::ErrorKind;
/// assert_eq!(ErrorKind::Dns.code(), "http-dns");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The answer's status is an error; only from [`Response::error_for_status`](super::Response::error_for_status).
    Status(u16),
    /// No answer in time.
    Timeout,
    /// The name did not resolve.
    Dns,
    /// No connection, or it broke.
    Connection,
    /// The certificate or the handshake was refused.
    Tls,
    /// The host of the sandbox did not allow the request.
    Denied,
    /// The answer is not HTTP as it should be.
    Protocol,
    /// The answer is larger than the client takes.
    TooLarge,
    /// The address, a header or the method cannot be sent.
    InvalidRequest,
    /// The body that was to be sent cannot be read, or is not as long as announced.
    RequestBody,
    /// The body is not what it was read as.
    InvalidBody,
}

impl ErrorKind {
    /// The code of the failure that `?` makes of it.
    ///
    /// ```
    /// assert_eq!(quantum_sdk::http::ErrorKind::Status(404).code(), "http-404");
    /// ```
    pub fn code(self) -> String {
        let code = match self {
            Self::Status(status) => return format!("http-{status}"),
            Self::Timeout => "http-timeout",
            Self::Dns => "http-dns",
            Self::Connection => "http-connection",
            Self::Tls => "http-tls",
            Self::Denied => "effect-denied",
            Self::Protocol => "http-protocol",
            Self::TooLarge => "http-answer-too-large",
            Self::InvalidRequest => "http-invalid-request",
            Self::RequestBody => "http-request-body",
            Self::InvalidBody => "http-invalid-body",
        };
        code.to_owned()
    }

    /// Whether another attempt may help: 408, 425, 429, 5xx, timeouts, names that do not resolve, broken connections.
    ///
    /// ```
    /// use quantum_sdk::http::ErrorKind;
    /// assert!(ErrorKind::Status(503).is_retryable() && !ErrorKind::Status(404).is_retryable());
    /// ```
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Timeout | Self::Dns | Self::Connection | Self::Protocol => true,
            Self::Tls
            | Self::Denied
            | Self::TooLarge
            | Self::InvalidRequest
            | Self::RequestBody
            | Self::InvalidBody => false,
        }
    }
}

/// An error with the request it belongs to. `?` in an action makes a typed failure of it.
///
/// ```
/// use quantum_sdk::prelude::*;
/// use quantum_sdk::testing::{Answer, Host};
///
/// fn fetch(ctx: &Context) -> Result<String> {
///     let answer = ctx.http().get("https://api.example.com/").send()?.error_for_status()?;
///     Ok(answer.text()?.to_owned())
/// }
///
/// let host = Host::new();
/// host.answer("GET", "https://api.example.com/", Answer::status(503).header("retry-after", "2"));
/// assert_eq!(fetch(&host.context()).unwrap_err().after_ms(), Some(2_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    fault: Fault,
    request: String,
    retry_after: Option<Duration>,
    answer_start: Option<String>,
}

/// What went wrong, whichever request it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub kind: ErrorKind,
    pub reason: String,
    /// The failure of what the body was read from.
    pub cause: Option<Box<Failure>>,
}

impl Fault {
    pub fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), cause: None }
    }
}

impl Error {
    pub(crate) fn new(fault: Fault, method: &str, url: &str) -> Self {
        Self { fault, request: format!("{method} {url}"), retry_after: None, answer_start: None }
    }

    pub(crate) fn with_answer(mut self, start: String, retry_after: Option<Duration>) -> Self {
        self.answer_start = Some(start);
        self.retry_after = retry_after;
        self
    }

    /// Which group it belongs to.
    ///
    /// ```
    /// # use quantum_sdk::{http::ErrorKind, testing::{Answer, Host}};
    /// # let host = Host::new();
    /// host.answer("GET", "https://gone.example/", Answer::error(ErrorKind::Dns));
    /// assert_eq!(host.context().http().get("https://gone.example/").send().unwrap_err().kind(), ErrorKind::Dns);
    /// ```
    pub const fn kind(&self) -> ErrorKind {
        self.fault.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.fault.reason)
    }
}

impl std::error::Error for Error {}

/// What a failure tells programs of an answer.
#[derive(Serialize)]
struct Answered<'a> {
    status: u16,
    /// The body's start.
    body: &'a str,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (kind, message) = (error.kind(), error.to_string());
        if let Some(cause) = error.fault.cause {
            return *cause;
        }
        let failure = if kind.is_retryable() {
            Self::retryable(kind.code(), message)
        } else {
            Self::permanent(kind.code(), message)
        };
        let failure = match error.retry_after {
            Some(wait) => failure.after(wait),
            None => failure,
        };
        match (kind, error.answer_start) {
            (ErrorKind::Status(status), Some(body)) => failure.details(&Answered { status, body: &body }),
            _ => failure,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::Denied => io::ErrorKind::PermissionDenied,
            ErrorKind::Connection => io::ErrorKind::ConnectionAborted,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
