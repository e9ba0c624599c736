//! A scripted cluster: the objects and addresses that the tests share.

use quantum_sdk::testing::{Answer, Host};
use quantum_sdk::{Failure, Result};
use serde_json::{Value, json};

use crate::deployment::deploy_to_kubernetes;
use crate::rollback::rollback_deployment;

const API: &str = "https://cluster.example:6443/apis/apps/v1/namespaces/production";
pub const UID: &str = "6c2f3a0e-54b1-4f0f-9d3c-0f0b7e3b6a11";
pub const IMAGE: &str = "registry.example/web@sha256:2222";

/// An installation for this cluster, in an attempt of ten minutes.
pub fn host() -> Host {
    Host::new()
        .config(json!({ "server": "https://cluster.example:6443/" }))
        .secret("KUBERNETES_TOKEN", "s3cret")
        .deadline_in(600_000)
}

pub fn object_url() -> String {
    format!("{API}/deployments/web")
}

pub fn apply_url() -> String {
    format!("{}?fieldManager=quantum&force=false", object_url())
}

pub fn watch_url(version: u32, seconds: u32) -> String {
    format!(
        "{API}/deployments?watch=true&fieldSelector=metadata.name%3Dweb&resourceVersion={version}\
         &timeoutSeconds={seconds}"
    )
}

pub fn replica_sets_url() -> String {
    format!("{API}/replicasets?labelSelector=app.kubernetes.io%2Fname%3Dweb")
}

pub fn pods_url() -> String {
    "https://cluster.example:6443/api/v1/namespaces/production/pods\
     ?labelSelector=app.kubernetes.io%2Fname%3Dweb&limit=20"
        .to_owned()
}

/// Names and image; tests add the rest.
pub fn parameters(more: Value) -> Value {
    let mut parameters = json!({ "namespace": "production", "name": "web", "image": IMAGE });
    for (key, value) in more.as_object().unwrap() {
        parameters[key] = value.clone();
    }
    parameters
}

pub fn deploy(host: &Host, more: Value) -> Result<Value> {
    host.run::<deploy_to_kubernetes>(parameters(more))
}

pub fn roll_back(host: &Host, more: Value) -> Result<Value> {
    let mut parameters = json!({ "namespace": "production", "name": "web" });
    for (key, value) in more.as_object().unwrap() {
        parameters[key] = value.clone();
    }
    host.run::<rollback_deployment>(parameters)
}

/// A Deployment of 3 in its generation 2, of which so many are updated and available.
pub fn deployment(version: u32, observed: u32, updated: u32, available: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "production", "uid": UID, "generation": 2,
            "resourceVersion": version.to_string(),
            "annotations": { "deployment.kubernetes.io/revision": if observed == 2 { "2" } else { "1" } },
            "managedFields": [],
        },
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels": { "app.kubernetes.io/name": "web" } },
            "template": template(IMAGE),
        },
        "status": {
            "observedGeneration": observed, "replicas": 3, "updatedReplicas": updated,
            "readyReplicas": available, "availableReplicas": available,
            "conditions": [{
                "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
                "message": "ReplicaSet \"web-5d9\" is progressing.",
            }],
        },
    })
}

/// Rolled out.
pub fn ready(version: u32) -> Value {
    deployment(version, 2, 3, 3)
}

/// Applied, and not observed by its controller.
pub fn applied(version: u32) -> Value {
    deployment(version, 1, 3, 3)
}

pub fn template(image: &str) -> Value {
    json!({
        "metadata": { "labels": { "app.kubernetes.io/name": "web" } },
        "spec": { "containers": [{ "name": "web", "image": image }] },
    })
}

/// The lines of a watch.
pub fn events(events: &[(&str, Value)]) -> Answer {
    let lines: String = events
        .iter()
        .map(|(kind, object)| format!("{}\n", json!({ "type": kind, "object": object })))
        .collect();
    Answer::text(200, &lines).header("content-type", "application/json;stream=watch")
}

/// A refusal of the API.
pub fn status(code: u16, reason: &str, message: &str, details: Value) -> Answer {
    Answer::json(code, &refusal(code, reason, message, details))
}

pub fn refusal(code: u16, reason: &str, message: &str, details: Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason, "details": details, "code": code,
    })
}

pub fn code(failure: &Failure) -> (&str, bool) {
    (failure.problem().map_or("cancelled", |problem| problem.code.as_str()), failure.is_retryable())
}

pub fn details(failure: &Failure) -> Value {
    serde_json::from_str(failure.problem().unwrap().details.as_deref().unwrap()).unwrap()
}
