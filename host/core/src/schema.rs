//! JSON Schema (draft 2020-12), compiled once and used many times. References to other documents are not followed.

use std::sync::Arc;

use serde_json::Value;

use crate::json::{Json, pointer};
use crate::problem::{Finding, nearest};

/// Findings of one validation. More are cut off: a person fixes these first.
const FINDINGS_MAX: usize = 50;

/// A compiled schema beside its text. Clones share both.
#[derive(Debug, Clone)]
pub struct Schema {
    source: Json,
    validator: Arc<jsonschema::Validator>,
}

impl Schema {
    /// Err: why the text is not a schema, for people.
    pub fn compile(source: &Value) -> Result<Self, String> {
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .build(source)
            .map_err(|error| unusable(&error))?;
        Ok(Self { source: Arc::new(source.clone()), validator: Arc::new(validator) })
    }

    pub fn source(&self) -> &Value {
        &self.source
    }

    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Everything that does not fit, with pointers below `base`.
    pub fn findings(&self, value: &Value, base: &str, code: &str) -> Vec<Finding> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(value).take(FINDINGS_MAX);
        errors.flat_map(|error| self.explain(&error, base, code)).collect()
    }

    /// As `findings`, for a value in which the strings at `holes` stand for values that are not known yet.
    pub fn findings_around(&self, value: &Value, holes: &[String], code: &str) -> Vec<Finding> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(value).take(FINDINGS_MAX);
        let known = errors.filter(|error| !depends_on_hole(error, holes));
        known.flat_map(|error| self.explain(&error, "", code)).collect()
    }

    fn explain(&self, error: &jsonschema::ValidationError<'_>, base: &str, code: &str) -> Vec<Finding> {
        use jsonschema::error::ValidationErrorKind as Kind;
        let at = format!("{base}{}", error.instance_path());
        let known = self.properties_at(&error.schema_path().to_string());
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().map(|name| unknown(&at, code, name, &known)).collect()
            }
            _ => vec![Finding::error(at, code, error.to_string())],
        }
    }

    /// Names of the properties that the schema beside `path` lists.
    fn properties_at(&self, path: &str) -> Vec<String> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let properties = self.source.pointer(parent).and_then(|schema| schema.get("properties"));
        properties.and_then(Value::as_object).map(|p| p.keys().cloned().collect()).unwrap_or_default()
    }
}

/// A finding in a hole, or one about a whole value whose parts decide it, may vanish once the hole is filled.
fn depends_on_hole(error: &jsonschema::ValidationError<'_>, holes: &[String]) -> bool {
    use jsonschema::error::ValidationErrorKind as Kind;
    let at = error.instance_path().to_string();
    let by_keys = matches!(
        error.kind(),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } | Kind::Required { .. }
    );
    holes.iter().any(|hole| {
        let inside = at == *hole;
        let around = hole.strip_prefix(&at).is_some_and(|rest| rest.starts_with('/'));
        inside || (around && !by_keys)
    })
}

fn unknown(at: &str, code: &str, name: &str, known: &[String]) -> Finding {
    let finding = Finding::error(pointer(at, name), code, format!("\"{name}\" is not known here"));
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => finding.hint(format!("did you mean \"{near}\"?")),
        None if known.is_empty() => finding.hint("nothing may stand here"),
        None => finding.hint(format!("known here: {}", known.join(", "))),
    }
}

/// Why a text is not a schema that can be used.
fn unusable(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    match error.kind() {
        Kind::Referencing(jsonschema::ReferencingError::Unretrievable { uri, .. }) => {
            format!("it refers to \"{uri}\", and other documents are not read; put it under \"$defs\"")
        }
        _ => format!("{error} (at {})", place(&error.instance_path().to_string())),
    }
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the top" } else { pointer }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misspelt_key_suggests_the_near_one() {
        let schema = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}, "additionalProperties": false});
        let schema = Schema::compile(&schema).unwrap();
        let findings = schema.findings(&json!({"replica": 3}), "/steps/0", "parameters");
        assert_eq!(findings[0].pointer, "/steps/0/replica");
        assert_eq!(findings[0].hint.as_deref(), Some("did you mean \"replicas\"?"));
    }

    #[test]
    fn a_wrong_type_says_what_would_fit() {
        let schema = Schema::compile(&json!({"properties": {"n": {"type": "integer"}}})).unwrap();
        let findings = schema.findings(&json!({"n": "three"}), "", "parameters");
        assert_eq!(findings[0].message, "\"three\" is not of type \"integer\"");
        assert_eq!(findings[0].pointer, "/n");
    }

    #[test]
    fn a_reference_to_another_document_is_refused_not_fetched() {
        assert!(Schema::compile(&json!({"$ref": "https://example.com/schema.json"})).is_err());
    }
}
