//! What a test sees of an action that ran: its log lines, requests and artifacts.

use crate::artifacts::Info;
use crate::log::Level;

/// One line that the action logged.
///
/// ```
/// let host = quantum_sdk::testing::Host::new();
/// host.context().log().info("hi", &[("n", &1)]);
/// assert_eq!(host.logs()[0].field("n"), Some("1"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// Its text.
    pub message: String,
    /// Names and JSON texts.
    pub fields: Vec<(String, String)>,
}

impl LogLine {
    /// The JSON text of a field.
    ///
    /// ```
    /// # use quantum_sdk::{Level, testing::LogLine};
    /// let line = LogLine { level: Level::Info, message: String::new(), fields: vec![("n".into(), "1".into())] };
    /// assert_eq!(line.field("n"), Some("1"));
    /// ```
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }
}

/// One request that the action sent.
///
/// ```
/// # use quantum_sdk::testing::{Answer, Host};
/// # let host = Host::new();
/// # host.answer("GET", "https://a.example/", Answer::status(200));
/// # host.context().http().get("https://a.example/").send().unwrap();
/// assert_eq!(host.requests()[0].method, "GET");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// For example `GET`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// In their order.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl SentRequest {
    /// The first header of this name, in any case.
    ///
    /// ```
    /// # use quantum_sdk::testing::SentRequest;
    /// let sent = SentRequest { method: "GET".into(), url: String::new(), headers: vec![], body: vec![] };
    /// assert_eq!(sent.header("accept"), None);
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// One artifact that the action stored.
///
/// ```
/// let host = quantum_sdk::testing::Host::new();
/// host.context().artifacts().put("notes", "text/plain", b"remember").unwrap();
/// let stored = &host.artifacts()[0];
/// assert_eq!((stored.name.as_deref(), stored.bytes.as_slice()), (Some("notes"), &b"remember"[..]));
/// assert_eq!(stored.info.media_type.as_deref(), Some("text/plain"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredArtifact {
    /// Its name in the execution.
    pub name: Option<String>,
    /// Digest, size and media type.
    pub info: Info,
    /// The bytes.
    pub bytes: Vec<u8>,
}
