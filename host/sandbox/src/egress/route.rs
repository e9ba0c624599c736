//! Where a request really goes: to its target, or where the installer says that the target is.

use std::collections::BTreeMap;
use std::fmt;

use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, Method, Uri};
use quantum_core::installation::Endpoint;

use super::denial::Denial;
use super::target::Target;
use super::trust::{Trust, Trusts};

/// The grant and the secrets' hosts are held against the logical target. Resolution, classes of addresses, policies,
/// the connection and the name of its certificate are the actual one's.
#[derive(Clone)]
pub(crate) struct Route {
    /// As the guest asked for it.
    pub logical: Target,
    /// The same, unless an endpoint of the installation has a URL.
    pub actual: Target,
    pub trust: Trust,
}

impl Route {
    pub fn find(
        logical: Target,
        endpoints: &BTreeMap<String, Endpoint>,
        trusts: &Trusts,
    ) -> Result<Self, Denial> {
        let Some((key, endpoint)) = endpoints.iter().find(|(key, _)| names(key, &logical)) else {
            return Ok(Self { actual: logical.clone(), logical, trust: trusts.common() });
        };
        let bad = |part: &str, reason: &str| Denial::endpoint(&logical, key, part, reason);
        let actual = match &endpoint.url {
            Some(url) => elsewhere(url, &logical).map_err(|reason| bad("url", reason))?,
            None => logical.clone(),
        };
        let trust = match &endpoint.ca {
            Some(pem) => trusts.with(pem).map_err(|reason| bad("ca", &reason))?,
            None => trusts.common(),
        };
        Ok(Self { logical, actual, trust })
    }

    pub fn is_elsewhere(&self) -> bool {
        self.logical != self.actual
    }

    /// An answer that sends the guest on to where the host really is names the host as the guest knows it: under its own
    /// name it is neither granted, nor an endpoint, nor where secrets may go.
    pub fn relocate(&self, headers: &mut HeaderMap) {
        let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) else { return };
        let there = location.parse::<Uri>().ok().and_then(|uri| Target::parse(&Method::GET, &uri).ok());
        if !self.is_elsewhere() || there.is_none_or(|there| !there.is_same_origin(&self.actual)) {
            return;
        }
        let rest = location.split_once("://").map_or("", |(_, rest)| rest);
        let rest = rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or("/");
        if let Ok(moved) = HeaderValue::from_str(&format!("{}{rest}", self.logical)) {
            headers.insert(LOCATION, moved);
        }
    }

    /// The `Host` header of a request that goes elsewhere.
    pub fn host_header(&self) -> Option<HeaderValue> {
        self.is_elsewhere().then(|| HeaderValue::from_str(&self.actual.authority()).ok()).flatten()
    }
}

/// `https://azurecr.io (at http://127.0.0.1:5000)`.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.logical)?;
        if self.is_elsewhere() { write!(f, " (at {})", self.actual) } else { Ok(()) }
    }
}

/// `azurecr.io`, or `azurecr.io:5000`; the scheme's port may be named or not.
fn names(key: &str, target: &Target) -> bool {
    let with_port = || {
        let (host, port) = key.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(host.eq_ignore_ascii_case(&target.host) && port.parse() == Ok(target.port))
    };
    key.eq_ignore_ascii_case(&target.authority()) || with_port().unwrap_or(false)
}

/// The URL's scheme, host and port, with the path that was asked for.
fn elsewhere(url: &str, logical: &Target) -> Result<Target, &'static str> {
    const SHAPE: &str = "it is not a scheme, a host and a port, for example http://127.0.0.1:5000";
    let uri: Uri = url.trim().parse().map_err(|_| SHAPE)?;
    let target = Target::parse(&Method::GET, &uri).map_err(|_| SHAPE)?;
    if target.path != "/" || uri.query().is_some() {
        return Err("it has a path or a query, and requests keep their own");
    }
    Ok(Target { path: logical.path.clone(), ..target })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(&Method::GET, &url.parse().unwrap()).unwrap()
    }

    fn route(key: &str, url: &str, asked: &str) -> Result<String, String> {
        let endpoint = Endpoint { url: Some(url.to_owned()), ca: None };
        let endpoints = BTreeMap::from([(key.to_owned(), endpoint)]);
        let route = Route::find(target(asked), &endpoints, &Trusts::new(&[]).unwrap());
        route.map(|route| route.to_string()).map_err(|denial| denial.to_string())
    }

    #[test]
    fn an_endpoint_is_found_by_host_and_port() {
        let there = "http://127.0.0.1:5000";
        for (key, asked, is_there) in [
            ("azurecr.io", "https://azurecr.io/v2/", true),
            ("AzureCR.io", "https://AZURECR.io/v2/", true),
            ("azurecr.io:443", "https://azurecr.io/v2/", true),
            ("azurecr.io", "http://azurecr.io/v2/", true),
            ("azurecr.io", "https://azurecr.io:5000/", false),
            ("azurecr.io:5000", "https://azurecr.io:5000/", true),
            ("azurecr.io:443", "http://azurecr.io/", false),
            ("azurecr.io", "https://x.azurecr.io/", false),
            ("[::1]:81", "http://[::1]:81/", true),
            ("[::1]", "http://[::1]/", true),
        ] {
            let route = route(key, there, asked).unwrap();
            assert_eq!(route.ends_with(" (at http://127.0.0.1:5000)"), is_there, "{key} {asked}: {route}");
        }
    }

    #[test]
    fn a_location_there_is_told_as_the_guest_knows_it() {
        let endpoint = Endpoint { url: Some("http://127.0.0.1:5000".to_owned()), ca: None };
        let endpoints = BTreeMap::from([("azurecr.io".to_owned(), endpoint)]);
        let trusts = Trusts::new(&[]).unwrap();
        let moved = |asked: &str, location: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().unwrap());
            Route::find(target(asked), &endpoints, &trusts).unwrap().relocate(&mut headers);
            headers.get(LOCATION).unwrap().to_str().unwrap().to_owned()
        };
        for (location, expected) in [
            ("http://127.0.0.1:5000/v2/uploads/1?a=b", "https://azurecr.io/v2/uploads/1?a=b"),
            ("http://127.0.0.1:5000", "https://azurecr.io/"),
            ("http://127.0.0.1:5000?a", "https://azurecr.io?a"),
            ("/v2/uploads/1", "/v2/uploads/1"),
            ("https://127.0.0.1:5000/", "https://127.0.0.1:5000/"),
            ("http://127.0.0.1:5001/", "http://127.0.0.1:5001/"),
            ("http://169.254.169.254/", "http://169.254.169.254/"),
        ] {
            assert_eq!(moved("https://azurecr.io/v2/", location), expected);
        }
        assert_eq!(moved("http://a.example/", "http://127.0.0.1:5000/"), "http://127.0.0.1:5000/");
    }

    #[test]
    fn a_url_that_cannot_be_used_is_told() {
        let told = |url: &str| route("a.example", url, "https://a.example/x").unwrap_err();
        let expected = "the request to https://a.example was denied: endpoints.a.example.url of the installation \
                        cannot be used: it is not a scheme, a host and a port, for example http://127.0.0.1:5000";
        for bad in ["", "b.example", "ftp://b.example", "http://u@b.example", "http://b.example:x"] {
            assert_eq!(told(bad), expected, "{bad}");
        }
        assert!(
            told("http://b.example/v2").ends_with("it has a path or a query, and requests keep their own")
        );
        assert_eq!(
            route("a.example", "https://b.example/", "https://a.example/x").unwrap(),
            "https://a.example (at https://b.example)"
        );
    }
}
