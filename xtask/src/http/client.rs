//! Requests to a server on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{Head, body, read_head};
use crate::error::{Error, Result};

/// Bytes of an answer's body; nothing that the demo meets is near.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What is asked of a server at `http://host:port`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Beside `host`, `connection` and `content-length`.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends one request on a connection of its own, and reads the whole answer.
pub fn send(base: &str, request: Request<'_>) -> Result<Answer> {
    let stream = connect(base, request, None)?;
    read_answer(&mut BufReader::new(stream), request.method).map_err(Error::network(base))
}

/// The same, for a server that may hang: an error when nothing more comes for so long.
pub fn send_within(base: &str, request: Request<'_>, silence_max: Duration) -> Result<Answer> {
    let stream = connect(base, request, Some(silence_max))?;
    read_answer(&mut BufReader::new(stream), request.method).map_err(Error::network(base))
}

/// Sends one request and gives what comes back as it comes, after its head.
pub fn open(base: &str, request: Request<'_>, silence_max: Duration) -> Result<(Head, BufReader<TcpStream>)> {
    let mut stream = BufReader::new(connect(base, request, Some(silence_max))?);
    let head = read_head(&mut stream).and_then(|head| head.ok_or_else(incomplete));
    head.map(|head| (head, stream)).map_err(Error::network(base))
}

/// A connection on which the request was written.
fn connect(base: &str, request: Request<'_>, silence_max: Option<Duration>) -> Result<TcpStream> {
    let peer = base.strip_prefix("http://").unwrap_or(base);
    let failed = || Error::network(peer);
    let mut stream = TcpStream::connect(peer).map_err(failed())?;
    stream.set_read_timeout(silence_max).map_err(failed())?;
    stream.set_write_timeout(silence_max).map_err(failed())?;
    let Request { method, path, headers, body } = request;
    let length = body.len();
    let mut message = format!("{method} {path} HTTP/1.1\r\nhost: {peer}\r\nconnection: close\r\n");
    for (name, value) in headers {
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    message.push_str(&format!("content-length: {length}\r\n\r\n{body}"));
    stream.write_all(message.as_bytes()).map_err(failed())?;
    Ok(stream)
}

fn incomplete() -> std::io::Error {
    std::io::Error::other("the answer is not HTTP")
}

fn read_answer(stream: &mut impl BufRead, method: &str) -> std::io::Result<Answer> {
    let head = read_head(stream)?.ok_or_else(incomplete)?;
    let status = head.status().ok_or_else(incomplete)?;
    let bodiless = method == "HEAD" || matches!(status, 204 | 304);
    let body = if bodiless { Vec::new() } else { body::read(stream, &head, BODY_BYTES_MAX)? };
    Ok(Answer { status, headers: head.headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_a_head_request_has_no_body() {
        let wire = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
        let answer = read_answer(&mut wire.as_bytes(), "HEAD").unwrap();
        assert_eq!((answer.status, answer.header("content-length"), answer.body.len()), (200, Some("7"), 0));
        assert!(read_answer(&mut wire.as_bytes(), "GET").is_err());
    }

    #[test]
    fn a_closed_connection_is_no_answer() {
        assert!(read_answer(&mut "".as_bytes(), "GET").is_err());
    }
}
