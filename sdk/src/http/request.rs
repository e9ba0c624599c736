//! Building and sending one request.

use std::time::Duration;

use serde::Serialize;

use super::{Error, ErrorKind, Response, Url};
use crate::context::Host;

/// How long one request may take when the author says nothing.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Makes requests; from [`Context::http`](crate::Context::http).
///
/// ```
/// # use quantum_sdk::testing::{Answer, Host};
/// # let host = Host::new();
/// # host.answer("DELETE", "https://api.example.com/items/1", Answer::status(204));
/// # let ctx = host.context();
/// let answer = ctx.http().request("DELETE", "https://api.example.com/items/1").send()?;
/// # assert_eq!(answer.status(), 204);
/// # Ok::<(), quantum_sdk::http::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    host: &'a Host,
}

impl<'a> Client<'a> {
    pub(crate) const fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// A GET of this URL.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://api.example.com/", Answer::status(200));
    /// host.context().http().get("https://api.example.com/").send()?;
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn get(&self, url: impl Into<String>) -> Request<'a> {
        self.request("GET", url)
    }

    /// A POST to this URL.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("POST", "https://api.example.com/", Answer::status(201));
    /// host.context().http().post("https://api.example.com/").json(&[1, 2]).send()?;
    /// # assert_eq!(host.requests()[0].body, b"[1,2]");
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn post(&self, url: impl Into<String>) -> Request<'a> {
        self.request("POST", url)
    }

    /// A request with any method.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("HEAD", "https://api.example.com/", Answer::status(200));
    /// host.context().http().request("HEAD", "https://api.example.com/").send()?;
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn request(&self, method: impl Into<String>, url: impl Into<String>) -> Request<'a> {
        let outgoing = Outgoing {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: TIMEOUT,
        };
        Request { host: self.host, outgoing, problem: None }
    }
}

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub timeout: Duration,
}

/// A request that is being built.
///
/// ```
/// # use std::time::Duration;
/// # use quantum_sdk::testing::{Answer, Host};
/// # let host = Host::new();
/// # host.answer("PUT", "https://api.example.com/notes/1", Answer::status(200));
/// let answer = host.context().http()
///     .request("PUT", "https://api.example.com/notes/1")
///     .header("content-type", "text/plain")
///     .body("remember")
///     .timeout(Duration::from_secs(5))
///     .send()?;
/// # assert_eq!(answer.status(), 200);
/// # Ok::<(), quantum_sdk::http::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a> {
    host: &'a Host,
    outgoing: Outgoing,
    problem: Option<String>,
}

impl Request<'_> {
    /// Adds a header.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(200));
    /// host.context().http().get("https://a.example/").header("accept", "text/plain").send()?;
    /// assert_eq!(host.requests()[0].header("accept"), Some("text/plain"));
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.outgoing.headers.push((name.into(), value.into()));
        self
    }

    /// Sends these bytes.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("POST", "https://a.example/", Answer::status(200));
    /// host.context().http().post("https://a.example/").body("text").send()?;
    /// assert_eq!(host.requests()[0].body, b"text");
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.outgoing.body = body.into();
        self
    }

    /// Sends a value as JSON, with its content type unless one was set before.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("POST", "https://a.example/", Answer::status(200));
    /// host.context().http().post("https://a.example/").json(&true).send()?;
    /// assert_eq!(host.requests()[0].header("content-type"), Some("application/json"));
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.outgoing.body = body,
            Err(error) => self.problem = Some(format!("the body is not JSON: {error}")),
        }
        if self.outgoing.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            return self;
        }
        self.header("content-type", "application/json")
    }

    /// How long connecting, the first byte, and each further one may take; 30 s by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use quantum_sdk::{http::ErrorKind, testing::{Answer, Host}};
    /// # let host = Host::new();
    /// host.answer("GET", "https://a.example/", Answer::status(200).takes(2_000));
    /// let sent = host.context().http().get("https://a.example/").timeout(Duration::from_secs(1)).send();
    /// assert_eq!(sent.unwrap_err().kind(), ErrorKind::Timeout);
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.outgoing.timeout = timeout;
        self
    }

    /// Sends it and reads the whole answer, whatever its status.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(404));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.status(), 404);
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn send(self) -> Result<Response, Error> {
        let Outgoing { method, url, .. } = &self.outgoing;
        let refused = |reason: &str| Error::new(ErrorKind::InvalidRequest, method, url, reason);
        if let Some(problem) = &self.problem {
            return Err(refused(problem));
        }
        let parts = Url::parse(url).map_err(refused)?;
        self.host.send(&self.outgoing, parts)
    }
}
