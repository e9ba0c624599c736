//! The configuration of an image: what a base says, what a step adds, and the digests and history of the layers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::platform::Platform;
use crate::registry::Base;
use crate::time;

/// What made the layer, in the history: the same for the same image, wherever its context came from.
const CREATED_BY: &str = "COPY . # quantum:oci build-container";
const BASE_LAYER: &str = "a layer of the base, without history";

/// How the image is run. What is none stays as the base has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    pub entrypoint: Option<Vec<String>>,
    pub cmd: Option<Vec<String>>,
    pub env: BTreeMap<String, String>,
    pub workdir: Option<String>,
    pub user: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// As in `80/tcp`.
    pub exposed_ports: Vec<String>,
}

/// The configuration, with one more layer than the base has.
pub fn build(
    base: Option<&Base>,
    platform: &Platform,
    runtime: &Runtime,
    diff_id: &Digest,
    created_s: u64,
) -> Value {
    let created = time::rfc3339(created_s);
    let mut config = Map::new();
    config.insert("created".to_owned(), json!(created));
    for (key, value) in platform.fields() {
        config.insert(key.to_owned(), value.into());
    }
    for key in ["os.version", "os.features"] {
        if let Some(value) = base.and_then(|base| base.config.get(key)) {
            config.insert(key.to_owned(), value.clone());
        }
    }
    config.insert("config".to_owned(), run(base, runtime));
    let mut diff_ids = base.map(|base| base.diff_ids.clone()).unwrap_or_default();
    diff_ids.push(diff_id.clone());
    config.insert("rootfs".to_owned(), json!({ "type": "layers", "diff_ids": diff_ids }));
    let mut history = base.map(past).unwrap_or_default();
    history.push(json!({ "created": created, "created_by": CREATED_BY }));
    config.insert("history".to_owned(), Value::Array(history));
    Value::Object(config)
}

/// The part that says how to run it. A new entry point takes away the base's arguments, which were for the old one.
fn run(base: Option<&Base>, runtime: &Runtime) -> Value {
    let mut run = base.and_then(|base| base.config.get("config")?.as_object().cloned()).unwrap_or_default();
    if let Some(entrypoint) = &runtime.entrypoint {
        run.insert("Entrypoint".to_owned(), json!(entrypoint));
        run.remove("Cmd");
    }
    if let Some(cmd) = &runtime.cmd {
        run.insert("Cmd".to_owned(), json!(cmd));
    }
    if let Some(workdir) = &runtime.workdir {
        run.insert("WorkingDir".to_owned(), json!(workdir));
    }
    if let Some(user) = &runtime.user {
        run.insert("User".to_owned(), json!(user));
    }
    if !runtime.env.is_empty() {
        let env = environment(run.get("Env"), &runtime.env);
        run.insert("Env".to_owned(), json!(env));
    }
    merge(&mut run, "Labels", runtime.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
    merge(&mut run, "ExposedPorts", runtime.exposed_ports.iter().map(|port| (port.clone(), json!({}))));
    Value::Object(run)
}

/// `NAME=value` in the base's order, then the new ones by name.
fn environment(base: Option<&Value>, added: &BTreeMap<String, String>) -> Vec<String> {
    let base = base.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut left = added.clone();
    let mut all = Vec::new();
    for entry in base.iter().filter_map(Value::as_str) {
        let name = entry.split('=').next().unwrap_or_default();
        match left.remove(name) {
            Some(value) => all.push(format!("{name}={value}")),
            None => all.push(entry.to_owned()),
        }
    }
    all.extend(left.iter().map(|(name, value)| format!("{name}={value}")));
    all
}

fn merge(run: &mut Map<String, Value>, key: &str, added: impl Iterator<Item = (String, Value)>) {
    let mut object = run.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    object.extend(added);
    if !object.is_empty() {
        run.insert(key.to_owned(), Value::Object(object));
    }
}

/// The base's history, with one entry a layer at least: tools count.
fn past(base: &Base) -> Vec<Value> {
    let mut history = base.config.get("history").and_then(Value::as_array).cloned().unwrap_or_default();
    let empty = |entry: &Value| entry.get("empty_layer").and_then(Value::as_bool) == Some(true);
    let layers = history.iter().filter(|entry| !empty(entry)).count();
    let missing = base.diff_ids.len().saturating_sub(layers);
    history.extend(std::iter::repeat_n(json!({ "created_by": BASE_LAYER }), missing));
    history
}
