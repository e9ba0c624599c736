//! The manifest that the describing build tells: attributes, types and doc comments as the host's JSON.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::action::{Action, ActionMeta};

/// The format that the host reads.
const MANIFEST_VERSION: u32 = 1;

/// What the crate says of the plugin. `quantum plugin build` hands over what stands in `[package.metadata.quantum]`.
#[derive(Debug, Clone, Copy)]
pub struct PluginMeta {
    pub id: &'static str,
    pub title: &'static str,
    pub publisher: &'static str,
    pub version: &'static str,
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
    pub fn of<A>() -> Self
    where
        A: Action<Parameters: JsonSchema, Output: JsonSchema>,
    {
        let parameters = closed(schema::<A::Parameters>(SchemaSettings::draft2020_12()));
        let result = schema::<A::Output>(SchemaSettings::draft2020_12().for_serialize());
        Self { meta: A::META, parameters, result }
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
        "capabilities": capabilities(actions),
        "wit": { "quantum:plugin": "1.0.0", "quantum:context": "1.0.0", "quantum:log": "1.0.0" },
    });
    if let (Some(config), Some(fields)) = (config, manifest.as_object_mut()) {
        fields.insert("config".to_owned(), config);
    }
    manifest
}

/// The schema of the installation's configuration.
pub fn config_schema<T: JsonSchema>() -> Value {
    closed(schema::<T>(SchemaSettings::draft2020_12()))
}

/// What all actions declare, together.
fn capabilities(actions: &[ActionEntry]) -> Value {
    let hosts = union(actions, |meta| meta.http_hosts);
    let slots = union(actions, |meta| meta.http_slots);
    let mut all = Map::new();
    if !hosts.is_empty() || !slots.is_empty() {
        all.insert("http".to_owned(), json!({ "hosts": hosts, "slots": slots }));
    }
    if actions.iter().any(|action| action.meta.clock) {
        all.insert("clock".to_owned(), Value::Bool(true));
    }
    if actions.iter().any(|action| action.meta.random) {
        all.insert("random".to_owned(), Value::Bool(true));
    }
    Value::Object(all)
}

fn union(actions: &[ActionEntry], words: fn(&ActionMeta) -> &'static [&'static str]) -> Vec<&'static str> {
    let mut all: Vec<&str> = actions.iter().flat_map(|action| words(&action.meta)).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A misspelt parameter must be found, so the outermost object takes no unknown ones unless the type says so.
fn closed(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut()
        && fields.get("type").and_then(Value::as_str) == Some("object")
        && !fields.contains_key("additionalProperties")
        && !fields.contains_key("unevaluatedProperties")
    {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    schema
}
