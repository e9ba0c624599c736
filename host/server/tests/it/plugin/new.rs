//! `quantum plugin new`: what it makes works as it stands, and what it cannot make it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{COMPONENTIZE_PY, JCO, NODE, PYTHON, quantum, root, run, target};

#[test]
fn a_new_plugin_in_rust_passes_its_tests_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("word-count");
    let mut new = quantum(&["plugin", "new", "word-count", "--namespace", "acme", "--path"]);
    let told = run(new.arg(&dir).arg("--sdk").arg(root())).ok();
    assert!(
        told.starts_with("made acme:word-count in ") && told.ends_with("  quantum plugin test\n"),
        "{told}"
    );

    // The versions, and the compiled dependencies, of this checkout: nothing is downloaded, and little is compiled.
    fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let here = |command: &mut Command| {
        command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target());
        command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only").current_dir(&dir);
        run(command).ok()
    };
    let mut cargo = Command::new(env!("CARGO"));
    let native = here(cargo.args(["test", "--quiet"]));
    assert!(native.contains("test result: ok. 2 passed; 0 failed"), "{native}");
    let cases = here(&mut quantum(&["plugin", "test"]));
    assert!(cases.ends_with("2 passed, 0 failed\n") && !cases.contains("warning"), "{cases}");
}

#[test]
fn new_plugins_in_other_languages_pass_their_native_tests_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    for language in ["python", "javascript"] {
        let dir = folder.path().join(language);
        run(quantum(&["plugin", "new", "word-count", "--lang", language, "--path"]).arg(&dir)).ok();
        let text = fs::read_to_string(dir.join("manifest.json")).unwrap();
        assert!(text.contains("\"id\": \"local:word-count\"") && !text.contains("{{"), "{text}");
    }
    if let Some(path) = PYTHON.path() {
        let mut python = Command::new("python3");
        python.args(["-m", "unittest"]).current_dir(folder.path().join("python"));
        let told = run(python.env("PATH", path).env("PYTHONPATH", "target/sdk"));
        assert!(told.err.contains("Ran 2 tests") && told.err.ends_with("OK\n"), "{}", told.err);
    }
    if let Some(path) = NODE.path() {
        let mut node = Command::new("node");
        node.args(["--test", "plugin.test.js"]).current_dir(folder.path().join("javascript"));
        let told = run(node.env("PATH", path)).ok();
        assert!(told.contains("\n# pass 2\n# fail 0\n"), "{told}");
    }
}

#[test]
fn new_plugins_in_other_languages_pass_their_cases_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    for (tool, language) in [(&COMPONENTIZE_PY, "python"), (&JCO, "javascript")] {
        let Some(path) = tool.path() else { continue };
        let dir = folder.path().join(language);
        run(quantum(&["plugin", "new", "word-count", "--lang", language, "--path"]).arg(&dir)).ok();
        let told = run(quantum(&["plugin", "test"]).current_dir(&dir).env("PATH", path)).ok();
        assert!(told.ends_with("2 passed, 0 failed\n") && !told.contains("warning"), "{told}");
    }
}

#[test]
fn a_rust_target_that_is_missing_is_told_with_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("word-count");
    run(quantum(&["plugin", "new", "word-count", "--path"]).arg(&dir).arg("--sdk").arg(root())).ok();
    // A compiler that knows where the target would be, and a cargo that fails as it does without it.
    let (bin, cargo, rustc) = (folder.path().join("bin"), env!("CARGO"), folder.path().join("bin/rustc"));
    fs::create_dir(&bin).unwrap();
    for (program, script) in [
        ("cargo", format!("[ \"$1\" = build ] && exit 101\nexec '{cargo}' \"$@\"")),
        ("rustc", "echo /none/lib".to_owned()),
    ] {
        fs::write(bin.join(program), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut build = quantum(&["plugin", "build"]);
    build.arg(&dir).env("CARGO", bin.join("cargo")).env("RUSTC", rustc).env("CARGO_NET_OFFLINE", "true");
    let said = run(&mut build).fails(1);
    let told =
        "build for the target wasm32-wasip2, which is not installed; type: rustup target add wasm32-wasip2";
    assert!(said.ends_with(&format!("error: {told}\n")), "{said}");
}

#[test]
fn what_cannot_be_made_is_refused_with_what_would_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "").unwrap();
    let full = folder.path().to_str().unwrap();
    let none = folder.path().join("none");
    for (arguments, told) in [
        (
            &["WordCount"][..],
            "make the plugin: \"WordCount\" is no name; it is words of a-z and 0-9 joined by -",
        ),
        (&["WordCount"], "beginning with a letter; try \"word-count\"\n"),
        (&["a", "--namespace", "My Co"], "\"My Co\" is no namespace;"),
        (
            &["match"],
            "\"match\" is no name; it is a name that Rust does not keep for itself; try \"match-plugin\"\n",
        ),
        (
            &["count", "--path", full],
            "is not empty, and nothing is overwritten; name another folder with --path DIR\n",
        ),
        (&["count", "--sdk", full], "find the SDK in "),
    ] {
        let mut new = quantum(&["plugin", "new"]);
        new.args(arguments).current_dir(folder.path());
        if !arguments.contains(&"--path") {
            new.arg("--path").arg(&none);
        }
        let said = run(&mut new).fails(1);
        assert!(said.starts_with("error: ") && said.contains(told), "{arguments:?}: {said}");
    }
    let said = run(&mut quantum(&["plugin", "new", "count", "--lang", "cobol"])).fails(2);
    assert!(said.contains("[possible values: rust, python, javascript]"), "{said}");
}
