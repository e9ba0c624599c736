//! Plugins in Python and JavaScript, built by the tools of their languages and run in the real sandbox.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{COMPONENTIZE_PY, JCO, NODE, PYTHON, Tool, quantum, root, run};

/// Builds the plugin of this folder of the checkout, and runs its cases; what `inspect` says of it.
fn check(tool: &Tool, folder: &str) -> Option<String> {
    let path = tool.path()?;
    let dir = root().join(folder);
    let told = run(quantum(&["plugin", "test"]).arg(&dir).env("PATH", &path)).ok();
    assert!(told.contains(" passed, 0 failed\n") && !told.contains("no case runs"), "{told}");
    let packed = told.lines().nth(1).unwrap().trim();
    Some(run(&mut quantum(&["plugin", "inspect", packed])).ok())
}

/// The part of what `inspect` says under this title.
fn part<'a>(inspected: &'a str, title: &str) -> Vec<&'a str> {
    let lines = inspected.lines().skip_while(|line| *line != title).skip(1);
    lines.take_while(|line| line.starts_with("  ")).map(str::trim).collect()
}

#[test]
fn a_plugin_in_python_has_only_what_its_manifest_declares() {
    let Some(inspected) = check(&COMPONENTIZE_PY, "plugins/report") else { return };
    let imports =
        ["quantum:context/context@1.0.0", "quantum:log/log@1.0.0", "quantum:artifacts/artifacts@1.0.0"];
    assert_eq!(part(&inspected, "imports"), imports);
    assert!(inspected.ends_with("\nfindings   none\n"), "{inspected}");
}

#[test]
fn a_plugin_in_python_reaches_everything_that_the_host_offers() {
    let Some(inspected) = check(&COMPONENTIZE_PY, "sdk/py/tests/effects") else { return };
    let told = part(&inspected, "capabilities");
    let proven = told.iter().filter(|line| line.ends_with("declared, and the binary can use it")).count();
    assert_eq!(proven, 7, "{inspected}");
}

#[test]
fn a_plugin_in_javascript_has_only_what_its_manifest_declares() {
    let Some(inspected) = check(&JCO, "plugins/markup") else { return };
    let imports = ["quantum:context/context@1.0.0", "quantum:log/log@1.0.0"];
    assert_eq!(part(&inspected, "imports"), imports);
    assert!(inspected.ends_with("\nfindings   none\n"), "{inspected}");
    let mut node = Command::new("node");
    run(node.args(["--test", "src"]).current_dir(root().join("plugins/markup"))).ok();
}

#[test]
fn a_plugin_in_javascript_reaches_everything_that_is_offered_to_it() {
    let Some(inspected) = check(&JCO, "sdk/js/tests/effects") else { return };
    let told = part(&inspected, "capabilities");
    let proven = told.iter().filter(|line| line.ends_with("declared, and the binary can use it")).count();
    assert_eq!(proven, 4, "{inspected}");
}

#[test]
fn the_helpers_pass_their_native_tests() {
    if let Some(path) = PYTHON.path() {
        let sdk = root().join("sdk/py");
        for folder in ["sdk/py", "plugins/report"] {
            let mut python = Command::new("python3");
            python.args(["-B", "-m", "unittest"]).current_dir(root().join(folder));
            let told = run(python.env("PATH", &path).env("PYTHONPATH", &sdk));
            assert!(told.code == Some(0) && told.err.ends_with("OK\n"), "{folder}: {}", told.err);
        }
    }
    if let Some(path) = NODE.path() {
        let mut node = Command::new("node");
        let told =
            run(node.args(["--test", "sdk.test.js"]).current_dir(root().join("sdk/js")).env("PATH", path));
        assert!(told.ok().contains("\n# fail 0\n"));
    }
}

/// A folder with a new plugin, and what building it says when it fails.
fn broken(tool: &Tool, language: &str, file: &str, text: &str) -> Option<String> {
    let path = tool.path()?;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("count");
    run(quantum(&["plugin", "new", "count", "--lang", language, "--path"]).arg(&dir)).ok();
    fs::write(dir.join(file), text).unwrap();
    Some(run(quantum(&["plugin", "build"]).arg(&dir).env("PATH", path)).fails(1))
}

#[test]
fn a_mistake_in_a_module_is_shown_as_its_language_tells_it() {
    if let Some(said) = broken(&COMPONENTIZE_PY, "python", "plugin.py", "def broken(:\n    pass\n") {
        assert!(
            said.starts_with("error: build the component: componentize-py ended with exit status: 1:\n"),
            "{said}"
        );
        assert!(said.contains("plugin.py\", line 1") && said.contains("SyntaxError: "), "{said}");
    }
    if let Some(said) = broken(&JCO, "javascript", "plugin.js", "export const actions = {\n  a b\n};\n") {
        assert!(
            said.starts_with("error: build the component: jco componentize ended with exit status: 1:\n"),
            "{said}"
        );
        assert!(said.contains("plugin.js:2:5"), "{said}");
    }
}

#[test]
fn a_module_and_its_manifest_name_the_same_actions() {
    let python = |names: &[&str]| {
        let functions = names.iter().map(|name| format!("@action\ndef {name}(ctx, p):\n    return p\n\n\n"));
        let functions: String = functions.collect();
        let listed = names.join(", ");
        format!("from quantum_sdk import action, plugin\n\n\n{functions}Actions = plugin({listed})\n")
    };
    let javascript = |names: &[&str]| {
        let functions: String = names.iter().map(|name| format!("  {name}: (ctx, p) => p,\n")).collect();
        format!("export const actions = {{\n{functions}}};\n")
    };
    let check = |names: &[&str], told: [&str; 2]| {
        if let Some(said) = broken(&COMPONENTIZE_PY, "python", "plugin.py", &python(names)) {
            assert!(said.contains(told[0]), "{said}");
        }
        if let Some(said) = broken(&JCO, "javascript", "plugin.js", &javascript(names)) {
            assert!(said.contains(told[1]), "{said}");
        }
    };
    let lacking = [
        "manifest.json has the action 'count', and the module has none of that name; it has tally, sum",
        "manifest.json has the action \"count\", and `actions` has none of that name; it has tally, sum",
    ];
    check(&["tally", "sum"], lacking);
    let further = [
        "the module has the action 'tally', which manifest.json does not have",
        "`actions` has the action \"tally\", which manifest.json does not have",
    ];
    check(&["count", "tally"], further);
}

#[test]
fn a_module_of_another_shape_is_told_what_is_missing() {
    let entry = "from quantum_sdk import action\n\n\n@action\ndef count(ctx, p):\n    return p\n";
    if let Some(said) = broken(&COMPONENTIZE_PY, "python", "plugin.py", entry) {
        assert!(said.contains("end it with Actions = plugin(NAME)"), "{said}");
    }
    let arity = "from quantum_sdk import action, plugin\n\n\n@action\ndef count(p):\n    return p\n\n\nActions = plugin(count)\n";
    if let Some(said) = broken(&COMPONENTIZE_PY, "python", "plugin.py", arity) {
        assert!(said.contains("count is called with a context and parameters: def count(ctx, p)"), "{said}");
    }
}

/// What `quantum plugin build` says of a folder with these files, with no tool on the machine.
fn refused(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let mut build = quantum(&["plugin", "build"]);
    let said = run(build.arg(folder.path()).env("PATH", "")).fails(1);
    said.replace(folder.path().canonicalize().unwrap().to_str().unwrap(), "DIR")
        .replace(folder.path().to_str().unwrap(), "DIR")
}

#[test]
fn a_folder_that_is_no_plugin_yet_is_told_what_it_lacks() {
    let manifest = fs::read_to_string(root().join("plugins/markup/manifest.json")).unwrap();
    let manifest = manifest.as_str();
    let python = ("pyproject.toml", "[tool.quantum]\nmodule = \"app\"\n");
    let javascript = ("package.json", "{ \"main\": \"app.js\" }");
    let wrong = manifest.replace("quantum:markup", "Markup");
    let asking = manifest
        .replace("\"publisher\"", "\"capabilities\": { \"secrets\": [{ \"name\": \"T\" }] }, \"publisher\"");
    let named = (
        "package.json",
        "{ \"main\": \"app.js\", \"devDependencies\": { \"@bytecodealliance/jco\": \"1\" } }",
    );
    for (files, told) in [
        (
            &[named, ("app.js", ""), ("manifest.json", manifest)][..],
            "find jco; in the plugin's folder type: npm install\nnpm is not on PATH either; install Node.js",
        ),
        (
            &[][..],
            "find a plugin in \"DIR\": it has neither Cargo.toml, nor pyproject.toml, nor package.json;",
        ),
        (
            &[("pyproject.toml", "[project]")],
            "use the plugin's \"DIR/pyproject.toml\": it needs\n\n[tool.quantum]",
        ),
        (&[python], "use the plugin's \"DIR/pyproject.toml\": the folder has no module \"app\""),
        (&[("package.json", "{}")], "use the plugin's \"DIR/package.json\": it needs \"main\""),
        (
            &[javascript],
            "use the plugin's \"DIR/package.json\": the folder has no \"app.js\", which main names",
        ),
        (&[javascript, ("app.js", "")], "use \"DIR/manifest.json\": No such file"),
        (&[javascript, ("app.js", ""), ("manifest.json", "{}")], "read the manifest \"DIR/manifest.json\""),
        (
            &[javascript, ("app.js", ""), ("manifest.json", &wrong)],
            "accept the plugin:\n  /id: \"Markup\" is not",
        ),
        (
            &[javascript, ("app.js", ""), ("manifest.json", &asking)],
            "build a plugin in JavaScript that declares",
        ),
        (
            &[javascript, ("app.js", ""), ("manifest.json", manifest)],
            "find jco; its package.json needs these",
        ),
        (
            &[python, ("app.py", ""), ("manifest.json", manifest)],
            "find componentize-py; in the plugin's folder type: python3 -m venv .venv && ",
        ),
    ] {
        let said = refused(files);
        assert!(said.starts_with(&format!("error: {told}")), "{told}\n{said}");
    }
}

#[test]
fn what_a_manifest_lacks_is_told_in_its_own_words() {
    let Some(path) = JCO.path() else { return };
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("count");
    run(quantum(&["plugin", "new", "count", "--lang", "js", "--path"]).arg(&dir)).ok();
    let build = || run(quantum(&["plugin", "build"]).arg(&dir).env("PATH", &path));
    build().ok();
    let packed = dir.join("target/plugins/count.wasm");
    assert!(packed.is_file());
    declare(&dir, "\"random\": true");
    let said = build().fails(1);
    assert!(!packed.exists(), "what the build before it made would be taken for it");
    assert!(said.contains("; write \"clock\": true in capabilities of manifest.json"), "{said}");
}

fn declare(dir: &Path, capability: &str) {
    let file = dir.join("manifest.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, text.replace("\"capabilities\": {}", &format!("\"capabilities\": {{ {capability} }}")))
        .unwrap();
}
