//! The object that is applied: only the fields that the step and the installation decide, so that others may own the
//! rest.

use std::collections::BTreeMap;

use quantum_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::deployment::{DeployToKubernetes, Resources};
use crate::settings::Settings;
use crate::target::Target;
use crate::value::Scalar;

/// Who keeps the object, by Kubernetes' recommended labels.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The Deployment to apply. Err: permanent, `invalid-parameters`.
pub fn deployment(p: &DeployToKubernetes, target: &Target, settings: &Settings) -> Result<Value> {
    let selector = &settings.selector_label;
    let mut pod_labels = p.labels.clone();
    if pod_labels.insert(selector.clone(), target.name.clone()).is_some_and(|other| other != target.name) {
        let message = format!(
            "labels: \"{selector}\" selects the Deployment's pods and is always its name, \"{}\"",
            target.name
        );
        return Err(Failure::permanent("invalid-parameters", message));
    }
    let mut labels = pod_labels.clone();
    labels.entry(MANAGED_BY.to_owned()).or_insert_with(|| settings.field_manager.clone());
    let mut pod = Map::new();
    pod.insert("containers".to_owned(), json!([container(p, settings.container(target))]));
    if !settings.image_pull_secrets.is_empty() {
        let names = settings.image_pull_secrets.iter().map(|name| json!({ "name": name }));
        pod.insert("imagePullSecrets".to_owned(), names.collect());
    }
    let mut spec = Map::new();
    if let Some(replicas) = p.replicas {
        spec.insert("replicas".to_owned(), replicas.into());
    }
    spec.insert("selector".to_owned(), json!({ "matchLabels": { selector: target.name } }));
    spec.insert("template".to_owned(), json!({ "metadata": { "labels": pod_labels }, "spec": pod }));
    Ok(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": target.name, "namespace": target.namespace, "labels": labels },
        "spec": spec,
    }))
}

fn container(p: &DeployToKubernetes, name: &str) -> Map<String, Value> {
    let mut container = Map::new();
    let mut say = |key: &str, value: Value| container.insert(key.to_owned(), value);
    say("name", name.into());
    say("image", p.image.as_str().into());
    if let Some(port) = p.container_port {
        // The protocol is half of the key of this list, and not every version of the API fills it in.
        say("ports", json!([{ "containerPort": port.get(), "protocol": "TCP" }]));
    }
    if !p.env.is_empty() {
        say("env", p.env.iter().map(|(name, variable)| variable.entry(name)).collect());
    }
    if let Some(resources) = &p.resources {
        say("resources", self::resources(resources));
    }
    container
}

fn resources(resources: &Resources) -> Value {
    let quantities = |all: &BTreeMap<String, Scalar>| -> Value {
        all.iter()
            .map(|(name, quantity)| (name.clone(), quantity.text().into()))
            .collect::<Map<_, _>>()
            .into()
    };
    let mut object = Map::new();
    for (name, all) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        if !all.is_empty() {
            object.insert(name.to_owned(), quantities(all));
        }
    }
    object.into()
}
