//! Blueprints on the command line, with the example of docs/blueprints.md as it is written there.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::home::{Home, TENANT};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").canonicalize().unwrap()
}

/// The text between two lines of the guide.
fn quoted(from: &str, to: &str) -> String {
    let guide = std::fs::read_to_string(docs().join("blueprints.md")).unwrap();
    let begin = guide.split_once(from).expect("the guide has it").1;
    begin.split_once(to).expect("the guide has its end").0.to_owned()
}

fn example() -> String {
    docs().join("examples/blueprints/announce-release.json").to_str().unwrap().to_owned()
}

#[test]
fn the_guides_example_runs_as_it_is_written() {
    let shown: Value = serde_json::from_str(&quoted("```json\n", "```")).unwrap();
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(example()).unwrap()).unwrap();
    // The page says less about itself.
    file["description"] = shown["description"].clone();
    assert_eq!(shown, file);

    let home = Home::with_plugins(&["transform"], "");
    let host = home.start();
    home.create_tenant(&host, TENANT);
    home.file("announce.json", quoted("<<'END'\n", "END\n"));
    let quantum = |arguments: &[&str]| home.run(Some(&host), arguments);
    let apply = ["blueprint", "apply", &example()];
    assert_eq!(quantum(&apply).ok(), "created announce-release, revision 1\n");
    assert_eq!(quantum(&["intent", "apply", "announce.json"]).ok(), "created announce-release-v1\n");
    let ran = quantum(&["run", "announce-release", "--follow"]).ok();
    let last = "succeeded    {\"text\":\"Quantum 1.2.3 is out, with 2 changes.\"}";
    assert_eq!(ran.lines().last().map(str::trim), Some(last), "{ran}");
    let plan = quantum(&["intent", "plan", "announce-release"]).ok();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["blueprint"], json!({ "name": "announce-release", "revision": 1 }));
}

#[test]
fn a_blueprint_is_applied_shown_and_deleted() {
    let home = Home::with_plugins(&["transform"], "");
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let quantum = |arguments: &[&str]| home.run(Some(&host), arguments);
    let apply = ["blueprint", "apply", &example()];
    quantum(&apply).ok();
    assert_eq!(quantum(&apply).ok(), "unchanged announce-release, revision 1\n");
    let shown = quantum(&["blueprint", "show", "announce-release"]).ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let mut changed = shown["document"].clone();
    changed["steps"][0]["action"] = json!("transform-jsno");
    home.file("changed.json", changed.to_string());
    let told = quantum(&["blueprint", "apply", "changed.json"]).ok();
    let warning = "  warning:  /steps/0/action: no installed plugin has an action \"transform-jsno\" [action-unknown]; \
                   did you mean \"transform-json\"? Otherwise install a plugin that has it before executing\n";
    assert_eq!(told, format!("changed announce-release, revision 2 after 1\n{warning}"));
    let listed = quantum(&["blueprint", "list"]).ok();
    assert!(
        listed.lines().nth(1).unwrap().starts_with("announce-release  2         Writes the text"),
        "{listed}"
    );
    let earlier = quantum(&["blueprint", "show", "announce-release", "--revision", "1"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&earlier).unwrap()["document"], shown["document"]);
    assert_eq!(quantum(&["blueprint", "delete", "announce-release"]).ok(), "removed announce-release\n");
    quantum(&["blueprint", "show", "announce-release"]).fails(4);
    quantum(&["blueprint", "delete", "announce-release"]).fails(4);

    home.file("nameless.json", "{ \"steps\": [] }");
    let nameless = quantum(&["blueprint", "apply", "nameless.json"]).fails(2);
    let expected = "error: the document has no \"name\": that of the intents that it gives steps to\n";
    assert_eq!(nameless, expected);
    home.file("empty.json", "{ \"name\": \"x\", \"steps\": [] }");
    let empty = quantum(&["blueprint", "apply", "empty.json"]).fails(3);
    assert!(empty.contains("  /steps: [] has less than 1 item [schema]\n"), "{empty}");
}
