//! The table of operations in `docs/executions.md` against what is there: commands, routes, what policies decide, and
//! events. In which states each one is taken is held by a test of the core.

use std::process::Command;

use serde_json::Value;

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
