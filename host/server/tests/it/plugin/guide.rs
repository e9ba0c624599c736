//! The author's guide, `docs/plugin-author.md`: its plugins are what they are said to be.

use std::fs;
use std::process::Command;

use super::{quantum, root, run, target};

/// Files of a part of the guide: what stands in a block behind a paragraph that ends in `:` and names a path.
fn files(guide: &str, from: &str, to: &str) -> Vec<(String, String)> {
    let part = guide.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let (mut files, mut paragraph, mut lines) = (Vec::new(), String::new(), part.lines());
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            files.extend(path(&paragraph).map(|path| (path, format!("{}\n", block.join("\n")))));
            paragraph.clear();
        } else if !line.is_empty() {
            paragraph = if line.starts_with('`') || paragraph.ends_with(['.', ':']) {
                line.to_owned()
            } else {
                paragraph + line
            };
        }
    }
    files
}

fn path(paragraph: &str) -> Option<String> {
    let mut quoted = paragraph.strip_suffix(':')?.split('`').skip(1).step_by(2);
    quoted.find(|word| word.starts_with("src/") || word.starts_with("cases/")).map(str::to_owned)
}

/// Makes the plugin as the guide does, and runs its native tests and its cases: how many there are of both.
fn check(name: &str, from: &str, to: &str, tests: (usize, usize)) {
    let guide = fs::read_to_string(root().join("docs/plugin-author.md")).unwrap();
    let files = files(&guide, from, to);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join(name);
    run(quantum(&["plugin", "new", name, "--namespace", "acme", "--path"]).arg(&dir)).ok();
    fs::remove_dir_all(dir.join("cases")).unwrap();
    for (path, text) in &files {
        fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        fs::write(dir.join(path), text).unwrap();
    }
    fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let here = |command: &mut Command| {
        command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target());
        command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only").current_dir(&dir);
        run(command).ok()
    };
    let native = here(Command::new(env!("CARGO")).args(["test", "--quiet"]));
    assert!(native.contains(&format!("test result: ok. {} passed; 0 failed", tests.0)), "{native}");
    let cases = here(&mut quantum(&["plugin", "test"]));
    assert!(
        cases.ends_with(&format!("\n{} passed, 0 failed\n", tests.1)) && !cases.contains("warning"),
        "{cases}"
    );
}

#[test]
fn the_weather_is_looked_at_as_the_guide_says() {
    check("weather", "## An action that talks to a service", "## Build and look", (2, 2));
}

#[test]
fn a_forecast_is_published_as_the_guide_says() {
    check("forecast", "### Artifacts, values and secrets", "### Configuration and slots", (1, 1));
}
