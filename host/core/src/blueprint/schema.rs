//! JSON Schema of the blueprint's document: its own envelope, and what it shares with an intent's definition.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::intent::document_schema;
use crate::limits::DESCRIPTION_CHARS_MAX;
use crate::schema::Schema;

/// Keys of a definition that are the intent's alone: where it happens, and in which language it is written.
const OF_INTENTS: &[&str] = &["target", "schema_version"];

/// What a blueprint is besides its steps. They are checked as an intent's, with that schema.
pub(super) static ENVELOPE: LazyLock<Schema> = LazyLock::new(|| {
    let shared = shared().into_iter().map(|(key, _)| (key, json!(true)));
    Schema::compile(&document(shared.collect()))
        .expect("the schema of the blueprint compiles; a test holds it to that")
});

/// Draft 2020-12.
pub fn blueprint_schema() -> Value {
    document(shared())
}

/// The keys of a definition that a blueprint may have too, with their schemas.
fn shared() -> Map<String, Value> {
    let document = document_schema();
    let keys = document.pointer("/properties/definition/properties").and_then(Value::as_object);
    let keys = keys.into_iter().flatten().filter(|(key, _)| !OF_INTENTS.contains(&key.as_str()));
    keys.map(|(key, schema)| (key.clone(), schema.clone())).collect()
}

fn document(shared: Map<String, Value>) -> Value {
    let mut properties = json!({
        "name": { "type": "string", "description": "Of the intents that it gives steps to." },
        "description": { "type": "string", "maxLength": DESCRIPTION_CHARS_MAX },
        "schema": {
            "type": ["object", "boolean"],
            "description": "JSON Schema of the definitions of these intents. Not given: every definition fits."
        }
    });
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(shared);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Blueprint",
        "description": "A stored template: a schema for definitions without steps, and the steps that they run.",
        "type": "object",
        "required": ["steps"],
        "additionalProperties": false,
        "properties": properties,
        "allOf": [{ "properties": { "steps": { "minItems": 1 } } }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_the_blueprint_compiles_and_has_the_steps_of_an_intent() {
        let schema = blueprint_schema();
        assert!(Schema::compile(&schema).is_ok());
        assert!(ENVELOPE.is_valid(&json!({ "steps": [1] })), "steps are an intent's business");
        assert!(!Schema::compile(&schema).unwrap().is_valid(&json!({ "steps": [1] })));
        assert_eq!(
            schema["properties"]["steps"],
            document_schema()["properties"]["definition"]["properties"]["steps"]
        );
        assert!(schema["properties"].get("target").is_none());
    }
}
