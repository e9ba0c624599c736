//! Addresses that a registry answers with: where to go on, in its own words.

/// Where an address leads, seen from a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// At the registry itself: path and query.
    Here(String),
    /// At another host: the whole address, and the path and query in it.
    Elsewhere { url: String, host: String, path: String },
}

/// Reads an address that came in the answer to a request for `path` at `host`.
///
/// An address without TLS is taken for the registry's own: it is never asked for as it stands, and a registry behind the
/// host's endpoint override, which is the one case where such an address is honest, tells the name by which it knows
/// itself. So nothing is ever sent without the host's check of the registry's own name.
pub fn read(location: &str, host: &str, path: &str) -> Location {
    let lower = location.to_ascii_lowercase();
    if lower.starts_with("http://") {
        return Location::Here(path_of(location.get("http:".len()..).unwrap_or_default()));
    }
    if lower.starts_with("https://") || location.starts_with("//") {
        let rest = location.split_once("//").map_or("", |(_, rest)| rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let other = rest.get(..end).unwrap_or_default();
        let path = path_of(&format!("//{rest}"));
        if other.eq_ignore_ascii_case(host) {
            return Location::Here(path);
        }
        let url = format!("https://{other}{path}");
        return Location::Elsewhere { url, host: other.to_owned(), path };
    }
    if location.starts_with('/') {
        return Location::Here(without_fragment(location).to_owned());
    }
    let directory = path.split('?').next().unwrap_or_default();
    let directory = directory.rsplit_once('/').map_or("", |(directory, _)| directory);
    Location::Here(format!("{directory}/{}", without_fragment(location)))
}

impl Location {
    /// Path and query, whichever host it is at.
    pub fn path(&self) -> &str {
        match self {
            Self::Here(path) | Self::Elsewhere { path, .. } => path,
        }
    }
}

/// `/path?query` of `//host/path?query#fragment`.
fn path_of(address: &str) -> String {
    let rest = without_fragment(address.trim_start_matches('/'));
    let path = rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or_default();
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

fn without_fragment(text: &str) -> &str {
    text.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_registry_itself_stay_there() {
        for (location, expected) in [
            ("/v2/a/blobs/uploads/1?s=x", "/v2/a/blobs/uploads/1?s=x"),
            ("https://azurecr.io/v2/u/1", "/v2/u/1"),
            ("HTTPS://AzureCR.io/v2/u/1#x", "/v2/u/1"),
            ("//azurecr.io/v2/u", "/v2/u"),
            ("1?s=x", "/v2/a/blobs/uploads/1?s=x"),
            ("https://azurecr.io", "/"),
            ("https://azurecr.io?q=1", "/?q=1"),
        ] {
            let read = read(location, "azurecr.io", "/v2/a/blobs/uploads/");
            assert_eq!(read, Location::Here(expected.to_owned()), "{location}");
        }
    }

    #[test]
    fn an_address_without_tls_is_the_registrys_own() {
        let read = read("http://127.0.0.1:5000/v2/u/1?s=x", "azurecr.io", "/v2/");
        assert_eq!(read, Location::Here("/v2/u/1?s=x".to_owned()));
    }

    #[test]
    fn another_host_is_told_apart() {
        for location in ["https://cdn.example/x?y=1", "//cdn.example/x?y=1#z"] {
            let expected = Location::Elsewhere {
                url: "https://cdn.example/x?y=1".to_owned(),
                host: "cdn.example".to_owned(),
                path: "/x?y=1".to_owned(),
            };
            assert_eq!(read(location, "azurecr.io", "/v2/"), expected);
        }
    }
}
