//! `quantum plugin run`: one call, its result, and how it ended.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use super::{in_rust, offline, quantum, run, run_with};
use crate::home::{Ran, packed};

/// A call of a plugin that ships.
fn call(plugin: &str, action: &str, arguments: &[&str], input: &str) -> Ran {
    let mut command = quantum(&["plugin", "run", action, "--plugin"]);
    run_with(command.arg(packed(plugin)).args(arguments), input)
}

#[test]
fn a_result_is_json_on_standard_output_and_the_rest_is_told_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ada.json");
    fs::write(&file, "{\"name\":\"Ada\"}").unwrap();
    let at_file = format!("@{}", file.display());
    for (typed, input) in [("{\"name\":\"Ada\"}", ""), ("-", "{\"name\":\"Ada\"}"), (at_file.as_str(), "")] {
        let ran = call("hello", "greet", &["--params", typed], input);
        assert!(ran.err.starts_with("log: info greeting name=\"Ada\"\nbill: "), "{}", ran.err);
        assert!(ran.err.contains(" ms cpu, ") && ran.err.contains(" bytes sent, "), "{}", ran.err);
        assert_eq!(serde_json::from_str::<Value>(&ran.ok()).unwrap(), json!({ "text": "Hello, Ada!" }));
    }
}

#[test]
fn what_cannot_be_called_is_wrong_usage() {
    for (action, arguments, told) in [
        ("nothing", &[][..], "the plugin has no action \"nothing\"; it has hello"),
        ("hello", &["--params", "{\"who\":1}"], "/parameters/who: \"who\" is not known here"),
        ("hello", &["--params", "{"], "--params is not JSON: "),
        ("hello", &["--allow-host", "example.com"], "is not a host pattern"),
    ] {
        let ran = call("hello", action, arguments, "");
        assert!(ran.out.is_empty(), "{}", ran.out);
        assert!(ran.err.contains(told), "{told}\n{}", ran.err);
        assert_eq!(ran.code, Some(2), "{told}");
    }
}

#[test]
fn the_network_is_closed_until_the_manifest_and_the_author_open_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        lines.find(|line| line.as_ref().unwrap().is_empty()).unwrap().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi").unwrap();
        first
    });
    let parameters = json!({ "url": format!("{server}/x") }).to_string();
    let closed = call("http", "http-request", &["--params", &parameters], "");
    assert_eq!(closed.code, Some(12), "{}", closed.err);
    let failure: Value = serde_json::from_str(&closed.out).unwrap();
    assert_eq!(failure["code"], "effect-denied");
    assert_eq!(failure["details"]["allow_with"], format!("--allow-host {server}"));
    assert!(!closed.err.contains("configure"), "nothing is installed here: {}", closed.err);
    assert!(closed.err.contains(&format!("\nallow it with: --allow-host {server}\n")), "{}", closed.err);
    let open = call("http", "http-request", &["--params", &parameters, "--allow-host", &server], "");
    assert_eq!(serde_json::from_str::<Value>(&open.ok()).unwrap()["status"], 200);
    assert_eq!(answering.join().unwrap(), "GET /x HTTP/1.1");
}

#[test]
fn a_call_finds_what_the_files_of_a_case_give_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = json!([{ "request": { "method": "GET", "path": "/here" }, "answer": { "status": 503 } }]);
    fs::write(folder.path().join("http.json"), script.to_string()).unwrap();
    let input = json!({ "action": "http-request", "parameters": { "url": "${server}/here" } });
    fs::write(folder.path().join("input.json"), input.to_string()).unwrap();
    let ran = call("http", "http-request", &["--given", folder.path().to_str().unwrap()], "");
    assert!(ran.err.contains("bill: "), "{}", ran.err);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(told["code"] == "http-503" && ran.code == Some(11), "{told} {:?}", ran.code);
}

const PANICKING: &str = r#"//! Panics.

use quantum_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Numbers {
    of: Vec<u32>,
}

/// Tells the third.
#[action(idempotent, no_side_effects)]
fn third(_ctx: &Context, p: Numbers) -> Result<u32> {
    Ok(*p.of.get(2).expect("there are three numbers"))
}

plugin!(third);
"#;

#[test]
fn a_panic_of_a_new_plugin_tells_its_message_and_its_place() {
    let folder = in_rust("third", PANICKING);
    let mut command = quantum(&["plugin", "run", "third", "--params", "{\"of\":[1,2]}", "--plugin"]);
    let ran = run(offline(&mut command).arg(folder.path()));
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    assert_eq!(told["code"], "trap");
    let message = told["message"].as_str().unwrap();
    assert!(message.starts_with("the plugin panicked at src/lib.rs:13:"), "{message}");
    assert!(message.ends_with(": there are three numbers"), "{message}");
    assert_eq!(ran.code, Some(13));
}
