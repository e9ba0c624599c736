//! Small components in text form, and a manifest that fits them.

use quantum_core::manifest::Manifest;
use serde_json::{Value, json};

pub fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let mut text = "(component (type $t (instance))".to_owned();
    for (at, import) in imports.iter().enumerate() {
        text.push_str(&format!("(import \"{import}\" (instance $i{at} (type $t)))"));
    }
    text.push_str("(instance $e)");
    for export in exports {
        text.push_str(&format!("(export \"{export}\" (instance $e))"));
    }
    text.push(')');
    wat::parse_str(&text).unwrap()
}

pub fn plugin(imports: &[&str]) -> Vec<u8> {
    component(imports, &["quantum:plugin/actions@1.0.0"])
}

pub fn manifest(capabilities: Value) -> Manifest {
    serde_json::from_value(json!({
        "manifest_version": 1,
        "id": "acme:sample",
        "version": "1.0.0",
        "actions": [{ "name": "go", "parameters": { "type": "object" }, "result": true }],
        "capabilities": capabilities,
    }))
    .unwrap()
}

/// A custom section of a component or module.
pub fn custom(name: &str, data: &[u8]) -> Vec<u8> {
    use wasm_encoder::{ComponentSection, CustomSection};
    let mut bytes = Vec::new();
    CustomSection { name: name.into(), data: data.into() }.append_to_component(&mut bytes);
    bytes
}
