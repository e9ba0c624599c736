//! The body, read when the handler asks for it: after the caller was authorized as far as that is possible without it,
//! with the route's own limit, and within the deadline.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use quantum_core::problem::{Finding, nearest};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes;
use crate::json;
use crate::options::Limits;
use crate::problem::Problem;

/// A body that was not read yet.
pub(crate) struct Payload {
    headers: HeaderMap,
    body: Body,
}

/// JSON, with the bytes that it was written as.
pub(crate) struct JsonBody {
    pub value: Value,
    pub bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self { headers: parts.headers, body })
    }
}

impl Payload {
    pub async fn json(self, limits: &Limits, bytes_max: usize) -> Result<JsonBody, Problem> {
        check_json(&self.headers)?;
        let bytes = self.read(limits, bytes_max).await?;
        Ok(JsonBody { value: json::parse(&bytes)?, bytes })
    }

    /// None: there is no body; it needs no content type then.
    pub async fn optional_json(self, limits: &Limits, bytes_max: usize) -> Result<Option<JsonBody>, Problem> {
        let described = check_json(&self.headers);
        let bytes = self.read(limits, bytes_max).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        described?;
        Ok(Some(JsonBody { value: json::parse(&bytes)?, bytes }))
    }

    /// Bytes of this media type.
    pub async fn raw(self, limits: &Limits, bytes_max: usize, media_type: &str) -> Result<Bytes, Problem> {
        check_encoding(&self.headers)?;
        if content_type(&self.headers).as_deref() != Some(media_type) {
            let hint = format!("send the file with Content-Type: {media_type}");
            return Err(Problem::new(&codes::MEDIA_TYPE).detail("the body is of another type").hint(hint));
        }
        self.read(limits, bytes_max).await
    }

    /// Bytes of any media type, as they come.
    pub fn pieces(self, limits: &Limits) -> Result<Pieces, Problem> {
        check_encoding(&self.headers)?;
        let media_type =
            self.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().map(str::to_owned));
        let unreadable = |_| Problem::new(&codes::MEDIA_TYPE).detail("the content type is not ASCII");
        Ok(Pieces {
            media_type: media_type.transpose().map_err(unreadable)?,
            body: self.body,
            silence_max: limits.body_deadline,
        })
    }

    async fn read(self, limits: &Limits, bytes_max: usize) -> Result<Bytes, Problem> {
        let too_large = || {
            Problem::new(&codes::BODY_TOO_LARGE)
                .detail(format!("the body may have {bytes_max} bytes on this route"))
        };
        if announced(&self.headers).is_some_and(|bytes| bytes > bytes_max) {
            return Err(too_large());
        }
        let collected = Limited::new(self.body, bytes_max).collect();
        match tokio::time::timeout(limits.body_deadline, collected).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
            Ok(Err(_)) => {
                Err(Problem::new(&codes::BODY_INCOMPLETE).detail("the body ended before it was complete"))
            }
            Err(_) => Err(Problem::new(&codes::BODY_TIMEOUT).detail("the body did not arrive in time")),
        }
    }
}

/// A body that is not held in memory.
pub(crate) struct Pieces {
    media_type: Option<String>,
    body: Body,
    silence_max: Duration,
}

impl Pieces {
    pub fn media_type(&self) -> Option<String> {
        self.media_type.clone()
    }

    /// None: it is complete.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let incomplete =
            || Problem::new(&codes::BODY_INCOMPLETE).detail("the body ended before it was complete");
        loop {
            let frame = tokio::time::timeout(self.silence_max, self.body.frame()).await;
            let frame = frame.map_err(|_| {
                Problem::new(&codes::BODY_TIMEOUT).detail("nothing of the body has come for a while")
            })?;
            match frame.transpose().map_err(|_| incomplete())? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// JSON in UTF-8, not compressed.
fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    check_encoding(headers)?;
    let refused = |detail: String| Err(Problem::new(&codes::MEDIA_TYPE).detail(detail));
    match content_type(headers).as_deref() {
        Some("application/json" | "application/merge-patch+json") => Ok(()),
        Some(other) => refused(format!("a body of type {} is not read here", other.escape_debug())),
        None => refused("the body has no content type that says what it is".to_owned()),
    }
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        None => Ok(()),
        Some(encoding) if encoding == "identity" => Ok(()),
        Some(_) => {
            let problem = Problem::new(&codes::MEDIA_TYPE).detail("a compressed body is not read");
            Err(problem.hint("send the body without Content-Encoding"))
        }
    }
}

/// The type without its parameters. Another charset than UTF-8 makes it another type.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let name = parts.next()?.to_owned();
    let foreign =
        parts.filter_map(|part| part.strip_prefix("charset=")).any(|set| set.trim_matches('"') != "utf-8");
    if foreign { Some(value) } else { Some(name) }
}

/// A typed body. Err: 422 that says where, and what stands there instead.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().iter().map(|segment| format!("/{segment}")).collect::<String>();
        let pointer = if path == "/." { String::new() } else { path };
        let message = error.inner().to_string();
        let mut finding = Finding::error(pointer, codes::INVALID_BODY.code, message.clone());
        finding.hint = near_field(&message);
        Problem::new(&codes::INVALID_BODY).detail(message).finding(finding)
    })
}

/// From serde's "unknown field `x`, expected one of `y`, `z`".
fn near_field(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let mut words = rest.split('`').step_by(2);
    let unknown = words.next()?;
    nearest(unknown, words).map(|near| format!("did you mean \"{near}\"?"))
}
