//! What an answer begins with.

use std::time::Duration;

use super::{Error, ErrorKind, Fault, date};

/// Characters of an error's body that go into the failure.
pub(super) const ERROR_BODY_CHARS_MAX: usize = 1_000;

/// The status and headers of an answer, and the request that they belong to.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub method: String,
    pub url: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        self.fault(Fault::new(kind, reason))
    }

    pub fn fault(&self, fault: Fault) -> Error {
        Error::new(fault, &self.method, &self.url)
    }

    /// The error that this status is, with the start of the body.
    pub fn status_error(&self, body: &[u8]) -> Error {
        let start = String::from_utf8_lossy(body).chars().take(ERROR_BODY_CHARS_MAX).collect();
        self.error(ErrorKind::Status(self.status), format!("answered {}", self.status))
            .with_answer(start, self.retry_after())
    }

    fn retry_after(&self) -> Option<Duration> {
        date::retry_after(self.header("retry-after"), self.header("date"))
    }
}
