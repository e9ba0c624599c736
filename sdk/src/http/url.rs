//! The parts of an address that a request is made of. Nothing is decoded or encoded: the author writes what is sent.

/// `scheme://authority/path?query`, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    pub tls: bool,
    pub authority: &'a str,
    /// Starts with `/`, or is empty.
    pub path_and_query: &'a str,
}

impl<'a> Url<'a> {
    /// Err: what is wrong, for people.
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("the URL has characters that must be percent-encoded");
        }
        let (scheme, rest) = text.split_once("://").ok_or("the URL has no scheme: write https://…")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("the scheme is neither https nor http"),
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err("the URL has no host");
        }
        if authority.contains('@') {
            return Err("a user name in the URL is not sent: use a header");
        }
        Ok(Self { tls, authority, path_and_query })
    }

    /// What stands in the request line.
    #[cfg(any(test, target_family = "wasm"))]
    pub fn target(&self) -> String {
        if self.path_and_query.starts_with('/') {
            return self.path_and_query.to_owned();
        }
        format!("/{}", self.path_and_query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_falls_into_its_parts() {
        let url = Url::parse("https://a.example:8443?x=1#top").unwrap();
        assert_eq!((url.tls, url.authority, url.target().as_str()), (true, "a.example:8443", "/?x=1"));
        assert_eq!(Url::parse("http://a.example").unwrap().target(), "/");
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for bad in
            ["a.example/x", "ftp://a", "https://", "https://u:p@a", "https://a/b c", "https:///x", "http://ä"]
        {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }
}
