//! Puts values of secrets in the place of their placeholders, after all other checks of a request: each one toward its
//! own hosts, in a declared place, and with the policies' word of this moment. Else the request is denied.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri};
use quantum_core::manifest::SecretPlace;

use super::denial::Denial;
use super::limits::PLACEHOLDERS_MAX;
use super::target::Target;
use crate::secret::{Finder, Stand, Vault, json_escaped, percent_encoded};

/// Fills one request.
pub(crate) struct Filler {
    vault: Arc<Vault>,
    /// The logical target: what secrets are bound to.
    target: Target,
    method: Method,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    placeholders: usize,
    /// Names of the secrets that the policies allowed for this request.
    allowed: HashSet<String>,
}

/// A part of a request, and how a value is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    Header,
    Query,
    Body(BodyForm),
    /// A part where no secret is put in.
    Never(&'static str),
}

/// How a value stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyForm {
    Plain,
    /// Inside of a JSON string.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

impl BodyForm {
    pub fn of(headers: &HeaderMap) -> Self {
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            "application/json" => Self::Json,
            other if other.ends_with("+json") => Self::Json,
            _ => Self::Plain,
        }
    }
}

impl Filler {
    pub fn new(vault: Arc<Vault>, target: Target, method: Method) -> Self {
        Self { vault, target, method, used: Mutex::default() }
    }

    /// Nothing of the request can hold a placeholder.
    pub fn is_idle(&self) -> bool {
        self.vault.is_empty()
    }

    pub fn fills_bodies(&self) -> bool {
        self.vault.has_place(SecretPlace::Body)
    }

    /// The parts where no secret is ever put in; before a name of them is told to anyone.
    pub fn refuse_misplaced(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Denial> {
        self.never(self.method.as_str(), "method")?;
        self.never(uri.authority().map_or("", |authority| authority.as_str()), "host")?;
        self.never(uri.path(), "path")?;
        headers.keys().try_for_each(|name| self.never(name.as_str(), "name of a header"))
    }

    /// The query and the headers; nothing of them is changed when they are denied.
    pub fn head(&self, parts: &mut Parts) -> Result<(), Denial> {
        let query = match parts.uri.query() {
            Some(query) => self.text(query.as_bytes(), Spot::Query)?,
            None => None,
        };
        let headers = self.headers(&parts.headers, Spot::Header)?;
        if let Some(query) = query {
            parts.uri = with_query(&parts.uri, query).ok_or_else(|| Denial::secret_query(&self.target))?;
        }
        parts.headers = headers;
        Ok(())
    }

    /// Fields behind the body hold no secrets.
    pub fn trailers(&self, trailers: &HeaderMap) -> Result<(), Denial> {
        trailers.keys().try_for_each(|name| self.never(name.as_str(), "name of a trailer"))?;
        self.headers(trailers, Spot::Never("trailers")).map(drop)
    }

    /// None: it stays as it is.
    pub fn text(&self, text: &[u8], spot: Spot) -> Result<Option<Vec<u8>>, Denial> {
        Finder::whole(text, &mut |placeholder| self.stand(placeholder, spot))
    }

    /// What is put in for this placeholder; none when it is not one of this attempt.
    pub fn stand(&self, placeholder: &str, spot: Spot) -> Result<Option<Vec<u8>>, Denial> {
        let Some(stand) = self.vault.find(placeholder) else { return Ok(None) };
        let place = match spot {
            Spot::Header => SecretPlace::Header,
            Spot::Query => SecretPlace::Query,
            Spot::Body(_) => SecretPlace::Body,
            Spot::Never(what) => return Err(Denial::secret_misplaced(&self.target, &stand, what)),
        };
        self.admit(&stand, place)?;
        let value = match spot {
            Spot::Query | Spot::Body(BodyForm::Form) => percent_encoded(&stand.value),
            Spot::Body(BodyForm::Json) => json_escaped(&stand.value),
            _ => stand.value.clone(),
        };
        if spot == Spot::Header && HeaderValue::from_str(&value).is_err() {
            return Err(Denial::secret_value(&self.target, &stand));
        }
        Ok(Some(value.into_bytes()))
    }

    fn admit(&self, stand: &Stand, place: SecretPlace) -> Result<(), Denial> {
        let secret = &stand.secret;
        if let Some(why) = &stand.lost {
            return Err(Denial::secret_lost(&self.target, secret, why));
        }
        if !self.target.is_covered(&self.method, &secret.hosts) {
            return Err(Denial::secret_host(&self.target, self.method.as_str(), secret));
        }
        if !stand.places.contains(&place) {
            return Err(Denial::secret_place(&self.target, stand, place));
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.placeholders += 1;
        if used.placeholders > PLACEHOLDERS_MAX {
            return Err(Denial::secret_count(&self.target, stand, PLACEHOLDERS_MAX));
        }
        if used.allowed.contains(&secret.name) {
            return Ok(());
        }
        let verdict = self.vault.ask(secret);
        if !verdict.allowed {
            let line = self.vault.allowing_line(secret, &verdict);
            return Err(Denial::secret_refused(&self.target, secret, &verdict, line));
        }
        used.allowed.insert(secret.name.clone());
        Ok(())
    }

    fn never(&self, text: &str, what: &'static str) -> Result<(), Denial> {
        self.text(text.as_bytes(), Spot::Never(what)).map(drop)
    }

    fn headers(&self, headers: &HeaderMap, spot: Spot) -> Result<HeaderMap, Denial> {
        let mut filled = HeaderMap::with_capacity(headers.keys_len());
        for (name, value) in headers {
            let replaced = self.text(value.as_bytes(), spot)?;
            match replaced.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
                Some(mut replaced) => {
                    replaced.set_sensitive(true);
                    filled.append(name, replaced);
                }
                None => {
                    filled.append(name, value.clone());
                }
            }
        }
        Ok(filled)
    }
}

/// None: it is longer than a URL can be.
fn with_query(uri: &Uri, query: Vec<u8>) -> Option<Uri> {
    let query = String::from_utf8(query).ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{}?{query}", uri.path())).ok()?);
    Uri::from_parts(parts).ok()
}
