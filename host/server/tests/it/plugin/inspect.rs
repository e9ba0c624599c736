//! `quantum plugin inspect`: what a file says, and what its binary proves.

use serde_json::Value;

use super::{quantum, run};
use crate::home::packed;

#[test]
fn a_plugin_is_inspected_as_json_with_everything_that_is_known_of_it() {
    let told = run(quantum(&["plugin", "inspect", "--json"]).arg(packed("notify"))).ok();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["id"], "quantum:notify");
    assert_eq!(told["memory_bytes_max"], 64 * 1024 * 1024);
    assert_eq!(told["size_bytes"], std::fs::metadata(packed("notify")).unwrap().len());
    let digest = told["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    let capabilities = told["capabilities"].as_array().unwrap();
    let named: Vec<_> = capabilities.iter().map(|one| one["capability"].as_str().unwrap()).collect();
    assert_eq!(named, ["http", "secrets.use", "clock"]);
    assert!(capabilities.iter().all(|one| one["declared"] == true && one["proven"] == true), "{told:#}");
    assert_eq!(told["http"]["slots"], serde_json::json!(["chat", "receiver"]));
    let secrets = told["secrets"].as_array().unwrap();
    let chat = secrets.iter().find(|secret| secret["name"] == "CHAT_TOKEN").unwrap();
    assert_eq!(chat["places"], serde_json::json!(["header", "query"]));
    let wit = told["wit"].as_array().unwrap();
    let secrets = wit.iter().find(|one| one["package"] == "quantum:secrets").unwrap();
    assert_eq!((&secrets["declared"], &secrets["bound"]), (&"1.0.0".into(), &"1.0.0".into()));
    assert_eq!(told["findings"], serde_json::json!([]));
    assert_eq!(told["manifest"]["id"], "quantum:notify");
}

#[test]
fn a_plugin_is_inspected_for_people_with_places_slots_and_versions() {
    let told = run(quantum(&["plugin", "inspect"]).arg(packed("notify"))).ok();
    for line in [
        "memory     64 MiB (the default)",
        "  http                     declared, and the binary can use it",
        "  slot chat                                the installer says where to",
        "  CHAT_TOKEN               put into: header, query",
        "  quantum:secrets          1.0.0",
        "findings   none",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
}

#[test]
fn whoever_stops_reading_is_told_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = quantum(&["plugin", "inspect"]);
    let ended = command.arg(packed("notify")).stdout(writer).output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
