//! Parameters in, results and typed failures out.

use quantum_sdk::__private::Plugin;
use quantum_sdk::http::ErrorKind;
use quantum_sdk::testing::{Answer, Host};
use serde_json::json;

use crate::sample::{QuantumPlugin, push};

const TAG: &str = "https://r.example/app/1";

fn host() -> Host {
    Host::new().config(json!({ "registry": "r.example" }))
}

#[test]
fn an_action_answers_to_its_name_and_its_aliases_and_to_nothing_else() {
    let run = |name| QuantumPlugin::run(&host().context(), name, r#"{"image":{"name":"app"}}"#);
    for name in ["push-to-registry", "push", "upload"] {
        assert_eq!(run(name).unwrap(), r#"{"reference":"r.example/app"}"#);
    }
    assert_eq!(run("pull").unwrap_err().to_string(), "unknown-action: this plugin has no action \"pull\"");
}

#[test]
fn a_parameter_that_does_not_fit_is_named_with_its_path() {
    let failure = host().run::<push>(json!({ "image": { "name": 7 } })).unwrap_err();
    let reason = "image.name: invalid type: integer `7`, expected a string at line 1 column 18";
    assert_eq!(
        failure.to_string(),
        format!("invalid-parameters: the parameters of push-to-registry do not fit: {reason}")
    );
    assert!(!failure.is_retryable());
}

#[test]
fn text_behind_the_parameters_is_refused() {
    let failure = QuantumPlugin::run(&host().context(), "count-up", "1 2").unwrap_err();
    assert!(failure.to_string().contains("trailing characters"), "{failure}");
}

#[test]
fn a_configuration_that_does_not_fit_is_a_failure_of_its_own() {
    let failure = Host::new().run::<push>(json!({ "image": { "name": "app" } })).unwrap_err();
    assert_eq!(failure.problem().unwrap().code, "invalid-config");
}

/// The failure that `?` makes of this answer: code, retryable, wait.
fn check(answer: Answer) -> (String, bool, Option<u64>) {
    let host = host();
    host.answer("PUT", TAG, answer);
    let failure = host.run::<push>(json!({ "image": { "name": "app" }, "tags": ["1"] })).unwrap_err();
    (failure.problem().unwrap().code.clone(), failure.is_retryable(), failure.after_ms())
}

#[test]
fn every_status_is_retryable_or_permanent_as_promised() {
    for status in 400..600 {
        let retryable = matches!(status, 408 | 425 | 429) || status >= 500;
        assert_eq!(check(Answer::status(status)), (format!("http-{status}"), retryable, None));
    }
}

#[test]
fn the_wait_that_a_service_asks_for_reaches_the_host() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let later =
        Answer::status(503).header(date.0, date.1).header("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT");
    assert_eq!(check(later).2, Some(60_000));
    assert_eq!(check(Answer::status(429).header("Retry-After", "3")).2, Some(3_000));
}

#[test]
fn errors_without_an_answer_are_told_apart() {
    for (kind, code, retryable) in [
        (ErrorKind::Timeout, "http-timeout", true),
        (ErrorKind::Dns, "http-dns", true),
        (ErrorKind::Connection, "http-connection", true),
        (ErrorKind::Protocol, "http-protocol", true),
        (ErrorKind::Tls, "http-tls", false),
        (ErrorKind::Denied, "effect-denied", false),
        (ErrorKind::TooLarge, "http-answer-too-large", false),
    ] {
        assert_eq!(check(Answer::error(kind)), (code.to_owned(), retryable, None));
    }
}

#[test]
fn the_answers_start_is_in_the_failure_and_its_end_is_not() {
    let host = host();
    host.answer("PUT", TAG, Answer::text(400, &"x".repeat(5_000)));
    let failure = host.run::<push>(json!({ "image": { "name": "app" }, "tags": ["1"] })).unwrap_err();
    let details = failure.problem().unwrap().details.clone().unwrap();
    assert_eq!(details, format!(r#"{{"status":400,"body":"{}"}}"#, "x".repeat(1_000)));
}
