//! Page tokens: a place in a list that only this host can make, for one caller, one list and one filter.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use quantum_store::PageRequest;
use serde::Serialize;

use crate::auth::Session;
use crate::codes;
use crate::extract::Parameters;
use crate::problem::Problem;

/// Items of a page when `limit` is not given.
pub(crate) const LIMIT_DEFAULT: u64 = 50;
/// Items of a page at most. Over it: 422.
pub(crate) const LIMIT_MAX: u64 = 200;
/// Bytes of the tag before the place.
const TAG_BYTES: usize = 32;

pub(crate) struct PageTokens {
    key: hmac::Key,
}

/// Which part of a list is asked for, and what its tokens are bound to.
pub(crate) struct Paging {
    pub limit: u32,
    pub after: Option<String>,
    binding: Vec<u8>,
}

impl PageTokens {
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// Reads `limit` and `page_token`. All other parameters are the filter.
    pub fn read(&self, session: &Session, list: &str, parameters: &Parameters) -> Result<Paging, Problem> {
        let limit = parameters.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
        let filter = parameters.iter().filter(|(name, _)| !matches!(*name, "limit" | "page_token"));
        let filter: Vec<_> = filter.collect();
        let paging = self.resume(session, list, &filter, parameters.text("page_token"))?;
        Ok(Paging { limit: u32::try_from(limit).unwrap_or(u32::MAX), ..paging })
    }

    /// For a list whose filter and token are no parameters of a query.
    pub fn resume(
        &self,
        session: &Session,
        list: &str,
        filter: &[(&str, &str)],
        token: Option<&str>,
    ) -> Result<Paging, Problem> {
        let binding = binding(session, list, filter);
        let after = token.map(|token| self.open(token, &binding).ok_or_else(refused)).transpose()?;
        Ok(Paging { limit: u32::try_from(LIMIT_DEFAULT).unwrap_or(u32::MAX), after, binding })
    }

    pub fn seal(&self, paging: &Paging, place: &str) -> String {
        let mut bytes = self.tag(&paging.binding, place.as_bytes()).as_ref().to_vec();
        bytes.extend_from_slice(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, token: &str, binding: &[u8]) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, place) = bytes.split_at_checked(TAG_BYTES)?;
        verify_slices_are_equal(tag, self.tag(binding, place).as_ref()).ok()?;
        String::from_utf8(place.to_vec()).ok()
    }

    fn tag(&self, binding: &[u8], place: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(binding);
        context.update(place);
        context.sign()
    }
}

impl Paging {
    pub fn request(&self) -> PageRequest {
        PageRequest { limit: self.limit, after: self.after.clone() }
    }
}

/// Each part behind its length, so that no two bindings read alike.
fn binding(session: &Session, list: &str, filter: &[(&str, &str)]) -> Vec<u8> {
    let mut filter = filter.to_vec();
    filter.sort_unstable();
    let head = [session.tenant().as_str(), session.caller.id.as_str(), list];
    let parts = head.into_iter().chain(filter.into_iter().flat_map(|(name, value)| [name, value]));
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(&u64::MAX.to_be_bytes());
    bytes
}

fn refused() -> Problem {
    Problem::new(&codes::INVALID_PAGE_TOKEN)
        .detail("page_token was not made by this host for this list and filter")
}

/// One page as it is sent.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    pub items: Vec<T>,
    pub next_page_token: Option<String>,
}

/// `Link: <…>; rel="next"` for a list that goes on.
pub(crate) fn link(path: &str, parameters: &Parameters, next: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(next) = next else { return headers };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(name, _)| *name != "page_token"));
    query.append_pair("page_token", next);
    let link = format!("<{path}?{}>; rel=\"next\"", query.finish());
    if let Ok(link) = HeaderValue::from_str(&link) {
        headers.insert(header::LINK, link);
    }
    headers
}
