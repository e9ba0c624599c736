//! The typed form of a blueprint, and what it makes of an intent's definition.

use serde_json::{Map, Value};

use crate::problem::Finding;
use crate::schema::Schema;

/// Keys of the document that are not part of the definition that it makes.
const OWN_KEYS: &[&str] = &["name", "description", "schema"];
/// Keys that an intent without steps cannot have a say in: steps are written for their order.
const STEPS_KEYS: &[&str] = &["steps", "order"];

/// Ready to be used: its schema compiled.
#[derive(Debug, Clone)]
pub struct Blueprint {
    pub description: String,
    schema: Option<Schema>,
    /// What it gives to a definition: steps, order, and what the definition may leave out.
    template: Map<String, Value>,
}

impl Blueprint {
    /// Of a document that was checked. Err: why its schema is none (any more).
    pub fn read(source: &Value) -> Result<Self, String> {
        let fields = source.as_object().into_iter().flatten();
        let template = fields.filter(|(key, _)| !OWN_KEYS.contains(&key.as_str()));
        Ok(Self {
            description: source.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            schema: source.get("schema").map(Schema::compile).transpose()?,
            template: template.map(|(key, value)| (key.clone(), value.clone())).collect(),
        })
    }

    /// Everything in an intent's definition that does not fit, as errors.
    pub fn check_definition(&self, definition: &Value) -> Vec<Finding> {
        let schema = self.schema.as_ref();
        schema.map(|schema| schema.findings(definition, "/definition", "blueprint")).unwrap_or_default()
    }

    /// The definition as if its author had written the steps. They and their order are the blueprint's; everything else
    /// is the definition's own where it has it.
    pub fn complete(&self, definition: &Value) -> Value {
        let own = definition.as_object().into_iter().flatten();
        let own = own.filter(|(key, _)| !STEPS_KEYS.contains(&key.as_str()));
        let mut whole = self.template.clone();
        whole.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        Value::Object(whole)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_keeps_what_it_has_and_is_given_the_rest() {
        let blueprint = Blueprint::read(&json!({
            "description": "x", "steps": [{ "action": "a" }], "input": { "type": "object" }, "output": 1
        }));
        let definition =
            json!({ "target": "test", "order": "graph", "steps": [], "output": 2, "version": "1" });
        let whole = blueprint.unwrap().complete(&definition);
        let expected = json!({
            "steps": [{ "action": "a" }], "input": { "type": "object" }, "output": 2, "target": "test", "version": "1"
        });
        assert_eq!(whole, expected);
    }

    #[test]
    fn a_definition_that_does_not_fit_is_told_where() {
        let schema = json!({ "required": ["version"], "properties": { "version": { "type": "string" } } });
        let blueprint = Blueprint::read(&json!({ "schema": schema, "steps": [] })).unwrap();
        let told = |definition: Value| -> Vec<String> {
            blueprint.check_definition(&definition).into_iter().map(|finding| finding.pointer).collect()
        };
        assert_eq!(told(json!({ "version": 1 })), ["/definition/version"]);
        assert_eq!(told(json!({})), ["/definition"]);
        assert!(told(json!({ "version": "1", "more": 2 })).is_empty());
    }
}
