//! `Idempotency-Key`: the same request under the same key gets the same answer, and has one effect. The answer is
//! stored with the effect; the store refuses a second effect under the key.

use aws_lc_rs::digest::{Context, SHA256};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use quantum_core::time::Timestamp;
use quantum_store::{IdempotencyKey, IdempotencyRecord, StoredResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::Session;
use crate::codes;
use crate::problem::Problem;
use crate::state::Api;

const KEY_HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Characters of a key.
const KEY_CHARS_MAX: usize = 255;

/// The key of a request, with a fingerprint of what it asks for.
pub(crate) struct Key {
    key: IdempotencyKey,
    fingerprint: String,
}

/// An answer that can be given again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub body: Value,
    #[serde(skip)]
    pub replayed: bool,
}

impl Key {
    /// None: the request has no key. `asked` is all that makes it another request.
    pub fn read(
        headers: &HeaderMap,
        session: &Session,
        route: &str,
        asked: &[&[u8]],
    ) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(KEY_HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        let text = text.ok_or_else(|| malformed("Idempotency-Key is not one short ASCII text"))?;
        Self::new(text, session, route, asked).map(Some)
    }

    /// A key that stands elsewhere than in the header.
    pub fn new(text: &str, session: &Session, route: &str, asked: &[&[u8]]) -> Result<Self, Problem> {
        if !is_key(text) {
            return Err(malformed("the idempotency key is not one short ASCII text"));
        }
        let (principal, route) = (session.caller.id.clone(), route.to_owned());
        let key = IdempotencyKey { principal, route, key: text.to_owned() };
        Ok(Self { key, fingerprint: fingerprint(asked) })
    }

    /// The answer that was given to this request before.
    pub async fn replay(&self, api: &Api, session: &Session) -> Result<Option<Answer>, Problem> {
        let stored = api.services.store.idempotency(&session.scope).lookup(&self.key, session.now()).await?;
        stored.map(|stored| self.answer(&stored)).transpose()
    }

    /// A stored answer, when it was given to the same request.
    pub fn answer(&self, stored: &StoredResponse) -> Result<Answer, Problem> {
        if stored.fingerprint != self.fingerprint {
            return Err(Problem::new(&codes::IDEMPOTENCY_MISMATCH)
                .detail("the Idempotency-Key was used for another request in the last 24 hours"));
        }
        let answer: Answer =
            serde_json::from_str(&stored.response).map_err(|error| Problem::internal(&error))?;
        Ok(Answer { replayed: true, ..answer })
    }

    pub fn record(&self, answer: &Answer, at: Timestamp) -> Result<IdempotencyRecord, Problem> {
        let response = serde_json::to_string(answer).map_err(|error| Problem::internal(&error))?;
        Ok(IdempotencyRecord { key: self.key.clone(), fingerprint: self.fingerprint.clone(), response, at })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, axum::Json(self.body)).into_response();
        let headers = response.headers_mut();
        for (name, value) in [(header::LOCATION, self.location), (header::ETAG, self.etag)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

fn malformed(detail: &str) -> Problem {
    Problem::new(&codes::IDEMPOTENCY_KEY_MALFORMED).detail(detail)
}

fn is_key(key: &str) -> bool {
    (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
}

/// Each part behind its length, so that no two requests read alike.
fn fingerprint(asked: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in asked {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
