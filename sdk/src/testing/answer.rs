//! What a scripted service answers.

use serde::Serialize;

use crate::http::ErrorKind;

/// One answer, or one failure of the exchange.
///
/// ```
/// use quantum_sdk::testing::Answer;
/// let busy = Answer::status(503).header("retry-after", "1").takes(250);
/// # let _ = busy;
/// ```
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) outcome: Result<u16, ErrorKind>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) takes_ms: u64,
    pub(super) breaks_at: Option<usize>,
}

impl Answer {
    /// An answer without a body.
    ///
    /// ```
    /// quantum_sdk::testing::Answer::status(204);
    /// ```
    pub fn status(status: u16) -> Self {
        Self { outcome: Ok(status), headers: Vec::new(), body: Vec::new(), takes_ms: 0, breaks_at: None }
    }

    /// An answer with text.
    ///
    /// ```
    /// quantum_sdk::testing::Answer::text(200, "ok");
    /// ```
    pub fn text(status: u16, text: &str) -> Self {
        Self { body: text.as_bytes().to_vec(), ..Self::status(status).header("content-type", "text/plain") }
    }

    /// An answer with bytes.
    ///
    /// ```
    /// quantum_sdk::testing::Answer::bytes(200, [0x1f, 0x8b]);
    /// ```
    pub fn bytes(status: u16, bytes: impl Into<Vec<u8>>) -> Self {
        Self { body: bytes.into(), ..Self::status(status).header("content-type", "application/octet-stream") }
    }

    /// An answer with JSON.
    ///
    /// # Panics
    /// When the value cannot be written as JSON.
    ///
    /// ```
    /// quantum_sdk::testing::Answer::json(200, &serde_json::json!({ "up": true }));
    /// ```
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("the scripted answer is JSON");
        Self { body, ..Self::status(status).header("content-type", "application/json") }
    }

    /// No answer, but this error.
    ///
    /// ```
    /// quantum_sdk::testing::Answer::error(quantum_sdk::http::ErrorKind::Dns);
    /// ```
    pub fn error(kind: ErrorKind) -> Self {
        Self { outcome: Err(kind), ..Self::status(0) }
    }

    /// Adds a header.
    ///
    /// ```
    /// quantum_sdk::testing::Answer::status(429).header("retry-after", "3");
    /// ```
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How many milliseconds pass until it comes; longer than the request's timeout is a timeout.
    ///
    /// ```
    /// quantum_sdk::testing::Answer::status(200).takes(40_000);
    /// ```
    #[must_use]
    pub fn takes(mut self, ms: u64) -> Self {
        self.takes_ms = ms;
        self
    }

    /// The connection breaks after so many bytes of the body.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// let host = Host::new();
    /// host.answer("GET", "https://a.example/", Answer::text(200, "a long text").breaks_after(6));
    /// assert!(host.context().http().get("https://a.example/").send().is_err());
    /// ```
    #[must_use]
    pub fn breaks_after(mut self, bytes: usize) -> Self {
        self.breaks_at = Some(bytes);
        self
    }
}
