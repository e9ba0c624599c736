//! What must not be written, and what must: module docs, no reminders, no unfinished code, reasons at exceptions.

use super::finding::Finding;
use super::source::{Attribute, Source};
use super::tokens::Kind;

/// Macros of unfinished or debugged code.
const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];
/// Written in two parts, so that this file keeps its own rule.
const REMINDERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

pub fn check(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(opening(source));
    findings.extend(unfinished(source));
    findings.extend(reminders(source));
    findings.extend(source.attributes.iter().filter_map(|attribute| exception(source, attribute)));
    findings.extend(test_names(source));
    findings.extend(test_binary(source));
    findings
}

fn opening(source: &Source<'_>) -> Option<Finding> {
    let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if first.starts_with("//!") {
        return None;
    }
    let fix = "open it with `//!`: what it is for, and what it must never do";
    Some(Finding::new(source.path, 1, "the file does not say what it is for", fix))
}

fn unfinished(source: &Source<'_>) -> Vec<Finding> {
    let places = |name: &&str| {
        let lines = source.find(&[Kind::Ident((*name).to_owned()), Kind::Punct('!')]);
        let what = format!("`{name}!` is unfinished code");
        lines
            .into_iter()
            .map(move |line| Finding::new(source.path, line, what.clone(), "finish or remove it"))
    };
    UNFINISHED.iter().flat_map(places).collect()
}

fn reminders(source: &Source<'_>) -> Vec<Finding> {
    let fix = "do it now, or open an issue and remove the note";
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let words = || line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for note in REMINDERS.iter().filter(|note| words().any(|word| word == **note)) {
            findings.push(Finding::new(
                source.path,
                index + 1,
                format!("a {note} note is forgotten work"),
                fix,
            ));
        }
    }
    findings
}

/// `allow`, and `expect` without a reason. Code that a macro writes may have `allow`: whether its lint fires depends on
/// what the macro is given, and an `expect` that does not fire is a warning.
fn exception(source: &Source<'_>, attribute: &Attribute) -> Option<Finding> {
    if source.is_written_by_macro(attribute.tokens.0) {
        return None;
    }
    let tokens = source.tokens.get(attribute.tokens.0..attribute.tokens.1)?;
    let calls = |name: &str| {
        tokens
            .windows(2)
            .any(|w| matches!(w, [a, b] if a.kind == Kind::Ident(name.into()) && b.kind == Kind::Open('(')))
    };
    let fix = "write #[expect(lint, reason = \"…\")], which also ends when it is not needed any more";
    if calls("allow") {
        return Some(Finding::new(source.path, attribute.line, "`allow` hides a lint for ever", fix));
    }
    let unexplained = calls("expect") && !attribute.has("reason");
    unexplained.then(|| Finding::new(source.path, attribute.line, "`expect` without a reason", fix))
}

fn test_names(source: &Source<'_>) -> Vec<Finding> {
    let wrong = source.functions.iter().filter(|f| f.is_test && f.name.starts_with("test_"));
    let fix = "name the behaviour in a sentence: `a_late_answer_is_refused`";
    wrong
        .map(|f| Finding::new(source.path, f.line, format!("the test is called `{}`", f.name), fix))
        .collect()
}

/// Each further file directly under `tests/` is linked as a program of its own.
fn test_binary(source: &Source<'_>) -> Option<Finding> {
    let (before, _) = source.path.rsplit_once('/')?;
    let in_tests = before == "tests" || before.ends_with("/tests");
    let package = before.trim_end_matches("tests");
    // A module of tests inside src/ may have such a folder; only a package's own is meant.
    let own = in_tests && !format!("/{package}").contains("/src/");
    let fix =
        format!("move it to {package}tests/it/ and name it in main.rs there: one test program a package");
    own.then(|| Finding::new(source.path, 1, "a second integration-test program", fix))
}
