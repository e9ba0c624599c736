//! The author's guide, `docs/plugin-author.md`, and the pages beside it: their plugins are what they are said to be, and
//! nothing is left out.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use quantum_api::codes::FINDINGS;

use super::{NODE, PYTHON, quantum, root, run, target};

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
    let mut new = quantum(&["plugin", "new", name, "--namespace", "acme", "--path"]);
    run(new.arg(&dir).arg("--sdk").arg(root())).ok();
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

/// Findings about something else than a plugin and its installation.
const OF_OTHERS: &str = "blueprint blueprint-schema calls-itself compensate-action cron-line cron-never \
    depends-on-order duration expression-limit expression-syntax expression-variable for-each-variable input \
    input-schema intent-name intent-unknown invalid-body invalid-consent invalid-parameter invalid-secret json-depth \
    not-supported parameter-twice payload plan-format schedule-label schedule-name schedule-range schema signal-schema \
    step-cycle step-denied step-id step-id-twice step-key step-order step-unknown tenant-settings time time-zone timeout-range";
/// Failures that an intent causes, or that plugins which ship make up for themselves.
const OF_INTENTS: &str = "approval-refused child-cancelled child-depth child-failed child-not-started child-refused \
    concurrency-key duration element-failed element-parked execution-timeout expression-failed expression-too-long \
    failed for-each-not-list for-each-too-long invalid-expression invalid-template missing-value no-base-url \
    not-healthy signal-schema time wait-timeout wait-too-long when-not-bool";

fn guide() -> String {
    fs::read_to_string(root().join("docs/plugin-author.md")).unwrap()
}

/// The codes that the first cells of a page's tables have, below one title and above the next.
fn codes(page: &str, from: &str, to: &str) -> BTreeSet<String> {
    let part = page.split_once(from).unwrap().1;
    let part = part.split_once(to).map_or(part, |(part, _)| part);
    let cells = part.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.flat_map(|codes| codes.split(", ")).filter(|code| *code != "…").map(str::to_owned).collect()
}

#[test]
fn every_code_that_an_author_can_meet_is_in_the_guide() {
    let errors = fs::read_to_string(root().join("docs/errors/README.md")).unwrap();
    let words = |list: &str| list.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
    let found: BTreeSet<_> = FINDINGS.iter().map(|finding| finding.code.to_owned()).collect();
    let failures = codes(&errors, "\n## Failures of steps\n", "\n## ");
    let guide = guide();
    for (title, all, others) in [
        ("\n### When it is built, packed or installed\n", found, OF_OTHERS),
        ("\n### When an action fails\n", failures, OF_INTENTS),
    ] {
        let (told, others) = (codes(&guide, title, "\n### "), words(others));
        let expected: BTreeSet<_> = all.difference(&others).cloned().collect();
        assert_eq!(told, expected, "{title}");
        assert_eq!(others.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "{title}");
    }
}

/// The names and options that help tells: of commands when there are some, and those that begin with `--`.
fn help(arguments: &[&str]) -> (Vec<String>, BTreeSet<String>) {
    let told = run(quantum(arguments).arg("--help")).ok();
    let commands = told.split_once("\nCommands:\n").map(|(_, rest)| rest.split("\n\n").next().unwrap());
    let names = commands.into_iter().flat_map(str::lines).filter_map(|line| {
        let name = line.strip_prefix("  ")?;
        name.starts_with(|c: char| c.is_ascii_lowercase()).then(|| name.split(' ').next().unwrap().to_owned())
    });
    let words = told.lines().filter(|line| line.trim_start().starts_with('-'));
    let words = words.flat_map(|line| line.split([' ', ',']).filter(|word| word.starts_with("--")).take(1));
    (names.collect(), words.map(str::to_owned).collect())
}

#[test]
fn every_command_and_every_option_is_in_the_guide() {
    let (commands, everywhere) = help(&["plugin"]);
    assert!(commands.len() > 10, "{commands:?}");
    let guide = guide();
    let table = guide.split_once("\n## All commands\n").unwrap().1.split_once("\n## ").unwrap().0;
    let configure = "`install`, but for";
    for command in commands.iter().filter(|command| *command != "help") {
        let row = table.lines().find(|line| line.starts_with(&format!("| `quantum plugin {command}")));
        let row = row.unwrap_or_else(|| panic!("the guide does not have {command}"));
        let (_, options) = help(&["plugin", command]);
        let missing: Vec<_> =
            options.difference(&everywhere).filter(|option| !row.contains(option.as_str())).collect();
        assert!(missing.is_empty() || row.contains(configure), "{command}: {missing:?}");
    }
}

/// Blocks of this language in all pages about capabilities, with the page's name.
fn blocks(language: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for entry in fs::read_dir(root().join("docs/capabilities")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let fence = format!("\n```{language}\n");
        let found = text.split(&fence).skip(1);
        blocks.extend(found.map(|rest| (name.to_owned(), rest.split("\n```").next().unwrap().to_owned())));
    }
    blocks
}

#[test]
fn the_examples_of_capabilities_are_programs_in_all_languages() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!((blocks("python").len(), blocks("js").len()), (8, 6));
    if let Some(path) = PYTHON.path() {
        for (name, text) in blocks("python") {
            let file = folder.path().join(format!("{name}_example.py"));
            fs::write(&file, text).unwrap();
            // Imported: the decorators run, and the actions do not.
            let mut python = Command::new("python3");
            python.arg("-B").arg(&file).env("PYTHONPATH", root().join("sdk/py")).env("PATH", &path);
            run(&mut python).ok();
        }
    }
    if let Some(path) = NODE.path() {
        for (name, text) in blocks("js") {
            let file = folder.path().join(format!("{name}.mjs"));
            fs::write(&file, text).unwrap();
            run(Command::new("node").arg("--check").arg(&file).env("PATH", &path)).ok();
        }
    }
}

#[test]
fn every_capability_has_a_page_that_the_list_names() {
    let list = fs::read_to_string(root().join("docs/capabilities/README.md")).unwrap();
    for name in ["http", "kv", "artifacts", "secrets", "clock", "random", "log", "context"] {
        let page = fs::read_to_string(root().join(format!("docs/capabilities/{name}.md"))).unwrap();
        assert!(list.contains(&format!("[{name}]({name}.md)")), "{name}");
        for part in ["\n## What goes wrong\n", "\n## In Python\n", "\n## In JavaScript\n", "\n```rust\n"] {
            assert!(page.contains(part), "{name}: {part}");
        }
    }
}
