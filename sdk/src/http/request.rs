//! Building and sending one request.

use std::io::Read;
use std::time::Duration;

use serde::Serialize;

use super::{Body, Error, ErrorKind, Fault, Response, Stream, Url};
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
        let outgoing =
            Outgoing { method: method.into(), url: url.into(), headers: Vec::new(), timeout: TIMEOUT };
        Request { host: self.host, outgoing, body: Body::Whole(Vec::new()), problem: None }
    }
}

/// What is sent before the body.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub timeout: Duration,
}

impl Outgoing {
    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// A body of known length is announced; an empty one only where servers expect one.
    fn announce(&mut self, length: Option<u64>) {
        let expected = matches!(self.method.as_str(), "POST" | "PUT" | "PATCH");
        if let Some(length) = length
            && (length > 0 || expected)
            && !self.has("content-length")
        {
            self.headers.push(("content-length".to_owned(), length.to_string()));
        }
    }
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
    body: Body<'a>,
    problem: Option<String>,
}

impl<'a> Request<'a> {
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
        self.body = Body::Whole(body.into());
        self
    }

    /// Sends what the reader gives, in pieces, so that it need not fit into memory. A length that is known is announced,
    /// and it is an error when the reader gives more or less; without one the body is sent in chunks, which some services
    /// refuse. A reader's error that holds a typed failure, such as a missing artifact, stays that failure.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new().artifact("layer", None, b"bytes");
    /// # host.answer("PUT", "https://a.example/layer", Answer::status(201));
    /// let ctx = host.context();
    /// let size = ctx.artifacts().stat("layer")?.map(|info| info.size);
    /// let layer = ctx.artifacts().open("layer")?;
    /// ctx.http().request("PUT", "https://a.example/layer").body_from(layer, size).send()?;
    /// assert_eq!(host.requests()[0].body, b"bytes");
    /// assert_eq!(host.requests()[0].header("content-length"), Some("5"));
    /// # Ok::<(), quantum_sdk::Failure>(())
    /// ```
    pub fn body_from(mut self, reader: impl Read + 'a, length: impl Into<Option<u64>>) -> Self {
        self.body = Body::Streamed { reader: Box::new(reader), length: length.into() };
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
            Ok(body) => self.body = Body::Whole(body),
            Err(error) => self.problem = Some(format!("the body is not JSON: {error}")),
        }
        if self.outgoing.has("content-type") {
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

    /// Sends it and reads the whole answer, whatever its status; at most 8 MiB.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(404));
    /// assert_eq!(host.context().http().get("https://a.example/").send()?.status(), 404);
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn send(self) -> Result<Response, Error> {
        self.send_streaming()?.whole()
    }

    /// Sends it and gives the answer as soon as its head is there; the body is read from it as it comes. How large it may
    /// be is up to the host: ask for more with `#[action(response_bytes_max = …)]`.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::text(200, "line"));
    /// let answer = host.context().http().get("https://a.example/").send_streaming()?;
    /// assert_eq!(std::io::read_to_string(answer).unwrap(), "line");
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn send_streaming(self) -> Result<Stream, Error> {
        let Self { host, mut outgoing, mut body, problem } = self;
        outgoing.announce(body.length());
        let refused = |reason: &str| Fault::new(ErrorKind::InvalidRequest, reason);
        let sent = match (problem, Url::parse(&outgoing.url)) {
            (Some(problem), _) => Err(refused(&problem)),
            (None, Err(reason)) => Err(refused(reason)),
            (None, Ok(url)) => host.send(&outgoing, url, &mut body),
        };
        match sent {
            Ok((head, body)) => Ok(Stream::new(head, body)),
            Err(fault) => Err(Error::new(fault, &outgoing.method, &outgoing.url)),
        }
    }
}
