//! One answer, read whole.

use serde::de::DeserializeOwned;

use super::{Error, ErrorKind, Head};

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
    head: Head,
    body: Vec<u8>,
}

impl Response {
    pub(crate) const fn new(head: Head, body: Vec<u8>) -> Self {
        Self { head, body }
    }

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
        self.head.status
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
        self.head.header(name)
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
        self.head.headers()
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
        crate::json::read(self.text()?).map_err(fail)
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
        if self.head.status < 400 { Ok(self) } else { Err(self.status_error()) }
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
        self.head.status_error(&self.body)
    }

    fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        self.head.error(kind, reason)
    }
}
