//! Validation of a blueprint, all findings at once: its envelope, then its steps as an intent's.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::document::Blueprint;
use super::schema::ENVELOPE;
use crate::id::IntentName;
use crate::intent::{CheckContext, check_document};
use crate::json::depth;
use crate::limits::JSON_DEPTH_MAX;
use crate::problem::{Finding, Severity};
use crate::schema::Schema;
use crate::vocabulary::Environment;

/// The outcome: the blueprint when it can be stored, and everything that was found.
#[derive(Debug)]
pub struct CheckedBlueprint {
    pub blueprint: Option<Blueprint>,
    pub findings: Vec<Finding>,
}

/// Checks what a client sent for the blueprint of this name; pointers start at the document's top. Warnings do not refuse
/// it.
pub fn check_blueprint(name: &IntentName, source: &Value, context: &CheckContext<'_>) -> CheckedBlueprint {
    if depth(source) > JSON_DEPTH_MAX {
        let message = format!("a document has at most {JSON_DEPTH_MAX} levels of JSON");
        return CheckedBlueprint {
            blueprint: None,
            findings: vec![Finding::error("", "json-depth", message)],
        };
    }
    let mut findings = ENVELOPE.findings(source, "", "schema");
    findings.extend(check_name(name, source));
    findings.extend(source.get("schema").and_then(check_schema));
    findings.extend(check_steps(name, source, context));
    let blueprint = if findings.iter().any(Finding::is_error) { None } else { Blueprint::read(source).ok() };
    CheckedBlueprint { blueprint, findings }
}

fn check_name(name: &IntentName, source: &Value) -> Option<Finding> {
    let written = source.get("name")?.as_str()?;
    if written == name.as_str() {
        return None;
    }
    let message = format!("the blueprint is named \"{name}\" where it is stored");
    Some(Finding::error("/name", "schema", message).hint(format!("write \"{name}\", or leave \"name\" out")))
}

/// What is neither an object nor a boolean is the envelope's finding.
fn check_schema(schema: &Value) -> Option<Finding> {
    let reason = Schema::compile(schema).err().filter(|_| schema.is_object())?;
    let message = format!("\"schema\" is not a JSON Schema: {reason}");
    Some(Finding::error("/schema", "blueprint-schema", message))
}

/// The steps are held against the rules of each environment that an intent of this name may be in: the defaults of
/// installed plugins differ by environment. What is wrong in some of them only is told, not refused; it is decided when
/// an intent is planned.
fn check_steps(name: &IntentName, source: &Value, context: &CheckContext<'_>) -> Vec<Finding> {
    let Ok(blueprint) = Blueprint::read(&without_schema(source)) else { return Vec::new() };
    let mut found: Vec<(Finding, Vec<Environment>)> = Vec::new();
    let mut known = HashMap::new();
    for environment in Environment::ALL {
        let definition = blueprint.complete(&json!({ "target": environment.as_str() }));
        let checked = check_document(&json!({ "name": name, "definition": definition }), context);
        for finding in checked.findings {
            let key = (finding.pointer.clone(), finding.code.clone(), finding.message.clone());
            let at = *known.entry(key).or_insert_with(|| {
                found.push((finding, Vec::new()));
                found.len() - 1
            });
            if let Some((_, environments)) = found.get_mut(at) {
                environments.push(*environment);
            }
        }
    }
    found.into_iter().map(|(finding, environments)| placed(finding, &environments)).collect()
}

fn without_schema(source: &Value) -> Value {
    let fields = source.as_object().into_iter().flatten().filter(|(key, _)| *key != "schema");
    fields.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// From a definition's finding to the blueprint's.
fn placed(mut finding: Finding, environments: &[Environment]) -> Finding {
    if let Some(below) = finding.pointer.strip_prefix("/definition") {
        finding.pointer = below.to_owned();
    }
    if environments.len() < Environment::ALL.len() {
        let words: Vec<&str> = environments.iter().map(|environment| environment.as_str()).collect();
        finding.message = format!("in {}: {}", words.join(", "), finding.message);
        finding.severity = Severity::Warning;
    }
    finding
}
