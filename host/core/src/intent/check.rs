//! Validation of a document, all findings at once: schema, then rules. (The third layer, policies, is asked by the api.)

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::IntentDocument;
use super::read::read_definition;
use super::rules;
use super::schema::DOCUMENT;
use super::target::environment_of;
use crate::id::{IntentName, TenantId};
use crate::installation;
use crate::json::depth;
use crate::limits::{JSON_DEPTH_MAX, STEPS_MAX};
use crate::port::ActionDirectory;
use crate::problem::Finding;
use crate::tenant::Targets;

/// What a document is held against.
#[derive(Clone, Copy)]
pub struct CheckContext<'a> {
    pub tenant: &'a TenantId,
    pub actions: &'a dyn ActionDirectory,
}

/// The outcome: the document when it can be stored, and everything that was found.
#[derive(Debug)]
pub struct Checked {
    pub document: Option<IntentDocument>,
    pub findings: Vec<Finding>,
}

/// Checks what a client posted, in a tenant without targets of its own. Warnings do not refuse it.
pub fn check_document(source: &Value, context: &CheckContext<'_>) -> Checked {
    check_document_with(source, context, &Targets::new())
}

/// As `check_document`; `targets` are the tenant's.
pub fn check_document_with(source: &Value, context: &CheckContext<'_>, targets: &Targets) -> Checked {
    let mut findings = Vec::new();
    if depth(source) > JSON_DEPTH_MAX {
        let message = format!("a document has at most {JSON_DEPTH_MAX} levels of JSON");
        findings.push(Finding::error("", "json-depth", message));
        return Checked { document: None, findings };
    }
    findings.extend(DOCUMENT.findings(source, "", "schema"));
    let name = read_name(source, &mut findings);
    let Some(written) = source.get("definition").filter(|definition| definition.is_object()) else {
        return Checked { document: None, findings };
    };
    if step_count(written) > STEPS_MAX {
        return Checked { document: None, findings }; // The schema said so; the rules cost more than linear time.
    }
    let definition = read_definition(written, &mut findings);
    let mut filled = definition.clone();
    let environment = environment_of(definition.target.as_deref(), targets);
    installation::fill(&mut filled, environment, context);
    let called = source.get("name").and_then(Value::as_str);
    rules::check(called, &filled, context, &mut findings);
    if findings.iter().any(Finding::is_error) {
        return Checked { document: None, findings };
    }
    let document = name.map(|name| IntentDocument {
        name,
        description: text(source, "description"),
        labels: labels(source),
        source: written.clone(),
        definition,
    });
    Checked { document, findings }
}

fn step_count(definition: &Value) -> usize {
    definition.get("steps").and_then(Value::as_array).map_or(0, Vec::len)
}

fn read_name(source: &Value, findings: &mut Vec<Finding>) -> Option<IntentName> {
    let text = source.get("name")?.as_str()?;
    match IntentName::new(text) {
        Ok(name) => Some(name),
        Err(error) => {
            // In place of what the schema says, which is a regular expression.
            findings.retain(|finding| finding.pointer != "/name");
            findings.push(Finding::error("/name", "intent-name", error.to_string()));
            None
        }
    }
}

fn text(source: &Value, key: &str) -> String {
    source.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn labels(source: &Value) -> BTreeMap<String, String> {
    let fields = source.get("labels").and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
