//! `http-request`: one request, its answer as data.

use std::collections::BTreeMap;
use std::time::Duration;

use quantum_sdk::http::Response;
use quantum_sdk::prelude::*;
use serde_json::Value;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// The whole URL, percent-encoded.
    url: String,
    /// GET, POST, …
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A string is sent as it is, anything else as JSON.
    #[serde(default)]
    body: Option<Value>,
    /// Statuses that are a success; by default 200 to 299.
    #[serde(default)]
    expect_status: Option<Vec<u16>>,
    /// How long connecting, the first byte, and each further one may take.
    #[serde(default = "half_a_minute")]
    timeout_ms: u64,
}

fn get() -> String {
    "GET".to_owned()
}

fn half_a_minute() -> u64 {
    30_000
}

#[derive(Serialize, JsonSchema)]
pub struct HttpAnswer {
    status: u16,
    /// Names in lowercase; several of one name are joined by a comma.
    headers: BTreeMap<String, String>,
    /// Parsed when the content type is JSON, else a string.
    body: Value,
}

/// Sends one HTTP request and gives the answer.
///
/// 408, 425, 429 and 5xx, timeouts, unknown names and broken connections are tried again; other statuses that are not
/// expected fail the step. POST and PATCH carry the step's idempotency key as `idempotency-key`, unless the headers
/// have one.
#[action(http = slot("targets"))]
pub fn http_request(ctx: &Context, p: HttpRequest) -> Result<HttpAnswer> {
    let method = p.method.to_ascii_uppercase();
    let mut request = ctx.http().request(&method, &p.url).timeout(Duration::from_millis(p.timeout_ms));
    for (name, value) in &p.headers {
        request = request.header(name, value);
    }
    if matches!(method.as_str(), "POST" | "PATCH") && !has(&p.headers, "idempotency-key") {
        request = request.header("idempotency-key", ctx.idempotency_key());
    }
    request = match &p.body {
        None => request,
        Some(Value::String(text)) => request.body(text.as_str()),
        Some(value) => request.json(value),
    };
    let response = request.send()?;
    let status = response.status();
    ctx.log().info("answered", &[("method", &method), ("url", &p.url), ("status", &status)]);
    let expected = p.expect_status.map_or((200..300).contains(&status), |list| list.contains(&status));
    if expected { Ok(answer(&response)) } else { Err(response.status_error().into()) }
}

fn has(headers: &BTreeMap<String, String>, name: &str) -> bool {
    headers.keys().any(|known| known.eq_ignore_ascii_case(name))
}

fn answer(response: &Response) -> HttpAnswer {
    let mut headers = BTreeMap::new();
    for (name, value) in response.headers() {
        let all: &mut String = headers.entry(name.to_ascii_lowercase()).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(value);
    }
    HttpAnswer { status: response.status(), headers, body: body(response) }
}

/// JSON where the content type says so and it is; else text, with what is no UTF-8 replaced.
pub fn body(response: &Response) -> Value {
    let media_type = response.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let says_json = media_type.eq_ignore_ascii_case("application/json") || media_type.ends_with("+json");
    let parsed = says_json.then(|| response.json().ok()).flatten();
    parsed.unwrap_or_else(|| Value::String(String::from_utf8_lossy(response.bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use quantum_sdk::http::ErrorKind;
    use quantum_sdk::testing::{Answer, Host};
    use serde_json::json;

    use super::*;

    const URL: &str = "https://api.example.com/items";

    fn run(answer: Answer, more: Value) -> Result<Value> {
        let host = Host::new();
        let mut parameters = json!({ "url": URL });
        for (key, value) in more.as_object().unwrap() {
            parameters[key] = value.clone();
        }
        let method = parameters.get("method").and_then(Value::as_str).unwrap_or("GET").to_owned();
        host.answer(&method, URL, answer);
        host.run::<http_request>(parameters)
    }

    #[test]
    fn json_comes_parsed_and_anything_else_as_text() {
        let parsed = run(Answer::json(200, &json!({ "up": true })), json!({})).unwrap();
        assert_eq!(parsed["body"]["up"], true);
        assert_eq!(parsed["headers"]["content-type"], "application/json");
        assert_eq!(run(Answer::text(200, "{}"), json!({})).unwrap()["body"], "{}");
        let broken = Answer::text(200, "{").header("content-type", "application/json");
        assert_eq!(run(broken, json!({})).unwrap()["body"], "{");
    }

    #[test]
    fn several_headers_of_one_name_are_joined() {
        let answer = Answer::status(200).header("Vary", "accept").header("vary", "origin");
        assert_eq!(run(answer, json!({})).unwrap()["headers"]["vary"], "accept, origin");
    }

    #[test]
    fn a_busy_service_is_tried_again_when_it_says() {
        let failure = run(Answer::status(503).header("retry-after", "2"), json!({})).unwrap_err();
        assert_eq!((failure.is_retryable(), failure.after_ms()), (true, Some(2_000)));
        assert_eq!(failure.problem().unwrap().code, "http-503");
    }

    #[test]
    fn other_statuses_and_denials_stay() {
        for (answer, code) in [
            (Answer::status(404), "http-404"),
            (Answer::status(302), "http-302"),
            (Answer::error(ErrorKind::Denied), "effect-denied"),
        ] {
            let failure = run(answer, json!({})).unwrap_err();
            assert_eq!((failure.is_retryable(), failure.problem().unwrap().code.as_str()), (false, code));
        }
    }

    #[test]
    fn what_never_arrived_is_tried_again() {
        for kind in [ErrorKind::Dns, ErrorKind::Timeout, ErrorKind::Connection] {
            assert!(run(Answer::error(kind), json!({})).unwrap_err().is_retryable(), "{kind:?}");
        }
        let late = run(Answer::status(200).takes(101), json!({ "timeout_ms": 100 })).unwrap_err();
        assert_eq!(late.problem().unwrap().code, "http-timeout");
    }

    #[test]
    fn an_expected_status_is_a_success_and_replaces_the_usual_ones() {
        assert_eq!(run(Answer::status(404), json!({ "expect_status": [404] })).unwrap()["status"], 404);
        assert!(run(Answer::status(200), json!({ "expect_status": [404] })).is_err());
    }

    #[test]
    fn a_post_carries_its_body_and_the_steps_key() {
        let host = Host::new();
        host.answer("POST", URL, Answer::status(201));
        host.run::<http_request>(json!({ "url": URL, "method": "post", "body": { "n": 1 } })).unwrap();
        let sent = &host.requests()[0];
        assert_eq!(
            (sent.body.as_slice(), sent.header("content-type")),
            (&b"{\"n\":1}"[..], Some("application/json"))
        );
        assert_eq!(sent.header("idempotency-key"), Some("idempotency-key"));
    }
}
