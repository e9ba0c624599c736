//! JSON Schema of the intent document: the first layer of validation, and `schemas/intent.json`.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::limits::{
    ATTEMPTS_MAX, CONCURRENCY_MAX, DESCRIPTION_CHARS_MAX, LABEL_CHARS_MAX, LABELS_MAX, PARALLEL_MAX,
    STEPS_MAX,
};
use crate::schema::Schema;

/// Keys of a step that are not parameters.
pub const STEP_KEYS: &[&str] = &[
    "id",
    "action",
    "parameters",
    "depends_on",
    "when",
    "for_each",
    "timeout",
    "retry",
    "on_error",
    "on_exhausted",
    "compensate",
];

/// Keys of `compensate` that are not parameters.
pub const COMPENSATE_KEYS: &[&str] = &["action", "parameters", "timeout", "retry"];

pub(super) static DOCUMENT: LazyLock<Schema> = LazyLock::new(|| {
    Schema::compile(&document_schema())
        .expect("the schema of the intent document compiles; a test holds it to that")
});

/// Draft 2020-12. Keys that stand in a step beside the listed ones are parameters of its action.
pub fn document_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Intent",
        "description": "A named, versioned document that says what should happen, as steps.",
        "type": "object",
        "required": ["name", "definition"],
        "additionalProperties": false,
        "properties": {
            "name": {
                "type": "string", "maxLength": 63, "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
                "description": "Unique in the tenant, never reused; does not end in -v and digits."
            },
            "description": { "type": "string", "maxLength": DESCRIPTION_CHARS_MAX },
            "labels": {
                "type": "object", "maxProperties": LABELS_MAX,
                "propertyNames": { "maxLength": LABEL_CHARS_MAX, "minLength": 1 },
                "additionalProperties": { "type": "string", "maxLength": LABEL_CHARS_MAX }
            },
            "definition": definition()
        }
    })
}

fn definition() -> Value {
    json!({
        "type": "object",
        "description": "Keys that are not listed are data, readable as intent.definition.",
        "properties": {
            "schema_version": { "const": 1 },
            "target": { "type": "string", "minLength": 1, "maxLength": 128 },
            "order": { "enum": ["sequential", "graph"] },
            "input": {
                "type": ["object", "boolean"], "description": "JSON Schema of the input of an execution."
            },
            "steps": { "type": "array", "maxItems": STEPS_MAX, "items": step() },
            "output": { "description": "The execution's output; strings may hold expressions." },
            "timeout": {
                "type": ["number", "string"],
                "description": "Of the whole execution: seconds, or \"90s\", \"5m\", \"1h\", \"7d\"."
            },
            "concurrency": {
                "type": "object",
                "additionalProperties": false,
                "required": ["limit"],
                "properties": {
                    "key": { "type": "string", "minLength": 1, "description": "CEL over input and intent." },
                    "limit": { "type": "integer", "minimum": 1, "maximum": CONCURRENCY_MAX },
                    "on_limit": { "enum": ["queue", "reject", "replace"] }
                }
            }
        }
    })
}

fn step() -> Value {
    json!({
        "type": "object",
        "required": ["action"],
        "description": "Keys that are not listed are parameters of the action.",
        "properties": {
            "id": { "type": "string", "maxLength": 63, "pattern": "^[A-Za-z][A-Za-z0-9_.-]*$" },
            "action": action(),
            "parameters": { "type": "object" },
            "depends_on": { "type": "array", "items": { "type": "string" }, "uniqueItems": true },
            "when": { "type": "string", "minLength": 1, "description": "CEL; false skips the step." },
            "for_each": {
                "type": "object",
                "additionalProperties": false,
                "required": ["in"],
                "properties": {
                    "in": { "type": "string", "minLength": 1, "description": "CEL that gives a list." },
                    "as": { "type": "string", "maxLength": 63, "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
                    "max_parallel": { "type": "integer", "minimum": 1, "maximum": PARALLEL_MAX }
                }
            },
            "timeout": timeout(),
            "retry": retry(),
            "on_error": { "enum": ["fail", "continue"] },
            "on_exhausted": { "enum": ["fail", "park"] },
            "compensate": {
                "type": "object",
                "required": ["action"],
                "description": "Undoes the step; keys that are not listed are parameters of the action.",
                "properties": {
                    "action": action(), "parameters": { "type": "object" }, "timeout": timeout(), "retry": retry()
                }
            }
        }
    })
}

fn action() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 200 })
}

fn timeout() -> Value {
    json!({
        "type": ["number", "string"], "description": "Of one attempt: seconds, or \"90s\", \"5m\", \"1h\"."
    })
}

fn retry() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "max_attempts": { "type": "integer", "minimum": 1, "maximum": ATTEMPTS_MAX },
            "initial_interval": { "type": ["number", "string"] },
            "multiplier": { "type": "number", "minimum": 1, "maximum": 100 },
            "max_interval": { "type": ["number", "string"] },
            "jitter": { "enum": ["full", "none"] },
            "budget": {
                "type": ["number", "string"], "description": "After the first attempt's start; none starts later."
            },
            "non_retryable": { "type": "array", "items": { "type": "string" } }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_the_document_compiles() {
        assert!(Schema::compile(&document_schema()).is_ok());
    }
}
