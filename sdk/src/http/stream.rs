//! One answer whose body is read as it comes.

use std::io::{self, Read};

use super::head::ERROR_BODY_CHARS_MAX;
use super::{Error, ErrorKind, Head, Response};
use crate::context::AnswerBody;

/// Bytes of one answer that is read whole. Larger ones are streamed; at it the request fails.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one piece at most: what one call moves into the attempt's memory.
const PIECE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a character in UTF-8 at most.
const CHAR_BYTES_MAX: usize = 4;

/// An answer with its head; the body comes by [`std::io::Read`] and is never in memory as a whole. From
/// [`Request::send_streaming`](super::Request::send_streaming).
///
/// An answer that breaks off is an `io::Error`, of which [`Failure::from_io`](crate::Failure::from_io), and `?` in an
/// action, make the typed failure.
///
/// ```
/// use quantum_sdk::prelude::*;
/// # use quantum_sdk::testing::{Answer, Host};
///
/// fn fetch(ctx: &Context, url: &str) -> Result<quantum_sdk::artifacts::Info> {
///     let mut answer = ctx.http().get(url).send_streaming()?.error_for_status()?;
///     let mut artifact = ctx.artifacts().create(answer.header("content-type"))?;
///     std::io::copy(&mut answer, &mut artifact)?;
///     Ok(artifact.finish("download")?)
/// }
/// # let host = Host::new();
/// # host.answer("GET", "https://a.example/x", Answer::text(200, "bytes"));
/// # assert_eq!(fetch(&host.context(), "https://a.example/x").unwrap().size, 5);
/// ```
#[derive(Debug)]
pub struct Stream {
    head: Head,
    body: AnswerBody,
}

impl Stream {
    pub(crate) const fn new(head: Head, body: AnswerBody) -> Self {
        Self { head, body }
    }

    /// The status, for example 200.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(202));
    /// assert_eq!(host.context().http().get("https://a.example/").send_streaming()?.status(), 202);
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
    /// let answer = host.context().http().get("https://a.example/").send_streaming()?;
    /// assert_eq!(answer.header("etag"), Some("\"1\""));
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
    /// let answer = host.context().http().get("https://a.example/").send_streaming()?;
    /// assert_eq!(answer.headers().collect::<Vec<_>>(), [("etag", "\"1\"")]);
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.headers()
    }

    /// The answer itself, or an error with the start of its body when its status is 400 or above. `?` makes 408, 425, 429
    /// and 5xx retryable, with the wait that `Retry-After` asks for.
    ///
    /// ```
    /// # use quantum_sdk::{http::ErrorKind, testing::{Answer, Host}};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::text(429, "slow down"));
    /// let answer = host.context().http().get("https://a.example/").send_streaming()?;
    /// assert_eq!(answer.error_for_status().unwrap_err().kind(), ErrorKind::Status(429));
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn error_for_status(self) -> Result<Self, Error> {
        if self.head.status < 400 { Ok(self) } else { Err(self.status_error()) }
    }

    /// The error that this status is, whatever it is, with the start of the body.
    ///
    /// ```
    /// # use quantum_sdk::{http::ErrorKind, testing::{Answer, Host}};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::status(302));
    /// let answer = host.context().http().get("https://a.example/").send_streaming()?;
    /// assert_eq!(answer.status_error().kind(), ErrorKind::Status(302));
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn status_error(mut self) -> Error {
        let mut start = Vec::new();
        // A body that breaks off says what it said until then.
        while start.len() < ERROR_BODY_CHARS_MAX * CHAR_BYTES_MAX
            && let Ok(piece) = self.next(PIECE_BYTES_MAX)
            && !piece.is_empty()
        {
            start.extend_from_slice(&piece);
        }
        self.head.status_error(&start)
    }

    /// Reads what is left of the body into memory, at most 8 MiB.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// # let host = Host::new();
    /// # host.answer("GET", "https://a.example/", Answer::text(200, "hi"));
    /// let answer = host.context().http().get("https://a.example/").send_streaming()?.whole()?;
    /// assert_eq!(answer.text()?, "hi");
    /// # Ok::<(), quantum_sdk::http::Error>(())
    /// ```
    pub fn whole(mut self) -> Result<Response, Error> {
        let mut body = Vec::new();
        loop {
            let piece = self.next(PIECE_BYTES_MAX)?;
            if piece.is_empty() {
                return Ok(Response::new(self.head, body));
            }
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                let reason = format!("the answer has more than {ANSWER_BYTES_MAX} bytes");
                return Err(self.head.error(ErrorKind::TooLarge, reason));
            }
            body.extend_from_slice(&piece);
        }
    }

    /// Empty: the end.
    fn next(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        self.body.read(bytes_max.min(PIECE_BYTES_MAX)).map_err(|fault| self.head.fault(fault))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.next(buffer.len())?.as_slice().read(buffer)
    }
}
