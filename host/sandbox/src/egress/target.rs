//! Where a request goes, normalised: the same text for matching, for policies and for the connection.

use std::fmt;

use http::{Method, Uri};
use quantum_core::manifest::{HostPattern, RequestTarget};
use wasmtime_wasi_http::Error;

/// A parsed target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub tls: bool,
    /// In lowercase; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// Without the query.
    pub path: String,
}

impl Target {
    pub fn parse(method: &Method, uri: &Uri) -> Result<Self, Error> {
        if method == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(Error::HttpRequestUriInvalid),
        };
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("" | ":") => Some(if tls { 443 } else { 80 }),
            Some(port) => port.strip_prefix(':').and_then(|port| port.parse().ok()),
            // Only with a user name in front.
            None => None,
        };
        let port = port.filter(|_| !host.is_empty()).ok_or(Error::HttpRequestUriInvalid)?;
        let path = if uri.path().is_empty() { "/" } else { uri.path() };
        Ok(Self { tls, host, port, path: path.to_owned() })
    }

    /// Host and port as a `Host` header has them: the port only when it is not the scheme's.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    pub fn is_same_origin(&self, other: &Self) -> bool {
        (self.tls, self.port) == (other.tls, other.port) && self.host == other.host
    }

    /// As patterns look at it.
    pub fn request<'a>(&'a self, method: &'a str) -> RequestTarget<'a> {
        RequestTarget { method, tls: self.tls, host: &self.host, port: self.port, path: &self.path }
    }

    /// One of the patterns covers it.
    pub fn is_covered(&self, method: &Method, hosts: &[HostPattern]) -> bool {
        let request = self.request(method.as_str());
        hosts.iter().any(|pattern| pattern.allows(&request))
    }
}

/// `http://127.0.0.1:8080`: what an installer writes to allow it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Option<String> {
        Target::parse(&Method::GET, &uri.parse().unwrap()).ok().map(|target| target.to_string())
    }

    #[test]
    fn a_target_is_normalised() {
        assert_eq!(parse("https://API.Example.com:443/x?y").as_deref(), Some("https://api.example.com"));
        assert_eq!(parse("http://[::1]:8080/").as_deref(), Some("http://[::1]:8080"));
        assert_eq!(parse("http://example.com:/").as_deref(), Some("http://example.com"));
        assert_eq!(parse("http://user@example.com/"), None);
        assert_eq!(parse("http://example.com:x/"), None);
        assert_eq!(parse("http://example.com:99999/"), None);
        assert_eq!(parse("ftp://example.com/"), None);
        assert_eq!(parse("/path"), None);
    }
}
