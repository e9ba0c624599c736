//! The schemas that people's editors read: the files are what the code says, and the code means what they say.

use quantum_core::blueprint::blueprint_schema;
use quantum_core::intent::document_schema;
use quantum_core::manifest::{Manifest, manifest_schema};
use quantum_core::recording::recording_schema;
use quantum_core::schema::Schema;
use quantum_core::tenant::settings_schema;
use serde_json::{Value, json};

use crate::support::updating;

fn check(file: &str, schema: &Value) {
    let path = format!("{}/../../schemas/{file}", env!("CARGO_MANIFEST_DIR"));
    let made = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if updating() {
        std::fs::write(&path, &made).unwrap();
    }
    let present = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(present == made, "schemas/{file} is not what the code says; UPDATE=1 writes it again");
}

#[test]
fn the_schema_of_intents_is_written_down() {
    check("intent.json", &document_schema());
}

#[test]
fn the_schema_of_blueprints_is_written_down() {
    check("blueprint.json", &blueprint_schema());
}

#[test]
fn the_schema_of_manifests_is_written_down() {
    check("manifest.json", &manifest_schema());
}

#[test]
fn the_schema_of_a_tenants_settings_is_written_down() {
    check("tenant-settings.json", &settings_schema());
}

#[test]
fn the_schema_of_recordings_is_written_down() {
    check("recording.json", &recording_schema());
}

/// Every field, so that one that the schema forgets is found.
fn full_manifest() -> Value {
    json!({
        "manifest_version": 1, "id": "acme:greeter", "version": "1.0.0-rc.1", "title": "Greeter",
        "description": "Says hello", "publisher": "acme",
        "actions": [{
            "name": "greet", "title": "Greet", "description": "Says hello", "parameters": {"type": "object"},
            "result": true, "aliases": ["hello"], "idempotent": true, "effects": "at_most_once",
            "side_effects": false, "reversible": true, "dry_run": true
        }],
        "capabilities": {
            "http": {"hosts": ["https://api.example.com"], "slots": ["api"], "response_bytes_max": 1},
            "kv": true, "artifacts": true, "secrets": [{"name": "TOKEN", "places": ["header", "query", "body"]}],
            "reveal": ["KEY"], "clock": true, "random": true
        },
        "config": {"type": "object"}, "memory_bytes_max": 1, "wit": {"quantum:plugin": "1.0.0"}
    })
}

#[test]
fn a_manifest_with_every_field_fits_its_schema_and_reads_as_it_was_written() {
    let manifest: Manifest = serde_json::from_value(full_manifest()).unwrap();
    assert_eq!(manifest.check(), []);
    assert_eq!(serde_json::to_value(&manifest).unwrap(), full_manifest());
    let schema = Schema::compile(&manifest_schema()).unwrap();
    assert_eq!(schema.findings(&full_manifest(), "", "manifest"), []);
}

#[test]
fn the_schema_of_manifests_refuses_what_the_code_refuses() {
    let schema = Schema::compile(&manifest_schema()).unwrap();
    let wrong: [(&str, Value); 16] = [
        ("/manifest_version", json!(2)),
        ("/id", json!("greeter")),
        ("/id", json!("Acme:greeter")),
        ("/version", json!("1.0")),
        ("/version", json!("01.0.0")),
        ("/version", json!("1.0.0+build")),
        ("/actions", json!([])),
        ("/actions/0/name", json!("greet_all")),
        ("/actions/0/name", json!("-greet")),
        ("/actions/0/effects", json!("exactly_once")),
        ("/capabilities/clock", json!("yes")),
        ("/capabilities/http", json!({})),
        ("/capabilities/secrets/0/name", json!("token")),
        ("/capabilities/secrets/0/places", json!([])),
        ("/capabilities/secrets/0/places", json!(["path"])),
        ("/capabilities/reveal", json!(["a-key"])),
    ];
    for (place, value) in wrong {
        let mut manifest = full_manifest();
        *manifest.pointer_mut(place).unwrap() = value.clone();
        let read: Result<Manifest, _> = serde_json::from_value(manifest.clone());
        assert!(!schema.is_valid(&manifest), "the schema takes {value} at {place}");
        assert!(read.is_err() || !read.unwrap().check().is_empty(), "the code takes {value} at {place}");
    }
}

#[test]
fn a_misspelt_field_of_a_manifest_is_refused_by_both() {
    let schema = Schema::compile(&manifest_schema()).unwrap();
    for place in ["", "/actions/0", "/capabilities", "/capabilities/http", "/capabilities/secrets/0"] {
        let mut manifest = full_manifest();
        manifest.pointer_mut(place).unwrap()["titel"] = json!("x");
        assert!(serde_json::from_value::<Manifest>(manifest.clone()).is_err(), "{place}");
        let findings = schema.findings(&manifest, "", "manifest");
        assert_eq!(findings[0].pointer, format!("{place}/titel"));
    }
}
