//! The manifest that the describing build tells: attributes, types and doc comments as the host's JSON.

use serde_json::{Map, Value, json};

use crate::action::{Action, ActionMeta, Output, Parameters};
use crate::capabilities::capabilities;

/// The format that the host reads.
const MANIFEST_VERSION: u32 = 1;
/// Of every package of the contract that the bindings are made of.
const WIT_VERSION: &str = "1.0.0";

/// What the crate says of the plugin. `quantum plugin build` hands over what stands in `[package.metadata.quantum]`.
#[derive(Debug, Clone, Copy)]
pub struct PluginMeta {
    /// `namespace:name`.
    pub id: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// Who makes it.
    pub publisher: &'static str,
    /// The crate's.
    pub version: &'static str,
    /// The crate's.
    pub description: &'static str,
}

/// One action with the schemas of its types.
#[derive(Debug)]
pub struct ActionEntry {
    meta: ActionMeta,
    parameters: Value,
    result: Value,
}

impl ActionEntry {
    /// An action's.
    pub fn of<A: Action>() -> Self {
        Self { meta: A::META, parameters: A::Parameters::schema(), result: A::Output::schema() }
    }

    fn json(&self) -> Value {
        let meta = &self.meta;
        json!({
            "name": meta.name,
            "title": meta.title,
            "description": meta.description,
            "parameters": self.parameters,
            "result": self.result,
            "aliases": meta.aliases,
            "idempotent": meta.idempotent,
            "effects": if meta.at_most_once { "at_most_once" } else { "at_least_once" },
            "side_effects": meta.side_effects,
            "reversible": meta.reversible,
            "dry_run": meta.dry_run,
        })
    }
}

/// The manifest of a plugin.
pub fn manifest(meta: &PluginMeta, actions: &[ActionEntry], config: Option<Value>) -> Value {
    let mut manifest = json!({
        "manifest_version": MANIFEST_VERSION,
        "id": meta.id,
        "version": meta.version,
        "title": meta.title,
        "description": meta.description,
        "publisher": meta.publisher,
        "actions": actions.iter().map(ActionEntry::json).collect::<Vec<_>>(),
        "capabilities": capabilities(&metas(actions)),
        "wit": wit(&metas(actions)),
    });
    let memory_bytes_max = metas(actions).iter().filter_map(|meta| meta.memory_bytes_max).max();
    for (key, value) in [("config", config), ("memory_bytes_max", memory_bytes_max.map(Value::from))] {
        if let (Some(value), Some(fields)) = (value, manifest.as_object_mut()) {
            fields.insert(key.to_owned(), value);
        }
    }
    manifest
}

fn metas(actions: &[ActionEntry]) -> Vec<ActionMeta> {
    actions.iter().map(|action| action.meta).collect()
}

/// The packages of the contract that the declared capabilities use, with their versions.
fn wit(actions: &[ActionMeta]) -> Value {
    let asks = |what: fn(&ActionMeta) -> bool| actions.iter().any(what);
    let used = [
        ("quantum:plugin", true),
        ("quantum:context", true),
        ("quantum:log", true),
        ("quantum:kv", asks(|meta| meta.kv)),
        ("quantum:artifacts", asks(|meta| meta.artifacts)),
        ("quantum:secrets", asks(|meta| !meta.secrets.is_empty() || !meta.reveal.is_empty())),
    ];
    let used = used.into_iter().filter(|(_, used)| *used);
    used.map(|(package, _)| (package.to_owned(), Value::from(WIT_VERSION))).collect::<Map<_, _>>().into()
}
