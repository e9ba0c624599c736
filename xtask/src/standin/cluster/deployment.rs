//! Deployments as the API completes and checks them.

use serde_json::{Map, Value, json};

use super::objects::{default, number, set, text};
use super::path::Target;
use super::selector::Selector;
use super::status::{Cause, Status, bad_request, invalid};

/// The parts of a Deployment that field managers own: labels, annotations and what is wanted.
pub fn owned_part(object: &Value) -> Value {
    let mut metadata = Map::new();
    for name in ["labels", "annotations"] {
        if let Some(value) = object.pointer("/metadata").and_then(|metadata| metadata.get(name)) {
            metadata.insert(name.to_owned(), value.clone());
        }
    }
    let mut part = Map::new();
    if !metadata.is_empty() {
        part.insert("metadata".to_owned(), Value::Object(metadata));
    }
    if let Some(spec) = object.get("spec") {
        part.insert("spec".to_owned(), spec.clone());
    }
    Value::Object(part)
}

/// What a body must be, whatever it wants. Err: 400.
pub fn check_body(object: &Value, target: &Target) -> Result<(), Status> {
    if (text(object, "/apiVersion"), text(object, "/kind")) != ("apps/v1", "Deployment") {
        return Err(bad_request("the object provided is no Deployment of apps/v1"));
    }
    let name = text(object, "/metadata/name");
    if name != target.name {
        let message =
            format!("the name of the object ({name}) does not match the name on the URL ({})", target.name);
        return Err(bad_request(message));
    }
    let namespace = text(object, "/metadata/namespace");
    if !namespace.is_empty() && namespace != target.namespace {
        return Err(bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// Fills in what is not said.
pub fn complete(object: &mut Value, target: &Target) {
    set(object, "", "kind", json!("Deployment"));
    set(object, "", "apiVersion", json!("apps/v1"));
    set(object, "/metadata", "name", json!(target.name));
    set(object, "/metadata", "namespace", json!(target.namespace));
    default(object, "/spec", "replicas", json!(1));
    default(object, "/spec", "revisionHistoryLimit", json!(10));
    default(object, "/spec", "progressDeadlineSeconds", json!(600));
    let rolling = json!({ "maxUnavailable": "25%", "maxSurge": "25%" });
    default(object, "/spec", "strategy", json!({ "type": "RollingUpdate", "rollingUpdate": rolling }));
    default(object, "/spec/template/metadata", "creationTimestamp", Value::Null);
    const POD: &str = "/spec/template/spec";
    default(object, POD, "restartPolicy", json!("Always"));
    default(object, POD, "terminationGracePeriodSeconds", json!(30));
    default(object, POD, "dnsPolicy", json!("ClusterFirst"));
    default(object, POD, "securityContext", json!({}));
    default(object, POD, "schedulerName", json!("default-scheduler"));
    let containers = object.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    containers.into_iter().flatten().for_each(complete_container);
}

fn complete_container(container: &mut Value) {
    let image = text(container, "/image");
    // A tag may move, so `latest` is looked for each time.
    let newest = !image.contains('@') && !image.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let policy = if newest || image.ends_with(":latest") { "Always" } else { "IfNotPresent" };
    default(container, "", "imagePullPolicy", json!(policy));
    default(container, "", "resources", json!({}));
    default(container, "", "terminationMessagePath", json!("/dev/termination-log"));
    default(container, "", "terminationMessagePolicy", json!("File"));
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        default(port, "", "protocol", json!("TCP"));
    }
}

/// Err: 422 with all that is wrong.
pub fn check(object: &Value, live: Option<&Value>, target: &Target) -> Result<(), Status> {
    let mut causes = Vec::new();
    let mut wrong = |reason, field: &str, message: String| {
        causes.push(Cause { reason, field: field.to_owned(), message });
    };
    if object.pointer("/spec/replicas").and_then(Value::as_u64).is_none() {
        wrong(
            "FieldValueInvalid",
            "spec.replicas",
            "Invalid value: must be greater than or equal to 0".to_owned(),
        );
    }
    let selector = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let labels = object.pointer("/spec/template/metadata/labels");
    match selector.filter(|selector| !selector.is_empty()) {
        None => wrong("FieldValueRequired", "spec.selector", "Required value".to_owned()),
        Some(selector)
            if !selector.iter().all(|(name, value)| labels.and_then(|l| l.get(name)) == Some(value)) =>
        {
            let message = "Invalid value: `selector` does not match template `labels`".to_owned();
            wrong("FieldValueInvalid", "spec.template.metadata.labels", message);
        }
        Some(_) => {}
    }
    let old = live.and_then(|live| live.pointer("/spec/selector"));
    if old.is_some_and(|old| object.pointer("/spec/selector") != Some(old)) {
        wrong("FieldValueInvalid", "spec.selector", "Invalid value: field is immutable".to_owned());
    }
    let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    match containers.filter(|containers| !containers.is_empty()) {
        None => wrong("FieldValueRequired", "spec.template.spec.containers", "Required value".to_owned()),
        Some(containers) => {
            for (at, container) in containers.iter().enumerate() {
                for field in
                    ["name", "image"].iter().filter(|field| text(container, &format!("/{field}")).is_empty())
                {
                    let place = format!("spec.template.spec.containers[{at}].{field}");
                    wrong("FieldValueRequired", &place, "Required value".to_owned());
                }
            }
        }
    }
    if causes.is_empty() { Ok(()) } else { Err(invalid(target, &causes)) }
}

/// The number that counts changes of what is wanted.
pub fn generation(object: &Value, live: Option<&Value>) -> u64 {
    let Some(live) = live else { return 1 };
    let changed = object.get("spec") != live.get("spec");
    number(live, "/metadata/generation") + u64::from(changed)
}

/// Images of the pods' template.
pub fn images(object: &Value) -> Vec<&str> {
    let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    containers.into_iter().flatten().map(|container| text(container, "/image")).collect()
}

/// Whether labels and names of a list's query fit.
pub fn fits(object: &Value, labels: &Selector, name: Option<&str>) -> bool {
    name.is_none_or(|name| text(object, "/metadata/name") == name)
        && labels.fits(object.pointer("/metadata/labels"))
}
