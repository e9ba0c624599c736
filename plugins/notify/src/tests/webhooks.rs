//! `send-webhook`: what the receiver gets, and what comes of its answers.

use quantum_sdk::Result;
use quantum_sdk::http::ErrorKind;
use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};

use super::code;
use crate::webhook::send_webhook;

const URL: &str = "https://receiver.example/hooks/1";

fn host() -> Host {
    Host::new().secret("WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
}

fn send(host: &Host, more: Value) -> Result<Value> {
    let mut parameters = json!({ "url": URL, "event": "deployment.finished", "payload": { "n": 1 } });
    for (key, value) in more.as_object().unwrap() {
        parameters[key] = value.clone();
    }
    host.run::<send_webhook>(parameters)
}

fn answered(answer: Answer) -> Result<Value> {
    let host = host();
    host.answer("POST", URL, answer);
    send(&host, json!({}))
}

#[test]
fn the_event_arrives_signed() {
    let host = host();
    host.answer("POST", URL, Answer::status(202));
    let delivered = send(&host, json!({ "headers": { "x-team": "web" } })).unwrap();
    assert_eq!(delivered, json!({ "status": 202, "id": "msg_idempotency-key" }));
    let sent = &host.requests()[0];
    let body = r#"{"type":"deployment.finished","timestamp":"2025-01-01T00:00:00Z","data":{"n":1}}"#;
    assert_eq!(String::from_utf8_lossy(&sent.body), body);
    for (name, value) in [
        ("content-type", "application/json"),
        ("webhook-id", "msg_idempotency-key"),
        ("webhook-timestamp", "1735689600"),
        // HMAC-SHA256 over "ID.TIMESTAMP.BODY", made by another program.
        ("webhook-signature", "v1,K4DdusN69H2AzcvATZIgVwLAA0FfUxUdLwVn0zvwveI="),
        ("x-team", "web"),
    ] {
        assert_eq!(sent.header(name), Some(value), "{name}");
    }
}

#[test]
fn every_attempt_has_the_same_id() {
    let ids = [1, 2].map(|attempt| {
        let host = host().attempt(attempt);
        host.answer("POST", URL, Answer::status(200));
        send(&host, json!({})).unwrap()["id"].clone()
    });
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn nothing_is_signed_when_the_installation_says_so() {
    let host = Host::new().config(json!({ "sign": false }));
    host.answer("POST", URL, Answer::status(200));
    send(&host, json!({})).unwrap();
    assert_eq!(host.requests()[0].header("webhook-signature"), None);
    let failure = send(&Host::new(), json!({})).unwrap_err();
    assert_eq!(code(&failure), ("secret-missing", false));
}

#[test]
fn a_receiver_that_is_busy_is_told_again_and_one_that_refuses_is_not() {
    for (status, retryable) in [
        (301, false),
        (400, false),
        (404, false),
        (408, true),
        (425, true),
        (429, true),
        (500, true),
        (503, true),
    ] {
        let failure = answered(Answer::status(status).header("retry-after", "4")).unwrap_err();
        assert_eq!(code(&failure), (format!("http-{status}").as_str(), retryable));
        assert_eq!(failure.after_ms(), retryable.then_some(4_000), "{status}");
    }
    for kind in [ErrorKind::Timeout, ErrorKind::Dns, ErrorKind::Connection] {
        assert!(answered(Answer::error(kind)).unwrap_err().is_retryable(), "{kind:?}");
    }
}

#[test]
fn a_receiver_that_unsubscribed_is_told_no_more() {
    let failure = answered(Answer::status(410)).unwrap_err();
    assert_eq!(code(&failure), ("receiver-gone", false));
    assert!(failure.to_string().contains(URL), "{failure}");
}

#[test]
fn what_cannot_be_right_is_refused_before_anything_is_sent() {
    let long = "a".repeat(129);
    for (more, part) in [
        (json!({ "event": "" }), "event: \"\" is no event's type"),
        (json!({ "event": "a..b" }), "event: \"a..b\" is no event's type"),
        (json!({ "event": "a b" }), "event: \"a b\" is no event's type"),
        (json!({ "event": long }), "is no event's type"),
        (json!({ "headers": { "Webhook-Id": "x" } }), "headers: \"Webhook-Id\" is set by the action itself"),
        (
            json!({ "headers": { "Content-Type": "x" } }),
            "headers: \"Content-Type\" is set by the action itself",
        ),
        (json!({ "headers": { "a": 1 } }), "headers.a: invalid type: integer `1`, expected a string"),
        (json!({ "body": 1 }), "unknown field `body`"),
    ] {
        let host = host();
        let failure = send(&host, more).unwrap_err();
        assert_eq!((code(&failure), host.requests().len()), (("invalid-parameters", false), 0));
        assert!(failure.to_string().contains(part), "{failure}");
    }
    let failure = send(&host().config(json!({ "sing": false })), json!({})).unwrap_err();
    assert_eq!(code(&failure), ("invalid-config", false));
}
