//! Each file under `cases/` is one case: files of an invented checkout, then the findings they must give.
//!
//! `=== PATH` opens a file, `=== exceptions` the list of exceptions, `=== findings` the expected lines
//! `PATH:LINE: WHAT`. `{N lines}` stands for that many empty statements.

use std::path::Path;

fn check(case: &str) -> (Vec<String>, Vec<String>) {
    let mut files = Vec::new();
    let (mut exceptions, mut expected) = (String::new(), Vec::new());
    for part in case.split("=== ").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        match name {
            "exceptions" => exceptions = text.to_owned(),
            "findings" => {
                expected = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
            }
            path => files.push((path.to_owned(), unfold(text))),
        }
    }
    let findings = xtask::tidy::check_texts(&files, &exceptions);
    let found = findings.iter().map(|f| format!("{}:{}: {}", f.path, f.line, f.what)).collect();
    (found, expected)
}

/// `{3 lines}` on a line of its own becomes three lines.
fn unfold(text: &str) -> String {
    let count = |line: &str| line.trim().strip_prefix('{')?.strip_suffix(" lines}")?.parse().ok();
    let line = |line: &str| count(line).map_or_else(|| format!("{line}\n"), |times| "    ;\n".repeat(times));
    text.lines().map(line).collect()
}

#[test]
fn every_case_gives_exactly_its_findings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let (found, expected) = check(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(found, expected, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} cases were found");
}
