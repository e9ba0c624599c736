//! As much HTTP/1.1 as the demo needs, on std alone: read a head, send a request, undo chunks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::error::{Error, Result};

/// Bytes of a message's head or body that the demo reads; nothing it meets is near.
const MESSAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The first line and the headers, names in lowercase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub first_line: String,
    pub headers: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// None: the other side closed the connection before a first line.
pub fn read_head(stream: &mut impl BufRead) -> std::io::Result<Option<Head>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let end = stream.by_ref().take(64 * 1024).read_line(&mut line)? == 0;
        let line = line.trim_end().to_owned();
        if end || line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut lines = lines.into_iter();
    let Some(first_line) = lines.next() else { return Ok(None) };
    let header =
        |line: String| line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()));
    Ok(Some(Head { first_line, headers: lines.filter_map(header).collect() }))
}

/// What is asked of a server at `http://host:port`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: &'a str,
    /// JSON; may be empty.
    pub body: &'a str,
}

/// Sends one request on a connection of its own, and reads the whole answer.
pub fn send(base: &str, request: Request<'_>) -> Result<Answer> {
    let peer = base.strip_prefix("http://").unwrap_or(base);
    let failed = || Error::network(peer);
    let mut stream = TcpStream::connect(peer).map_err(failed())?;
    let Request { method, path, token, body } = request;
    let fixed = "Accept: application/json\r\nContent-Type: application/json\r\nConnection: close";
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {peer}\r\nAuthorization: Bearer {token}\r\n{fixed}");
    let message = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(message.as_bytes()).map_err(failed())?;
    read_answer(&mut BufReader::new(stream)).map_err(failed())
}

pub fn read_answer(stream: &mut impl BufRead) -> std::io::Result<Answer> {
    let incomplete = || std::io::Error::other("the answer is not HTTP");
    let head = read_head(stream)?.ok_or_else(incomplete)?;
    let status =
        head.first_line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(incomplete)?;
    let body = if head.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        read_chunks(stream)?
    } else {
        let length = head.header("content-length").and_then(|text| text.parse().ok());
        let mut body = Vec::new();
        stream.take(length.unwrap_or(MESSAGE_BYTES_MAX).min(MESSAGE_BYTES_MAX)).read_to_end(&mut body)?;
        body
    };
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn read_chunks(stream: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        stream.by_ref().take(64).read_line(&mut size)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let bytes = u64::from_str_radix(digits, 16).map_err(std::io::Error::other)?;
        if bytes == 0 || body.len() as u64 > MESSAGE_BYTES_MAX {
            return Ok(body);
        }
        stream.by_ref().take(bytes).read_to_end(&mut body)?;
        stream.read_line(&mut String::new())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wire: &str, status: u16, body: &str) {
        let answer = read_answer(&mut wire.as_bytes()).unwrap();
        assert_eq!(answer, Answer { status, body: body.to_owned() }, "{wire}");
    }

    #[test]
    fn a_body_is_read_by_length_by_chunks_or_to_the_end() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", 200, "hi");
        check(
            "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            404,
            "abcde",
        );
        check("HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end");
    }

    #[test]
    fn a_closed_connection_is_no_answer() {
        assert!(read_answer(&mut "".as_bytes()).is_err());
    }
}
