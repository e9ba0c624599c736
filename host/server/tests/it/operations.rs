//! The table of operations in `docs/executions.md` against what is there: commands, routes, what policies decide, and
//! events. In which states each one is taken is held by a test of the core. And each command once, as it is typed.

use std::process::Command;

use serde_json::{Value, json};

use crate::home::{Home, TENANT};

const PAGE: &str = include_str!("../../../../docs/executions.md");
const OPEN_API: &str = include_str!("../../../../schemas/openapi.json");
const POLICY_SCHEMA: &str = include_str!("../../../../policies/quantum.cedarschema");

#[test]
fn every_operation_of_the_table_has_its_command_route_decision_and_event() {
    let api: Value = serde_json::from_str(OPEN_API).unwrap();
    let begin = PAGE.find("| operation | command |").unwrap();
    let rows: Vec<&str> = PAGE[begin..].lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 7, "rows were not found");
    for row in rows {
        let cells: Vec<&str> =
            row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let words: Vec<&str> = cells[1].split(' ').collect();
        let shown =
            Command::new(env!("CARGO_BIN_EXE_quantum")).args(&words[1..]).arg("--help").output().unwrap();
        let help = String::from_utf8_lossy(&shown.stdout);
        assert!(help.contains(&format!("Usage: {}", cells[1])), "{row}: {help}");

        let path = cells[2].strip_prefix("POST ").unwrap();
        let route = &api["paths"][format!("/api/v1{path}")]["post"];
        assert!(route.is_object(), "{row}: no such route");

        assert!(POLICY_SCHEMA.contains(&format!("\"{}\"", cells[3])), "{row}: no such action of a policy");
        let event = cells[5].split('`').next().unwrap();
        assert!(PAGE.contains(&format!("\n| `{event}` |")), "{row}: the page does not describe the event");
    }
}

#[test]
fn an_execution_is_moved_along_by_commands() {
    let home = Home::new("");
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let ask = json!({ "id": "ask", "action": "core/approve" });
    let wait = json!({ "id": "wait", "action": "core/signal", "name": "go" });
    let check = json!({ "id": "check", "action": "core/fail", "when": "steps.wait.output != 'well'", "message": "not well" });
    let document = json!({ "name": "release", "definition": { "steps": [ask, wait, check] } });
    let file = home.file("release.json", document.to_string());
    home.run(Some(&host), &["intent", "apply", &file]).ok();
    let begin = |arguments: &[&str]| {
        let started = home.run(Some(&host), &[arguments, &["--output", "json"]].concat()).ok();
        serde_json::from_str::<Value>(&started).unwrap()["execution_id"].as_str().unwrap().to_owned()
    };
    let id = begin(&["run", "release"]);
    let bob = home.token(TENANT, "bob", &["operator"]);
    let execution = |arguments: &[&str]| home.run(Some(&host), &[&["execution"], arguments].concat());

    let said = |what: &str| format!("execution {id} {what}\n");
    assert_eq!(execution(&["pause", &id, "--reason", "lunch"]).ok(), said("is paused"));
    assert!(execution(&["pause", &id]).fails(3).contains("execution-not-running"));
    assert_eq!(execution(&["resume", &id]).ok(), said("goes on"));
    assert!(execution(&["resume", &id]).fails(3).contains("execution-not-paused"));
    assert!(execution(&["signal", &id, "go"]).fails(3).contains("signal-not-expected"));
    let own = execution(&["approve", &id]).fails(3);
    assert!(own.contains("You cannot approve your own request"), "{own}");
    assert_eq!(execution(&["approve", &id, "--token", &bob]).ok(), said("has your approval"));
    assert_eq!(execution(&["signal", &id, "go", "--payload", "\"ill\""]).ok(), said("has the signal"));
    assert!(execution(&["watch", &id]).fails(1).contains("not well"));

    let replay = begin(&["execution", "replay", &id, "--from", "wait", "--version", "1"]);
    assert_eq!(
        execution(&["signal", &replay, "go", "--payload", "\"well\""]).ok(),
        format!("execution {replay} has the signal\n")
    );
    execution(&["watch", &replay]).ok();

    assert_eq!(execution(&["restart", &id]).ok(), said("runs again"));
    assert!(execution(&["watch", &id]).fails(1).contains("not well"), "nothing has changed for it");
    assert!(execution(&["cancel", &id]).fails(3).contains("execution-ended"));
    assert!(execution(&["restart", &replay]).fails(3).contains("not-restartable"));
}
