//! JSON Schema of the manifest, for editors and for `schemas/manifest.json`. What it cannot say, `check` does.

use serde_json::{Value, json};

use super::MANIFEST_VERSION;

const KEBAB: &str = "[a-z][a-z0-9]*(-[a-z0-9]+)*";
const SECRET_NAME: &str = "^[A-Z][A-Z0-9_]*$";

/// Draft 2020-12.
pub fn manifest_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plugin manifest",
        "description": "What a plugin says of itself; embedded in the component as JSON text.",
        "type": "object",
        "required": ["manifest_version", "id", "version", "actions"],
        "additionalProperties": false,
        "properties": {
            "manifest_version": { "const": MANIFEST_VERSION },
            "id": {
                "type": "string", "pattern": format!("^{KEBAB}:{KEBAB}$"),
                "description": "namespace:name, for example acme:greeter."
            },
            "version": {
                "type": "string", "maxLength": 63,
                "pattern": r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?$",
                "description": "Exact semantic version without build metadata."
            },
            "title": { "type": "string" },
            "description": { "type": "string" },
            "publisher": { "type": "string" },
            "actions": { "type": "array", "minItems": 1, "maxItems": 100, "items": action() },
            "capabilities": capabilities(),
            "config": schema("JSON Schema of the installation's configuration."),
            "memory_bytes_max": {
                "type": "integer", "minimum": 0,
                "description": "Bytes of all memories together that an attempt needs, when the default does not do."
            },
            "wit": {
                "type": "object", "additionalProperties": { "type": "string" },
                "description": "WIT packages that it was built against, and their versions."
            }
        }
    })
}

fn action() -> Value {
    let name = json!({ "type": "string", "maxLength": 63, "pattern": format!("^{KEBAB}$") });
    json!({
        "type": "object",
        "required": ["name", "parameters", "result"],
        "additionalProperties": false,
        "properties": {
            "name": name,
            "title": { "type": "string" },
            "description": { "type": "string" },
            "parameters": schema("JSON Schema (2020-12) of the parameters."),
            "result": schema("JSON Schema of the result."),
            "aliases": { "type": "array", "items": name },
            "idempotent": {
                "type": "boolean", "default": false,
                "description": "The same idempotency key gives the same effect: traps and timeouts are retried too."
            },
            "effects": {
                "enum": ["at_least_once", "at_most_once"], "default": "at_least_once",
                "description": "An action that runs at most once is never run again when its result was lost."
            },
            "side_effects": { "type": "boolean", "default": true },
            "reversible": { "type": "boolean", "default": false },
            "dry_run": {
                "type": "boolean", "default": false,
                "description": "The action looks at context.dry-run and has no side effects then."
            }
        }
    })
}

fn capabilities() -> Value {
    let names = |what: &str| json!({ "type": "array", "items": { "type": "string" }, "description": what });
    let asked = |what: &str| json!({ "type": "boolean", "default": false, "description": what });
    json!({
        "type": "object",
        "description": "What the plugin asks for; what is not declared is never linked.",
        "additionalProperties": false,
        "properties": {
            "http": {
                "type": "object",
                "additionalProperties": false,
                "anyOf": [
                    { "required": ["hosts"], "properties": { "hosts": { "minItems": 1 } } },
                    { "required": ["slots"], "properties": { "slots": { "minItems": 1 } } }
                ],
                "properties": {
                    "hosts": names("Fixed patterns such as https://api.example.com."),
                    "slots": names("Names that the installer fills with patterns."),
                    "response_bytes_max": {
                        "type": "integer", "minimum": 0,
                        "description": "Bytes of the largest answer that it reads, when the default does not do."
                    }
                }
            },
            "kv": asked("The key-value store."),
            "artifacts": asked("Artifacts of the execution and the tenant."),
            "secrets": { "type": "array", "items": secret(), "description": "Used through placeholders." },
            "reveal": {
                "type": "array", "items": { "type": "string", "maxLength": 63, "pattern": SECRET_NAME },
                "description": "Names of secrets that it wants to see."
            },
            "clock": asked("The time of day."),
            "random": asked("Random numbers.")
        }
    })
}

fn secret() -> Value {
    json!({
        "type": "object",
        "required": ["name"],
        "additionalProperties": false,
        "properties": {
            "name": {
                "type": "string", "maxLength": 63, "pattern": SECRET_NAME,
                "description": "The plugin's own name for it, for example API_TOKEN."
            },
            "places": {
                "type": "array", "minItems": 1, "uniqueItems": true, "default": ["header"],
                "items": { "enum": ["header", "query", "body"] },
                "description": "Where in a request the host puts the value in."
            }
        }
    })
}

fn schema(what: &str) -> Value {
    json!({ "type": ["object", "boolean"], "description": what })
}
