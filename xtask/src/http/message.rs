//! What a server gets, and what it gives back.

use std::io::{Result, Write};

use super::Head;

/// A request, read to its end.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// As it was sent: without the query, percent-encoded.
    pub path: String,
    query: Vec<(String, String)>,
    head: Head,
    pub body: Vec<u8>,
}

impl Received {
    pub fn new(head: Head, body: Vec<u8>) -> Self {
        let mut words = head.first_line.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or("/");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (decoded(name), decoded(value))
        };
        let query = query.split('&').filter(|text| !text.is_empty()).map(pair).collect();
        Self { method, path: path.to_owned(), query, head, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// The first value of this name, decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.queries(name).next()
    }

    pub fn queries<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `(scheme in lowercase, the rest)` of the header `Authorization`.
    pub fn authorization(&self) -> Option<(String, &str)> {
        let (scheme, rest) = self.header("authorization")?.split_once(' ')?;
        Some((scheme.to_ascii_lowercase(), rest.trim()))
    }

    /// Path segments without the empty first one.
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').skip(1).collect()
    }
}

/// Percent-decoded; `+` stays. What is no UTF-8 is replaced.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let hex = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes a body bit by bit.
type Writing = Box<dyn FnOnce(&mut dyn Write) -> Result<()> + Send>;

pub enum Body {
    Bytes(Vec<u8>),
    /// Sent in chunks, each write at once.
    Stream(Writing),
    /// Nothing is sent, not even a status: the connection ends.
    None,
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

impl Reply {
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::bytes(status, "application/json", body.to_string().into_bytes())
    }

    pub fn bytes(status: u16, media_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", media_type.to_owned())];
        Self { status, headers, body: Body::Bytes(body) }
    }

    pub fn stream(
        media_type: &str,
        writing: impl FnOnce(&mut dyn Write) -> Result<()> + Send + 'static,
    ) -> Self {
        let headers = vec![("content-type", media_type.to_owned())];
        Self { status: 200, headers, body: Body::Stream(Box::new(writing)) }
    }

    /// The request was taken, and nobody learns what became of it.
    pub fn none() -> Self {
        Self { status: 0, headers: Vec::new(), body: Body::None }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(target: &str, headers: &[(&str, &str)]) -> Received {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let head = Head { first_line: format!("GET {target} HTTP/1.1"), headers: headers.collect() };
        Received::new(head, Vec::new())
    }

    #[test]
    fn a_target_is_taken_apart_and_its_query_decoded() {
        let request = received("/a/b%2Fc/?x=metadata.name%3Dweb&x=2&flag&bad=%zz%4", &[]);
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/a/b%2Fc/"));
        assert_eq!(request.segments(), ["a", "b%2Fc", ""]);
        assert_eq!(request.queries("x").collect::<Vec<_>>(), ["metadata.name=web", "2"]);
        assert_eq!((request.query("flag"), request.query("none")), (Some(""), None));
        assert_eq!(request.query("bad"), Some("%zz%4"));
    }

    #[test]
    fn an_authorization_has_a_scheme_in_any_case() {
        let of = |value| {
            let request = received("/", &[("authorization", value)]);
            request.authorization().map(|(scheme, rest)| format!("{scheme}|{rest}"))
        };
        assert_eq!(of("BEARER  t0k3n ").as_deref(), Some("bearer|t0k3n"));
        assert_eq!(of("t0k3n"), None);
    }
}
