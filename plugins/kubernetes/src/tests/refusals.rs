//! Every way in which the cluster refuses, as the failure that it is.

use quantum_sdk::Failure;
use quantum_sdk::http::ErrorKind;
use quantum_sdk::testing::Answer;
use serde_json::{Value, json};

use super::cluster::{apply_url, code, deploy, details, host, status};

fn refused(answer: Answer) -> Failure {
    let host = host();
    host.answer("PATCH", &apply_url(), answer);
    deploy(&host, json!({})).unwrap_err()
}

#[test]
fn each_status_is_its_own_failure() {
    let missing = |kind: &str| json!({ "name": "production", "kind": kind });
    for (http, reason, details, expected) in [
        (400, "BadRequest", json!({}), ("cluster-invalid", false)),
        (401, "Unauthorized", json!({}), ("cluster-unauthorized", false)),
        (403, "Forbidden", json!({}), ("cluster-forbidden", false)),
        (404, "NotFound", missing("namespaces"), ("namespace-not-found", false)),
        (404, "NotFound", missing("deployments"), ("deployment-not-found", false)),
        (404, "NotFound", json!({}), ("cluster-refused", false)),
        (405, "MethodNotAllowed", json!({}), ("cluster-refused", false)),
        (409, "Conflict", json!({}), ("cluster-conflict", true)),
        (410, "Expired", json!({}), ("cluster-unavailable", true)),
        (415, "UnsupportedMediaType", json!({}), ("cluster-refused", false)),
        (422, "Invalid", json!({}), ("cluster-invalid", false)),
        (429, "TooManyRequests", json!({}), ("cluster-busy", true)),
        (500, "InternalError", json!({}), ("cluster-unavailable", true)),
        (501, "NotImplemented", json!({}), ("cluster-refused", false)),
        (503, "ServiceUnavailable", json!({}), ("cluster-unavailable", true)),
        (504, "Timeout", json!({}), ("cluster-unavailable", true)),
    ] {
        let failure = refused(status(http, reason, "because", details));
        assert_eq!(code(&failure), expected, "{http}");
        assert!(failure.to_string().contains("because"), "{failure}");
    }
}

#[test]
fn what_the_cluster_says_is_in_the_details() {
    let causes = json!([{ "reason": "FieldValueInvalid", "message": "Invalid value: \"0\"", "field": "spec.replicas" }]);
    let failure = refused(status(
        422,
        "Invalid",
        "Deployment.apps \"web\" is invalid",
        json!({
            "name": "web", "group": "apps", "kind": "Deployment", "causes": causes,
        }),
    ));
    assert_eq!(
        details(&failure),
        json!({ "status": 422, "reason": "Invalid", "kind": "Deployment", "name": "web", "causes": causes })
    );
    assert_eq!(failure.to_string(), "cluster-invalid: Deployment.apps \"web\" is invalid");
}

#[test]
fn fields_of_other_managers_are_named_with_their_managers() {
    let cause = |manager: &str, field: &str| {
        json!({ "reason": "FieldManagerConflict", "message": format!("conflict with \"{manager}\" using apps/v1"),
            "field": field })
    };
    let failure = refused(status(
        409,
        "Conflict",
        "Apply failed with 2 conflicts",
        json!({ "causes": [
        cause("kube-controller-manager", ".spec.replicas"),
        cause("kubectl-edit", ".spec.template.spec.containers[name=\"web\"].image"),
    ] }),
    ));
    assert_eq!(
        failure.to_string(),
        "field-conflict: other managers own fields of the Deployment: \"kube-controller-manager\" owns .spec.replicas, \
         \"kubectl-edit\" owns .spec.template.spec.containers[name=\"web\"].image; let them give these up, or set force \
         to take them over"
    );
    assert!(!failure.is_retryable());
    assert_eq!(
        details(&failure)["conflicts"][0],
        json!({ "manager": "kube-controller-manager", "field": ".spec.replicas" })
    );
}

#[test]
fn a_selector_that_cannot_change_is_told_with_the_setting() {
    let causes =
        json!([{ "reason": "FieldValueInvalid", "message": "field is immutable", "field": "spec.selector" }]);
    let failure =
        refused(status(422, "Invalid", "spec.selector: field is immutable", json!({ "causes": causes })));
    assert!(
        failure.to_string().contains("set selector_label in the installation's configuration"),
        "{failure}"
    );
}

#[test]
fn a_wait_is_taken_from_the_header_or_from_the_status() {
    let busy = |details: Value| status(429, "TooManyRequests", "slow down", details);
    let seconds = json!({ "retryAfterSeconds": 3 });
    assert_eq!(refused(busy(seconds.clone())).after_ms(), Some(3_000));
    assert_eq!(refused(busy(seconds).header("retry-after", "7")).after_ms(), Some(7_000));
    assert_eq!(refused(busy(json!({}))).after_ms(), None);
    assert_eq!(refused(Answer::status(503).header("retry-after", "2")).after_ms(), Some(2_000));
}

#[test]
fn what_is_no_kubernetes_is_told_so() {
    for (answer, expected) in [
        (Answer::text(404, "404 page not found"), ("cluster-answer", false)),
        (Answer::status(302).header("location", "https://login.example/"), ("cluster-answer", false)),
        (Answer::text(200, "<html>Sign in</html>"), ("cluster-answer", false)),
        (Answer::text(401, "who?"), ("cluster-unauthorized", false)),
        (Answer::text(403, "no"), ("cluster-forbidden", false)),
        (Answer::text(429, "busy"), ("cluster-busy", true)),
        (Answer::text(502, "bad gateway"), ("cluster-unavailable", true)),
        (Answer::json(503, &json!({ "kind": "Oops" })), ("cluster-unavailable", true)),
    ] {
        assert_eq!(code(&refused(answer)), expected);
    }
}

#[test]
fn a_cluster_that_is_not_reached_may_be_later_and_one_that_is_not_trusted_needs_its_ca() {
    for (kind, expected) in [
        (ErrorKind::Connection, ("http-connection", true)),
        (ErrorKind::Dns, ("http-dns", true)),
        (ErrorKind::Timeout, ("http-timeout", true)),
        (ErrorKind::Denied, ("effect-denied", false)),
        (ErrorKind::Tls, ("cluster-tls", false)),
    ] {
        assert_eq!(code(&refused(Answer::error(kind))), expected);
    }
    let failure = refused(Answer::error(ErrorKind::Tls));
    assert!(failure.to_string().contains("endpoints.\"cluster.example:6443\".ca"), "{failure}");
}
