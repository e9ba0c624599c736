//! JSON Schema of a recording, for other tools and `schemas/recording.json`.

use serde_json::{Value, json};

use super::RECORDING_FORMAT;
use crate::vocabulary::Environment;

/// Draft 2020-12.
pub fn recording_schema() -> Value {
    let list = |of: &str| json!({ "type": "array", "items": { "$ref": format!("#/$defs/{of}") } });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Recording of an attempt",
        "description": "What a component was told by its host, in the order in which it asked. docs/recordings.md says \
                        how it is made, and what it holds of secrets: nothing.",
        "type": "object",
        "additionalProperties": false,
        "required": ["recording", "inputs", "calls", "clocks", "random", "lines", "ended"],
        "properties": {
            "recording": { "const": RECORDING_FORMAT },
            "inputs": inputs(),
            "calls": list("call"),
            "clocks": clocks(),
            "random": list("data"),
            "cancelled_at": { "type": "integer", "minimum": 1,
                "description": "The how-manieth question whether it was cancelled was the first that was answered so." },
            "lines": { "type": "array", "items": { "type": "object" },
                "description": "What the component said: log lines and progress, as the events have them." },
            "cut": cut(),
            "ended": ended()
        },
        "$defs": { "data": data(), "call": call(), "header": header(), "refusal": refusal() }
    })
}

fn data() -> Value {
    json!({
        "description": "Bytes: text where they are readable text, else base64.",
        "oneOf": [
            { "type": "string" },
            {
                "type": "object", "additionalProperties": false, "required": ["base64"],
                "properties": { "base64": { "type": "string", "contentEncoding": "base64" } }
            }
        ]
    })
}

fn inputs() -> Value {
    let classes: Vec<&str> = Environment::ALL.iter().map(|class| class.as_str()).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": [
            "plugin", "version", "component", "action", "environment", "execution", "step", "attempt",
            "idempotency_key", "deadline", "timeout_ms", "dry_run", "config", "parameters"
        ],
        "properties": {
            "plugin": { "type": "string" },
            "version": { "type": "string" },
            "component": { "type": "string", "description": "Digest." },
            "action": { "type": "string" },
            "environment": { "enum": classes },
            "execution": { "type": "string" },
            "step": { "type": "string" },
            "attempt": { "type": "integer", "minimum": 1 },
            "idempotency_key": { "type": "string" },
            "deadline": { "type": ["integer", "null"], "description": "Milliseconds since the Unix epoch." },
            "timeout_ms": { "type": "integer", "minimum": 0 },
            "dry_run": { "type": "boolean" },
            "trace_parent": { "type": "string" },
            "config": { "type": "string", "contentMediaType": "application/json" },
            "parameters": { "type": "string", "contentMediaType": "application/json" }
        }
    })
}

fn clocks() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["wall", "monotonic"],
        "properties": {
            "wall": {
                "type": "array", "description": "Seconds since the Unix epoch, and nanoseconds, of each reading.",
                "items": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "integer", "minimum": 0 } }
            },
            "monotonic": {
                "type": "array", "description": "Nanoseconds of each reading.",
                "items": { "type": "integer", "minimum": 0 }
            }
        }
    })
}

fn call() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["asked"],
        "properties": {
            "asked": {
                "type": "object", "required": ["call"], "description": "The call, and what it was given.",
                "properties": {
                    "call": { "enum": [
                        "http.request", "kv.get", "kv.set", "kv.compare-and-set", "kv.delete", "artifacts.stat",
                        "artifacts.open", "artifacts.read", "artifacts.create", "artifacts.write", "artifacts.finish",
                        "secrets.placeholder", "secrets.basic", "secrets.hmac-sha256", "secrets.reveal"
                    ] },
                    "headers": { "type": "array", "items": { "$ref": "#/$defs/header" } }
                }
            },
            "sent": {
                "type": "object", "additionalProperties": false, "required": ["body", "whole", "before_answer"],
                "description": "The body of a request, with placeholders in the place of secrets.",
                "properties": {
                    "body": { "$ref": "#/$defs/data" },
                    "whole": { "type": "boolean" },
                    "before_answer": { "type": "integer", "minimum": 0 }
                }
            },
            "answer": {
                "description": "Absent: the attempt ended before it came.",
                "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
                "properties": {
                    "ok": {},
                    "err": { "$ref": "#/$defs/refusal" },
                    "http": { "type": "object", "required": ["code"] }
                }
            }
        }
    })
}

fn header() -> Value {
    json!({
        "type": "array", "minItems": 2, "maxItems": 2,
        "prefixItems": [{ "type": "string" }, { "$ref": "#/$defs/data" }]
    })
}

fn refusal() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["code", "message"],
        "properties": {
            "code": { "type": "string" }, "message": { "type": "string" }, "retryable": { "type": "boolean" }
        }
    })
}

fn cut() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["calls", "why"],
        "description": "Behind so many calls nothing was kept.",
        "properties": { "calls": { "type": "integer", "minimum": 0 }, "why": { "enum": ["bytes", "encoded"] } }
    })
}

fn ended() -> Value {
    json!({
        "description": "How the attempt ended.",
        "oneOf": [
            { "enum": ["cancelled", "interrupted"] },
            { "type": "object", "additionalProperties": false, "required": ["completed"],
              "properties": { "completed": { "type": "object", "required": ["result"] } } },
            { "type": "object", "additionalProperties": false, "required": ["failed"],
              "properties": { "failed": { "type": "object", "required": ["kind", "problem"] } } }
        ]
    })
}
