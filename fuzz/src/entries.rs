//! What comes from outside, each as one function of bytes: it returns, whatever the bytes are, or something is wrong with
//! the host. Called by the targets of cargo-fuzz and, with a bounded number of cases, by
//! `host/marketplace/tests/it/boundary.rs`, so that both mean the same.

use std::sync::Arc;

use quantum_core::id::{Digest, TenantId};
use quantum_core::intent::{CheckContext, check_document};
use quantum_core::manifest::Manifest;
use quantum_core::port::{ActionDirectory, ActionEntry, Resolution};
use quantum_core::problem::Finding;
use quantum_core::schema::Schema;
use quantum_marketplace::{inspect, read_manifest};
use serde_json::{Value, json};

/// The name of a target, and what it does with bytes.
pub type Entry = (&'static str, fn(&[u8]));

/// One for each file below `targets/`.
pub const ENTRIES: [Entry; 5] = [
    ("manifest", manifest),
    ("component", component),
    ("sections", sections),
    ("result", result),
    ("intent", intent),
];

/// An empty component: what every component begins with.
const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// A manifest as JSON text. One that is accepted is the same when it is written and read again.
pub fn manifest(bytes: &[u8]) {
    let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) else { return };
    let findings = manifest.check();
    let written = serde_json::to_vec(&manifest).expect("a manifest can be written");
    let again: Manifest = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, manifest);
    if !findings.iter().any(Finding::is_error) {
        for action in &manifest.actions {
            Schema::compile(&action.parameters).expect("what was accepted compiles");
            Schema::compile(&action.result).expect("what was accepted compiles");
        }
    }
}

/// A file that somebody says is a plugin.
pub fn component(bytes: &[u8]) {
    let Ok(inspection) = inspect(bytes) else { return };
    drop(inspection.findings());
    let manifest = read_manifest(bytes).expect("what was inspected has a manifest");
    assert_eq!(manifest, inspection.manifest);
}

/// Sections behind the beginning of a component, which is where a manifest is.
pub fn sections(bytes: &[u8]) {
    component(&[&COMPONENT, bytes].concat());
}

/// What a guest gives back: text, then JSON, then a value against the schema of its action.
pub fn result(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let schema = Schema::compile(&result_schema()).expect("the schema is well written");
    let findings = schema.findings(&value, "", "result");
    assert_eq!(schema.is_valid(&value), findings.is_empty());
    for finding in findings {
        assert!(value.pointer(&finding.pointer).is_some(), "{} is nowhere in {value}", finding.pointer);
    }
}

/// With references, numbers, texts, lists, and keys that are not listed.
fn result_schema() -> Value {
    json!({
        "type": "object",
        "required": ["name"],
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string", "pattern": "^[a-z]+$", "maxLength": 20 },
            "count": { "type": "integer", "minimum": 0, "multipleOf": 3 },
            "parts": { "type": "array", "maxItems": 4, "uniqueItems": true, "items": { "$ref": "#" } },
            "any": { "anyOf": [{ "type": "null" }, { "type": "number", "exclusiveMaximum": 1 }] }
        }
    })
}

/// A document that somebody posts. One that is accepted is accepted again as it is stored.
pub fn intent(bytes: &[u8]) {
    let Ok(source) = serde_json::from_slice::<Value>(bytes) else { return };
    let tenant = TenantId::new("tenant-1").expect("a good id");
    let context = CheckContext { tenant: &tenant, actions: &NoPlugins };
    let checked = check_document(&source, &context);
    let Some(document) = checked.document else {
        assert!(checked.findings.iter().any(Finding::is_error), "refused without a reason: {source}");
        return;
    };
    let stored = json!({ "name": document.name, "definition": document.source });
    let again = check_document(&stored, &context);
    assert!(!again.findings.iter().any(Finding::is_error), "{:?}", again.findings);
    assert_eq!(again.document.map(|stored| stored.source), Some(document.source));
}

/// Only the host's own actions are known.
struct NoPlugins;

impl ActionDirectory for NoPlugins {
    fn resolve(&self, _: &TenantId, _: &str) -> Resolution {
        Resolution::Unknown
    }

    fn pinned(&self, _: &TenantId, _: &Digest, _: &str) -> Option<Arc<ActionEntry>> {
        None
    }

    fn names(&self, _: &TenantId) -> Vec<String> {
        Vec::new()
    }
}
