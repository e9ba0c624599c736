//! Going back to an earlier revision.

use quantum_sdk::Result;
use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};

use super::cluster::{
    IMAGE, UID, applied, code, details, events, host, object_url, ready, replica_sets_url, roll_back, status,
    template, watch_url,
};

const OLD_IMAGE: &str = "registry.example/web@sha256:1111";

fn put_url() -> String {
    format!("{}?fieldManager=quantum-rollback", object_url())
}

fn replica_set(revision: u32, image: &str) -> Value {
    let mut template = template(image);
    template["metadata"]["labels"]["pod-template-hash"] = json!(format!("h{revision}"));
    json!({
        "metadata": {
            "name": format!("web-h{revision}"),
            "annotations": { "deployment.kubernetes.io/revision": revision.to_string() },
            "ownerReferences": [{ "kind": "Deployment", "name": "web", "uid": UID, "controller": true }],
        },
        "spec": { "template": template },
    })
}

fn replica_sets() -> Answer {
    let foreign = json!({ "metadata": {
        "annotations": { "deployment.kubernetes.io/revision": "9" },
        "ownerReferences": [{ "uid": "another", "controller": true }],
    } });
    Answer::json(
        200,
        &json!({ "kind": "ReplicaSetList", "items": [
        replica_set(1, OLD_IMAGE), replica_set(2, IMAGE), foreign,
    ] }),
    )
}

/// The Deployment after the rollback, ready, as revision 3.
fn undone(version: u32) -> Value {
    let mut object = ready(version);
    object["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("3");
    object["spec"]["template"] = template(OLD_IMAGE);
    object
}

/// A cluster with two revisions.
fn started() -> Host {
    let host = host();
    host.answer("GET", &object_url(), Answer::json(200, &ready(10)));
    host.answer("GET", &replica_sets_url(), replica_sets());
    host
}

fn put_body(host: &Host) -> Value {
    let sent = host.requests();
    serde_json::from_slice(&sent.iter().find(|request| request.method == "PUT").unwrap().body).unwrap()
}

fn expected() -> Value {
    json!({ "namespace": "production", "name": "web", "revision": 3, "image": OLD_IMAGE })
}

#[test]
fn the_previous_template_is_put_back_and_waited_for() {
    let host = started();
    host.answer("PUT", &put_url(), Answer::json(200, &applied(11)));
    host.answer("GET", &watch_url(11, 5), events(&[("MODIFIED", undone(12))]));
    host.answer("GET", &object_url(), Answer::json(200, &undone(12)));
    assert_eq!(roll_back(&host, json!({})), Ok(expected()));
    let mut object = ready(10);
    object["spec"]["template"] = template(OLD_IMAGE);
    object["metadata"]["annotations"]["quantum.dev/rolled-back-by"] = json!("idempotency-key");
    assert_eq!(put_body(&host), object);
}

#[test]
fn the_fields_are_handed_to_the_manager_that_applies() {
    let entry = |manager: &str, operation: &str, field: &str| {
        json!({ "manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
            "fieldsV1": { "f:spec": { field: {} } } })
    };
    let host = started();
    let mut object = undone(11);
    let entries =
        json!([entry("quantum", "Apply", "f:selector"), entry("quantum-rollback", "Update", "f:template"),]);
    object["metadata"]["managedFields"] = entries;
    host.answer("PUT", &put_url(), Answer::json(200, &object));
    host.answer("GET", &object_url(), Answer::json(200, &object));
    let newer = {
        let mut newer = object.clone();
        newer["metadata"]["resourceVersion"] = json!("12");
        newer
    };
    host.answer("PATCH", &put_url(), status(409, "Conflict", "the object has been modified", json!({})));
    host.answer("GET", &object_url(), Answer::json(200, &newer));
    host.answer("PATCH", &put_url(), Answer::json(200, &newer));
    assert_eq!(roll_back(&host, json!({})), Ok(expected()));
    let sent = host.requests();
    let patch = sent.last().unwrap();
    assert_eq!(patch.header("content-type"), Some("application/merge-patch+json"));
    let body: Value = serde_json::from_slice(&patch.body).unwrap();
    assert_eq!(
        body,
        json!({ "metadata": { "resourceVersion": "12", "managedFields": [{
            "manager": "quantum", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
            "fieldsV1": { "f:spec": { "f:selector": {}, "f:template": {} } },
        }] } })
    );
}

#[test]
fn a_handover_that_is_refused_is_only_warned_of() {
    let host = started();
    host.answer("PUT", &put_url(), Answer::json(200, &undone(11)));
    host.answer("GET", &object_url(), status(403, "Forbidden", "cannot get", json!({})));
    assert_eq!(roll_back(&host, json!({})), Ok(expected()));
    assert!(host.logs().iter().any(|line| line.field("reason").is_some_and(|r| r.contains("cannot get"))));
}

#[test]
fn another_attempt_of_the_same_step_does_not_go_back_once_more() {
    let host = host().attempt(2);
    let mut object = undone(11);
    object["metadata"]["annotations"]["quantum.dev/rolled-back-by"] = json!("idempotency-key");
    host.answer("GET", &object_url(), Answer::json(200, &object));
    host.answer("GET", &object_url(), Answer::json(200, &object));
    assert_eq!(roll_back(&host, json!({})), Ok(expected()));
    assert!(host.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_change_by_somebody_else_in_between_is_read_and_decided_again() {
    let host = started();
    let conflict =
        || status(409, "Conflict", "the object has been modified; please apply your changes", json!({}));
    host.answer("PUT", &put_url(), conflict());
    host.answer("GET", &object_url(), Answer::json(200, &ready(20)));
    host.answer("GET", &replica_sets_url(), replica_sets());
    host.answer("PUT", &put_url(), Answer::json(200, &undone(21)));
    host.answer("GET", &object_url(), Answer::json(200, &undone(21)));
    assert_eq!(roll_back(&host, json!({})), Ok(expected()));

    let host = started();
    for _ in 0..4 {
        host.answer("GET", &object_url(), Answer::json(200, &ready(20)));
        host.answer("GET", &replica_sets_url(), replica_sets());
    }
    for _ in 0..5 {
        host.answer("PUT", &put_url(), conflict());
    }
    assert_eq!(code(&roll_back(&host, json!({})).unwrap_err()), ("cluster-conflict", true));
}

#[test]
fn a_wanted_revision_is_put_back_and_one_that_is_there_changes_nothing() {
    let host = started();
    host.answer("PUT", &put_url(), Answer::json(200, &undone(11)));
    host.answer("GET", &object_url(), Answer::json(200, &undone(11)));
    assert_eq!(roll_back(&host, json!({ "to_revision": 1 })), Ok(expected()));

    let host = started();
    host.answer("GET", &object_url(), Answer::json(200, &ready(10)));
    let unchanged = roll_back(&host, json!({ "to_revision": 2 })).unwrap();
    assert_eq!((&unchanged["revision"], &unchanged["image"]), (&json!(2), &json!(IMAGE)));
}

#[test]
fn a_revision_that_is_not_there_is_refused() {
    let failure = roll_back(&started(), json!({ "to_revision": 7 })).unwrap_err();
    assert_eq!(
        (code(&failure), details(&failure)),
        (("revision-not-found", false), json!({ "revisions": [2, 1] }))
    );

    let host = host();
    host.answer("GET", &object_url(), Answer::json(200, &ready(10)));
    let only = json!({ "items": [replica_set(2, IMAGE)] });
    host.answer("GET", &replica_sets_url(), Answer::json(200, &only));
    assert_eq!(code(&roll_back(&host, json!({})).unwrap_err()), ("no-previous-revision", false));
}

#[test]
fn a_deployment_that_is_missing_or_paused_is_refused() {
    let answer = |answer: Answer| -> Result<Value> {
        let host = host();
        host.answer("GET", &object_url(), answer);
        roll_back(&host, json!({}))
    };
    let missing = json!({ "name": "web", "group": "apps", "kind": "deployments" });
    let failure = answer(status(404, "NotFound", "deployments.apps \"web\" not found", missing)).unwrap_err();
    assert_eq!(failure.to_string(), "deployment-not-found: deployments.apps \"web\" not found");
    let mut paused = ready(10);
    paused["spec"]["paused"] = json!(true);
    assert_eq!(code(&answer(Answer::json(200, &paused)).unwrap_err()), ("deployment-paused", false));
    let odd = json!({ "kind": "Deployment", "metadata": { "generation": "two" } });
    assert_eq!(code(&answer(Answer::json(200, &odd)).unwrap_err()), ("cluster-answer", false));
}

#[test]
fn a_dry_run_lets_the_cluster_check_and_hands_nothing_over() {
    let host = started().dry_run(true);
    host.answer("PUT", &format!("{}&dryRun=All", put_url()), Answer::json(200, &undone(11)));
    assert_eq!(roll_back(&host, json!({})).unwrap()["image"], OLD_IMAGE);
    assert_eq!(host.requests().len(), 3);
}
