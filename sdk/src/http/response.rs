//! One answer, read whole.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Error, ErrorKind, date};

/// Characters of an error's body that go into the failure.
const ERROR_BODY_CHARS_MAX: usize = 1_000;

/// An answer with its body.
///
/// ```
/// # use quantum_sdk::testing::{Answer, Host};
/// # let host = Host::new();
/// host.answer("GET", "https://a.example/", Answer::json(200, &serde_json::json!({ "up": true })));
/// let answer = host.context().http().get("https://a.example/").send()?;
/// assert_eq!(answer.header("content-type"), Some("application/json"));
/// assert_eq!(answer.json::<serde_json::Value>()?["up"], true);
/// # Ok::<(), quantum_sdk::http::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Response {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The status, for example 200.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(202));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.status(), 202);
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, in any case; none when it is missing.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(200).header("ETag", "\"1\""));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.header("etag"), Some("\"1\""));
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All headers in their order; what is no UTF-8 in them is replaced.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(200).header("etag", "\"1\""));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.headers().count(), 1);
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The body's bytes.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::text(200, "hi"));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.bytes(), b"hi");
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; an error when it is not UTF-8.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::text(200, "hi"));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.text()?, "hi");
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body)
            .map_err(|_| self.error(ErrorKind::InvalidBody, "the answer is not UTF-8"))
    }

    /// The body as a value; an error that names the path when it does not fit.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::text(200, "[1, 2]"));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.json::<Vec<u8>>()?, [1, 2]);
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let fail = |reason| self.error(ErrorKind::InvalidBody, format!("the answer does not fit: {reason}"));
        crate::action::parse(self.text()?).map_err(fail)
    }

    /// The answer itself, or an error when its status is 400 or above. `?` makes 408, 425, 429 and 5xx retryable, with
    /// the wait that `Retry-After` asks for.
    ///
    /// ```
    /// # use quantum_sdk::{http::ErrorKind, testing::{Answer, Host}};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(429));
    /// let answer = host.context().http().get("https://a.example/").send()?;
    /// assert_eq!(answer.error_for_status().unwrap_err().kind(), ErrorKind::Status(429));
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn error_for_status(self) -> Result<Self, Error> {
        if self.status < 400 { Ok(self) } else { Err(self.status_error()) }
    }

    /// The error that this status is, whatever it is: for actions that expect another one.
    ///
    /// ```
    /// # use quantum_sdk::{http::ErrorKind, testing::{Answer, Host}};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(302));
    /// let answer = host.context().http().get("https://a.example/").send()?;
    /// assert_eq!(answer.status_error().kind(), ErrorKind::Status(302));
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn status_error(&self) -> Error {
        let start = String::from_utf8_lossy(&self.body).chars().take(ERROR_BODY_CHARS_MAX).collect();
        self.error(ErrorKind::Status(self.status), format!("answered {}", self.status))
            .with_answer(start, self.retry_after())
    }

    fn retry_after(&self) -> Option<Duration> {
        date::retry_after(self.header("retry-after"), self.header("date"))
    }

    fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        Error::new(kind, &self.method, &self.url, reason)
    }
}
