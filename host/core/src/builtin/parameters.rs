//! What the built-in actions are told.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::BuiltIn;
use crate::limits::APPROVALS_MAX;
use crate::schema::Schema;

struct Schemas {
    wait: Schema,
    signal: Schema,
    approve: Schema,
    execute_intent: Schema,
    fail: Schema,
}

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let compile = |built_in| {
        Schema::compile(&parameter_schema(built_in))
            .expect("the schemas of built-in actions compile; a test holds them to that")
    };
    Schemas {
        wait: compile(BuiltIn::Wait),
        signal: compile(BuiltIn::Signal),
        approve: compile(BuiltIn::Approve),
        execute_intent: compile(BuiltIn::ExecuteIntent),
        fail: compile(BuiltIn::Fail),
    }
});

/// Compiled once.
pub fn schema(built_in: BuiltIn) -> &'static Schema {
    match built_in {
        BuiltIn::Wait => &SCHEMAS.wait,
        BuiltIn::Signal => &SCHEMAS.signal,
        BuiltIn::Approve => &SCHEMAS.approve,
        BuiltIn::ExecuteIntent => &SCHEMAS.execute_intent,
        BuiltIn::Fail => &SCHEMAS.fail,
    }
}

/// JSON Schema of the parameters.
pub fn parameter_schema(built_in: BuiltIn) -> Value {
    let (properties, required) = match built_in {
        BuiltIn::Wait => return wait(),
        BuiltIn::Signal => (
            json!({
                "name": {
                    "type": "string", "minLength": 1, "maxLength": 128,
                    "description": "What the signal is called; the step's id when not given."
                },
                "schema": { "type": ["object", "boolean"], "description": "JSON Schema of the payload." }
            }),
            json!([]),
        ),
        BuiltIn::Approve => (
            json!({
                "approvals": {
                    "type": "integer", "minimum": 1, "maximum": APPROVALS_MAX,
                    "description": "People who must approve; 1 when not given. The requester never counts."
                },
                "message": { "type": "string", "maxLength": 2000, "description": "What is to be approved." }
            }),
            json!([]),
        ),
        BuiltIn::ExecuteIntent => (
            json!({
                "intent": {
                    "type": "string", "minLength": 1, "maxLength": 200,
                    "description": "name, name-vN or uid of an intent of the same tenant."
                },
                "input": { "description": "The child's input; an empty object when not given." }
            }),
            json!(["intent"]),
        ),
        BuiltIn::Fail => (
            json!({
                "code": { "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 63 },
                "message": { "type": "string", "minLength": 1, "maxLength": 2000 },
                "details": {}
            }),
            json!(["message"]),
        ),
    };
    json!({
        "type": "object", "additionalProperties": false, "properties": properties, "required": required
    })
}

fn wait() -> Value {
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "duration": {
                "type": ["number", "string"], "description": "Seconds, or \"90s\", \"5m\", \"1h\", \"7d\"."
            },
            "until": { "type": "string", "description": "An RFC 3339 time, such as 2030-01-31T08:00:00Z." }
        },
        "minProperties": 1, "maxProperties": 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_of_built_in_actions_compile() {
        for built_in in BuiltIn::ALL {
            assert!(Schema::compile(&parameter_schema(*built_in)).is_ok(), "{}", built_in.action());
            assert_eq!(BuiltIn::parse(built_in.action()), Some(*built_in));
        }
        assert_eq!(BuiltIn::parse("core/sleep"), None);
    }
}
