//! ReplicaSets: one a revision of a Deployment's template. Their pods are told from their counts.

use serde_json::{Value, json};

use super::objects::{now, number, set, text};
use super::world::uid;
use crate::standin::Digest;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

/// A new set for the Deployment's template, without pods.
pub fn of(deployment: &Value, revision: u64) -> Value {
    let name = text(deployment, "/metadata/name");
    let mut template = deployment.pointer("/spec/template").cloned().unwrap_or_default();
    let hash: String =
        Digest::of(template.to_string().as_bytes()).to_string().chars().skip(7).take(10).collect();
    set(&mut template, "/metadata/labels", HASH, json!(hash));
    let labels = template.pointer("/metadata/labels").cloned().unwrap_or_default();
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": text(deployment, "/metadata/uid"),
        "controller": true, "blockOwnerDeletion": true,
    });
    let mut selector = deployment.pointer("/spec/selector").cloned().unwrap_or_default();
    set(&mut selector, "/matchLabels", HASH, json!(hash));
    json!({
        "kind": "ReplicaSet", "apiVersion": "apps/v1",
        "metadata": {
            "name": format!("{name}-{hash}"), "namespace": text(deployment, "/metadata/namespace"), "uid": uid(),
            "creationTimestamp": now(), "labels": labels, "annotations": { REVISION: revision.to_string() },
            "ownerReferences": [owner],
        },
        "spec": { "replicas": 0, "selector": selector, "template": template },
        "status": { "replicas": 0, "readyReplicas": 0, "availableReplicas": 0 },
    })
}

/// Whether it makes the pods that the Deployment wants.
pub fn is_of_template(replica_set: &Value, deployment: &Value) -> bool {
    let mut template = replica_set.pointer("/spec/template").cloned().unwrap_or_default();
    let labels = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut);
    labels.map(|labels| labels.shift_remove(HASH));
    deployment.pointer("/spec/template") == Some(&template)
}

pub fn revision(object: &Value) -> u64 {
    let annotation =
        object.pointer("/metadata/annotations").and_then(|annotations| annotations.get(REVISION));
    annotation.and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0)
}

pub fn set_revision(object: &mut Value, revision: u64) {
    set(object, "/metadata/annotations", REVISION, json!(revision.to_string()));
}

pub fn pods_of(replica_set: &Value) -> u64 {
    number(replica_set, "/status/replicas")
}

pub fn ready_of(replica_set: &Value) -> u64 {
    number(replica_set, "/status/readyReplicas")
}

/// So many pods, of which so many are ready.
pub fn scale(replica_set: &mut Value, pods: u64, ready: u64) {
    set(replica_set, "/spec", "replicas", json!(pods));
    set(
        replica_set,
        "",
        "status",
        json!({ "replicas": pods, "readyReplicas": ready, "availableReplicas": ready }),
    );
}

/// Its pods. `waits`: why those that are not ready wait.
pub fn pods(replica_set: &Value, waits: &(&str, String)) -> Vec<Value> {
    let (name, ready) = (text(replica_set, "/metadata/name"), ready_of(replica_set));
    let template = replica_set.pointer("/spec/template").cloned().unwrap_or_default();
    let containers = template.pointer("/spec/containers").and_then(Value::as_array);
    let names: Vec<&str> =
        containers.into_iter().flatten().map(|container| text(container, "/name")).collect();
    let pod = |number: u64| {
        let is_ready = number < ready;
        let (reason, message) = waits;
        let state = match is_ready {
            true => json!({ "running": {} }),
            false => json!({ "waiting": { "reason": reason, "message": message } }),
        };
        let statuses: Vec<_> =
            names.iter().map(|name| json!({ "name": name, "ready": is_ready, "state": state })).collect();
        json!({
            "metadata": {
                "name": format!("{name}-{number}"), "namespace": text(replica_set, "/metadata/namespace"),
                "labels": template.pointer("/metadata/labels"),
            },
            "spec": template.get("spec"),
            "status": { "phase": if is_ready { "Running" } else { "Pending" }, "containerStatuses": statuses },
        })
    };
    (0..pods_of(replica_set)).map(pod).collect()
}
