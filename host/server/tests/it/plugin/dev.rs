//! `quantum plugin dev`, as a process: what changes in a folder is built and run, whatever it is, until Ctrl-C.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{JCO, in_rust, offline, quantum, run};

/// Said when all is done, until something changes.
const WAITING: &str = "waiting for a change in ";

/// A running `quantum plugin dev`; it ends with the test.
struct Dev {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    seen: Vec<String>,
}

impl Dev {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line with this in it, and gives those before it. Once it waits for a change, none will come.
    #[track_caller]
    fn until(&mut self, part: &str) -> Vec<String> {
        let mut before = Vec::new();
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            self.seen.push(line.clone());
            if line.contains(part) {
                return before;
            }
            if line.starts_with(WAITING) {
                break;
            }
            before.push(line);
        }
        panic!("no line has \"{part}\":\n{}", self.seen.join("\n"))
    }

    /// Waits until it waits, writes the file, and waits until that is noticed.
    #[track_caller]
    fn change(&mut self, path: &Path, text: &str) {
        self.until(WAITING);
        fs::write(path, text).unwrap();
        self.until("changed: ");
    }

    /// Ctrl-C.
    fn interrupt(mut self) -> Option<i32> {
        self.until(WAITING);
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// An action `fetch` with this attribute, which asks a host that is not declared.
fn fetching(attribute: &str) -> String {
    format!(
        "//! Fetches.\n\nuse quantum_sdk::prelude::*;\n\n/// Fetches.\n#[action({attribute})]\nfn fetch(ctx: &Context, \
         _p: serde_json::Value) -> Result<u16> {{\n    Ok(ctx.http().get(\"https://weather.example/x\").send()?.status())\n}}\n\n\
         plugin!(fetch);\n"
    )
    .replace("serde_json::Value", "std::collections::BTreeMap<String, String>")
}

#[test]
fn a_rust_plugin_is_followed_through_mistakes_and_denials() {
    let folder = in_rust("fetch", &fetching("http = \"https://declared.example\""));
    let source = folder.path().join("src/lib.rs");
    fs::remove_dir_all(folder.path().join("cases")).unwrap();
    let case = folder.path().join("cases/fetches");
    fs::create_dir_all(&case).unwrap();
    fs::write(case.join("input.json"), "{ \"action\": \"fetch\", \"parameters\": {} }").unwrap();
    fs::write(case.join("output.json"), "200").unwrap();
    let mut dev = Dev::start(offline(quantum(&["plugin", "dev"]).arg(folder.path())));

    let told = dev.until("allow it in the source: #[action(http = \"https://weather.example\")]");
    assert!(told.iter().any(|line| line.contains("expected a result, got effect-denied")), "{told:?}");
    dev.until("0 passed, 1 failed");

    dev.change(&source, "this is no Rust");
    dev.until("error: build the plugin: ");

    // Not declared at all: the build is refused.
    dev.change(&source, &fetching("idempotent"));
    dev.until("error: accept the plugin:");
    dev.until("  allow it in the source: #[action(http = \"https://api.example.com\")]");

    // Declared: what is left is the author's word, for the real network.
    dev.change(&source, &fetching("http = \"https://weather.example\""));
    dev.until("allow it with: --allow-host https://weather.example");
    dev.until("0 passed, 1 failed");

    dev.change(&case.join("output.json"), "201");
    dev.until("expected a result, got ");
    assert_eq!(dev.interrupt(), Some(0));
}

#[test]
fn a_crate_that_is_named_by_a_path_is_followed_too() {
    let folder = in_rust("fetch", &fetching("http = \"https://declared.example\""));
    fs::remove_dir_all(folder.path().join("cases")).unwrap();
    let helper = tempfile::tempdir().unwrap();
    fs::create_dir(helper.path().join("src")).unwrap();
    fs::write(helper.path().join("Cargo.toml"), "[package]\nname = \"helper\"\nedition = \"2024\"\n")
        .unwrap();
    fs::write(helper.path().join("src/lib.rs"), "this is no Rust").unwrap();
    let manifest = folder.path().join("Cargo.toml");
    let named = format!("[dependencies]\nhelper = {{ path = {:?} }}", helper.path());
    let text = fs::read_to_string(&manifest).unwrap().replace("[dependencies]", &named);
    fs::write(&manifest, text).unwrap();

    let mut dev = Dev::start(offline(quantum(&["plugin", "dev"]).arg(folder.path())));
    dev.until("error: build the plugin: ");
    dev.until(WAITING);
    fs::write(helper.path().join("src/lib.rs"), "//! Helps.").unwrap();
    dev.until(&format!("changed: {}", helper.path().canonicalize().unwrap().join("src/lib.rs").display()));
    dev.until("error: find cases in ");
    assert_eq!(dev.interrupt(), Some(0));
}

#[test]
fn a_javascript_plugin_is_told_the_line_of_its_manifest() {
    let Some(path) = JCO.path() else { return };
    let folder = tempfile::tempdir().unwrap();
    run(quantum(&["plugin", "new", "count", "--lang", "js", "--path"]).arg(folder.path())).ok();
    let module = folder.path().join("plugin.js");
    let text = fs::read_to_string(&module).unwrap();
    let mut command = quantum(&["plugin", "dev", "--call", "count", "--params", "{\"text\":\"a b\"}"]);
    let mut dev = Dev::start(command.arg(folder.path()).env("PATH", path));
    dev.until("count completed: {");
    dev.until("bill: ");
    dev.change(&module, &text.replace("ctx.log.info", "ctx.kv.get('k'); ctx.log.info"));
    dev.until("count failed: capability-undeclared: ");
    dev.until("  allow it in manifest.json, under \"capabilities\": \"kv\": true");
    dev.change(&module, "export const actions = {\n  a b\n};\n");
    dev.until("error: build the component: ");
    dev.change(&module, &text);
    dev.until("count completed: {");
    assert_eq!(dev.interrupt(), Some(0));
}

#[test]
fn a_folder_without_a_plugin_is_not_watched() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(quantum(&["plugin", "dev"]).arg(folder.path())).fails(1);
    assert!(said.starts_with("error: find a plugin in "), "{said}");
}
