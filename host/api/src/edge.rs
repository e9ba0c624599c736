//! What happens to every request, whatever its route: an id, a span, a time limit, headers, numbers; and problems get
//! their body here.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tracing::Instrument;
use uuid::Uuid;

use crate::codes;
use crate::negotiate::takes_json;
use crate::options::Limits;
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a request id that is taken over from the client.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// Milliseconds after which a request that took too long is worth another try.
const TIMED_OUT_RETRY_MS: u64 = 1_000;

/// On every response. No `Server`, and no CORS: a browser page of elsewhere has no business here.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The request's id, for answers that hold problems of their parts.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub String);

pub(crate) async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = method_word(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let span =
        tracing::info_span!("request", method, route, request_id = %id, status = tracing::field::Empty);
    let mut response = answer(&api.limits, &route, request, next).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = with_body(response, &problem, &id);
    }
    let headers = response.headers_mut();
    headers.extend(HEADERS);
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    span.record("status", response.status().as_u16());
    count(method, route, response.status().as_u16(), started.elapsed());
    response
}

async fn answer(limits: &Limits, route: &str, request: Request, next: Next) -> Response {
    if let Err(problem) = check(limits, route, &request) {
        return problem.into_response();
    }
    let allowed = time_allowed(limits, route, &request);
    tokio::time::timeout(allowed, next.run(request)).await.unwrap_or_else(|_| {
        tracing::warn!("a request took too long");
        Problem::new(&codes::TIMED_OUT)
            .detail("the request took too long")
            .retry_after(TIMED_OUT_RETRY_MS)
            .into_response()
    })
}

fn check(limits: &Limits, route: &str, request: &Request) -> Result<(), Problem> {
    let uri = request.uri();
    let bytes = uri.path().len() + uri.query().map_or(0, str::len);
    if bytes > limits.uri_bytes_max {
        return Err(Problem::new(&codes::URI_TOO_LONG)
            .detail(format!("path and query have at most {} bytes", limits.uri_bytes_max)));
    }
    // HTTP/2 carries the host in the URI.
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && uri.authority().is_none()) {
        return Err(Problem::new(&codes::HOST_HEADER).detail("the request has no Host header, or several"));
    }
    // Events negotiate themselves; pages about errors are text, and artifacts are what they are.
    let own_type = route.ends_with("/events") || route.ends_with("/artifacts/{id}");
    let negotiated = route.starts_with(BASE) && !own_type;
    if negotiated && !takes_json(request.headers()) {
        return Err(Problem::new(&codes::NOT_ACCEPTABLE).detail("answers are sent as application/json"));
    }
    Ok(())
}

/// For the answer to begin; a stream may go on for as long as it likes.
fn time_allowed(limits: &Limits, route: &str, request: &Request) -> Duration {
    let waits = || request.uri().query().is_some_and(|query| query.contains("wait="));
    if route.ends_with("/execute") && waits() {
        return limits.handler + limits.wait_max;
    }
    if route.ends_with("/installations") && request.method() == Method::POST {
        return limits.body_deadline + limits.upload;
    }
    if route.ends_with("/artifacts") && request.method() == Method::POST {
        return limits.transfer;
    }
    limits.handler
}

fn with_body(response: Response, problem: &Problem, id: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    let body = serde_json::to_vec(&problem.body(id)).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_ENCODING);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Response::from_parts(parts, body.into())
}

/// The client's, when it is harmless in headers and logs; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    given.filter(plain).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// A closed set: clients do not choose labels of metrics.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn count(method: &'static str, route: String, status: u16, took: Duration) {
    metrics::histogram!("quantum_http_request_seconds", "method" => method, "route" => route.clone())
        .record(took.as_secs_f64());
    metrics::counter!(
        "quantum_http_requests_total", "method" => method, "route" => route, "status" => status.to_string()
    )
    .increment(1);
}
