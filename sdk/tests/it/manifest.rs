//! What the describing build tells. The host reads this JSON, and refuses keys that it does not know.

use quantum_sdk::__private::{Action, Plugin, PluginMeta};
use quantum_sdk::prelude::*;
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
    let http = json!({
        "hosts": ["https://auth.example.com"],
        "slots": ["registry"],
        "response_bytes_max": 1_073_741_824,
    });
    let secrets = json!([
        { "name": "REGISTRY_TOKEN", "places": ["body", "header", "query"] },
        { "name": "SIGNING_KEY", "places": ["body", "query"] },
    ]);
    let expected = json!({
        "http": http, "kv": true, "artifacts": true, "secrets": secrets, "reveal": ["SEED"], "clock": true, "random": true
    });
    assert_eq!(manifest()["capabilities"], expected);
}

/// What a plugin of this one action declares.
fn declared<A: Action>() -> (Value, Vec<String>) {
    let meta = PluginMeta { id: "a:b", title: "", publisher: "", version: "1.0.0", description: "" };
    let mut all = quantum_sdk::__private::manifest::<(A, ())>(&meta, None);
    let packages = all["wit"].as_object().unwrap().keys().cloned().collect();
    (all["capabilities"].take(), packages)
}

#[test]
fn what_is_not_declared_has_no_key_and_no_package() {
    /// Needs nothing.
    #[action]
    fn nothing(_ctx: &Context, (): ()) -> Result<()> {
        Ok(())
    }
    let always = ["quantum:plugin", "quantum:context", "quantum:log"];
    assert_eq!(declared::<nothing>(), (json!({}), always.map(str::to_owned).to_vec()));

    /// Uses a secret.
    #[action(secrets("TOKEN"))]
    fn secret(_ctx: &Context, (): ()) -> Result<()> {
        Ok(())
    }
    let (capabilities, packages) = declared::<secret>();
    assert_eq!(capabilities, json!({ "secrets": [{ "name": "TOKEN", "places": ["header"] }] }));
    assert_eq!(packages.last().unwrap(), "quantum:secrets");

    /// Needs a slot.
    #[action(http = slot("api"))]
    fn slot(_ctx: &Context, (): ()) -> Result<()> {
        Ok(())
    }
    assert_eq!(
        declared::<slot>(),
        (json!({ "http": { "hosts": [], "slots": ["api"] } }), packages[..3].to_vec())
    );
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

#[test]
fn the_plugin_needs_as_much_memory_as_its_largest_action() {
    assert_eq!(manifest()["memory_bytes_max"], 134_217_728);
}
