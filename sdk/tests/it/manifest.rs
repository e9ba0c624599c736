//! What the describing build tells. The host reads this JSON, and refuses keys that it does not know.

use quantum_sdk::__private::Plugin;
use serde_json::{Value, json};

use crate::sample::QuantumPlugin;

fn manifest() -> Value {
    QuantumPlugin::manifest()
}

#[test]
fn attributes_become_the_actions_words() {
    let push = &manifest()["actions"][0];
    for (key, value) in [
        ("name", json!("push-to-registry")),
        ("title", json!("Pushes an image")),
        (
            "description",
            json!("Pushes an image. Layers that are there are not sent again.\nThe second paragraph."),
        ),
        ("aliases", json!(["push", "upload"])),
        ("idempotent", json!(true)),
        ("effects", json!("at_least_once")),
        ("side_effects", json!(true)),
        ("reversible", json!(true)),
        ("dry_run", json!(true)),
    ] {
        assert_eq!(push[key], value, "{key}");
    }
    let count = &manifest()["actions"][1];
    assert_eq!(count["name"], "count-up");
    assert_eq!(count["title"], "Count up");
    assert_eq!((&count["effects"], &count["side_effects"]), (&json!("at_most_once"), &json!(false)));
}

#[test]
fn capabilities_of_all_actions_stand_together() {
    let http = json!({ "hosts": ["https://auth.example.com"], "slots": ["registry"] });
    assert_eq!(manifest()["capabilities"], json!({ "http": http, "clock": true, "random": true }));
}

#[test]
fn schemas_come_from_the_types_and_take_no_unknown_parameter() {
    let schema = &manifest()["actions"][0]["parameters"];
    assert_eq!(schema["properties"]["image"]["description"], "The image's name.");
    assert_eq!(schema["required"], json!(["image"]));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(manifest()["actions"][1]["result"]["type"], "integer");
    assert_eq!(manifest()["config"]["properties"]["registry"]["description"], "Where images go.");
}

#[test]
fn the_version_is_the_crates() {
    assert_eq!(manifest()["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest()["manifest_version"], 1);
}
