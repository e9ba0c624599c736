//! Patterns of hosts that a plugin may call: `https://api.example.com`, `https://*.example.com:8443/v1`,
//! `http://127.0.0.1:*`, and `*` for the installer's explicit word. Methods may stand in front: `GET,HEAD https://…`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a host pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is not a host pattern: {reason}; write for example https://api.example.com or http://127.0.0.1:*"
)]
pub struct HostPatternError {
    pub text: String,
    pub reason: &'static str,
}

/// One allowed group of targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern {
    text: String,
    /// Empty: every method.
    methods: Vec<String>,
    target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Everything,
    Host { tls: bool, host: HostRule, port: PortRule, path_prefix: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    Exact(String),
    /// `*.example.com`: the suffix with its dot.
    Suffix(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PortRule {
    Exact(u16),
    Any,
}

/// What a request goes to, normalised: the host in lowercase, IPv6 without brackets.
#[derive(Debug, Clone, Copy)]
pub struct RequestTarget<'a> {
    pub method: &'a str,
    pub tls: bool,
    pub host: &'a str,
    pub port: u16,
    pub path: &'a str,
}

impl HostPattern {
    pub fn parse(text: &str) -> Result<Self, HostPatternError> {
        let fail = |reason| HostPatternError { text: text.chars().take(200).collect(), reason };
        let (methods, rest) =
            split_methods(text.trim()).ok_or_else(|| fail("the methods are not upper-case words"))?;
        let target = parse_target(rest).map_err(fail)?;
        Ok(Self { text: text.trim().to_owned(), methods, target })
    }

    pub fn allows(&self, request: &RequestTarget<'_>) -> bool {
        let method = self.methods.is_empty() || self.methods.iter().any(|known| known == request.method);
        method && self.target.allows(request)
    }

    /// The scheme, the host and the port are allowed, for some method and some path.
    pub fn names_host(&self, request: &RequestTarget<'_>) -> bool {
        self.target.names_host(request)
    }

    /// The same target with this method in front of those that it has.
    pub fn with_method(&self, method: &str) -> Result<Self, HostPatternError> {
        let (methods, rest) = split_methods(&self.text).unwrap_or_default();
        let methods: Vec<&str> = methods.iter().map(String::as_str).chain([method]).collect();
        Self::parse(&format!("{} {rest}", methods.join(",")))
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Empty: every method.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }
}

impl Target {
    fn allows(&self, request: &RequestTarget<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Host { path_prefix, .. } => self.names_host(request) && under(request.path, path_prefix),
        }
    }

    fn names_host(&self, request: &RequestTarget<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Host { tls, host, port, .. } => {
                *tls == request.tls && host.allows(request.host) && port.allows(request.port)
            }
        }
    }
}

impl HostRule {
    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == host,
            Self::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }
}

impl PortRule {
    fn allows(self, port: u16) -> bool {
        match self {
            Self::Exact(exact) => exact == port,
            Self::Any => true,
        }
    }
}

/// A prefix ends at a segment's border: `/v1` covers `/v1` and `/v1/x`, not `/v10`. A path with dot segments is under
/// no prefix, because the server may resolve them.
fn under(path: &str, prefix: &str) -> bool {
    if prefix.is_empty() {
        return true;
    }
    let plain = !path.split('/').any(is_dot_segment);
    plain && path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

fn is_dot_segment(segment: &str) -> bool {
    let decoded = segment.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/");
    decoded.split(['/', '\\']).any(|part| part == "." || part == "..")
}

fn split_methods(text: &str) -> Option<(Vec<String>, &str)> {
    let Some((methods, rest)) = text.split_once(' ') else { return Some((Vec::new(), text)) };
    let methods: Vec<String> = methods.split(',').map(str::to_owned).collect();
    let words = methods.iter().all(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_uppercase()));
    words.then(|| (methods, rest.trim()))
}

fn parse_target(text: &str) -> Result<Target, &'static str> {
    if text == "*" {
        return Ok(Target::Everything);
    }
    let (scheme, rest) = text.split_once("://").ok_or("it has no scheme (https:// or http://)")?;
    let tls = match scheme {
        "https" => true,
        "http" => false,
        _ => return Err("the scheme is neither https nor http"),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') || path.contains(['?', '#', '*']) {
        return Err("user names, queries, fragments and wildcards in the path are not matched");
    }
    let (host, port) = split_port(authority, tls)?;
    Ok(Target::Host {
        tls,
        host: parse_host(host)?,
        port,
        path_prefix: path.trim_end_matches('/').to_owned(),
    })
}

fn split_port(authority: &str, tls: bool) -> Result<(&str, PortRule), &'static str> {
    let default = PortRule::Exact(if tls { 443 } else { 80 });
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[after_brackets..].find(':') else { return Ok((authority, default)) };
    let (host, port) = authority.split_at(after_brackets + colon);
    match &port[1..] {
        "*" => Ok((host, PortRule::Any)),
        digits => {
            digits.parse().map(|p| (host, PortRule::Exact(p))).map_err(|_| "the port is not a number or *")
        }
    }
}

fn parse_host(host: &str) -> Result<HostRule, &'static str> {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let (rule, name): (fn(String) -> HostRule, &str) = match host.strip_prefix("*.") {
        Some(suffix) => (|suffix| HostRule::Suffix(format!(".{suffix}")), suffix),
        None => (HostRule::Exact, &host),
    };
    let plain = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    if !plain {
        return Err("the host is empty or has characters that no host has");
    }
    Ok(rule(name.to_owned()))
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostPatternError;
    fn try_from(text: String) -> Result<Self, HostPatternError> {
        Self::parse(&text)
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> String {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, method: &str, url: &str) -> bool {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap());
        let (host, port) = authority.rsplit_once(':').unwrap();
        let target =
            RequestTarget { method, tls: scheme == "https", host, port: port.parse().unwrap(), path };
        HostPattern::parse(pattern).unwrap().allows(&target)
    }

    #[test]
    fn a_pattern_allows_what_it_names_and_nothing_near_it() {
        let yes = [
            ("https://api.example.com", "GET", "https://api.example.com:443/x"),
            ("https://*.example.com:8443", "GET", "https://a.b.example.com:8443/"),
            ("http://127.0.0.1:*", "POST", "http://127.0.0.1:9999/"),
            ("https://a.example/v1", "GET", "https://a.example:443/v1/x"),
            ("GET,HEAD https://a.example", "HEAD", "https://a.example:443/"),
            ("*", "DELETE", "http://anything.example:1/"),
        ];
        let no = [
            ("https://api.example.com", "GET", "http://api.example.com:80/"),
            ("https://api.example.com", "GET", "https://api.example.com.evil.example:443/"),
            ("https://*.example.com", "GET", "https://example.com:443/"),
            ("https://*.example.com", "GET", "https://evilexample.com:443/"),
            ("https://a.example/v1", "GET", "https://a.example:443/v10"),
            ("https://a.example/v1", "GET", "https://a.example:443/v1/../admin"),
            ("https://a.example/v1", "GET", "https://a.example:443/v1/%2e%2e/admin"),
            ("GET https://a.example", "POST", "https://a.example:443/"),
        ];
        for (pattern, method, url) in yes {
            assert!(check(pattern, method, url), "{pattern} must allow {method} {url}");
        }
        for (pattern, method, url) in no {
            assert!(!check(pattern, method, url), "{pattern} must not allow {method} {url}");
        }
    }

    #[test]
    fn a_host_is_named_whatever_is_done_there() {
        let pattern = HostPattern::parse("GET https://a.example/v1").unwrap();
        let at = |host, tls| RequestTarget { method: "POST", tls, host, port: 443, path: "/v2" };
        assert!(pattern.names_host(&at("a.example", true)) && !pattern.allows(&at("a.example", true)));
        assert!(!pattern.names_host(&at("b.example", true)) && !pattern.names_host(&at("a.example", false)));
        assert_eq!(pattern.with_method("POST").unwrap().as_str(), "GET,POST https://a.example/v1");
        assert!(pattern.with_method("post").is_err());
    }

    #[test]
    fn a_bad_pattern_says_what_to_write() {
        for bad in ["example.com", "ftp://x", "https://", "https://u@h", "https://h:x", "get https://h"] {
            let error = HostPattern::parse(bad).unwrap_err().to_string();
            assert!(error.contains("write for example"), "{error}");
        }
    }
}
