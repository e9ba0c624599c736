//! The registry of codes is complete: no room says one that is not listed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use quantum_api::codes::{ALL, FINDINGS};

/// Given to the checks of a JSON Schema as an argument.
const BY_ARGUMENT: [&str; 6] = ["schema", "parameters", "input", "config", "action-ambiguous", "blueprint"];

fn sources(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

/// The second argument of a call, when it is a text. `rest` begins behind the call's parenthesis.
fn second_argument(rest: &str) -> Option<&str> {
    let (mut depth, mut quoted) = (0, false);
    let comma = rest.char_indices().find(|(_, c)| {
        match c {
            '"' => quoted = !quoted,
            '(' | '{' if !quoted => depth += 1,
            ')' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        *c == ',' && depth == 0 && !quoted
    })?;
    rest[comma.0 + 1..].trim_start().strip_prefix('"')?.split('"').next()
}

#[test]
fn every_code_of_a_finding_is_listed_and_every_listed_one_is_used() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut texts = Vec::new();
    for room in ["core", "catalog", "marketplace", "api"] {
        sources(&host.join(room).join("src"), &mut texts);
    }
    let said = texts.iter().flat_map(|text| {
        let calls = text.split("Finding::error(").skip(1).chain(text.split("Finding::warning(").skip(1));
        calls.filter_map(second_argument)
    });
    let said: BTreeSet<&str> = said.collect();
    let listed: BTreeSet<&str> = FINDINGS.iter().map(|finding| finding.code).collect();
    let problems: BTreeSet<&str> = ALL.iter().map(|code| code.code).collect();
    let missing: Vec<&&str> = said.iter().filter(|code| !listed.contains(*code)).collect();
    assert!(missing.is_empty(), "not in host/api/src/codes/findings.rs: {missing:?}");
    let all = texts.concat();
    let used = |code: &&&str| all.matches(&format!("\"{code}\"")).count() > 1;
    let unused: Vec<&&str> = listed.iter().filter(|code| !used(code)).collect();
    assert!(unused.is_empty(), "listed, and said by nobody: {unused:?}");
    assert!(BY_ARGUMENT.iter().all(|code| listed.contains(code)));
    assert!(problems.contains("invalid-body"));
}

#[test]
fn every_code_of_the_catalog_has_a_problem() {
    let errors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/src/error.rs");
    let text = fs::read_to_string(errors).unwrap();
    let codes = text.split("pub const fn code").nth(1).unwrap().split("pub fn hint").next().unwrap();
    let said: Vec<&str> = codes.split('"').skip(1).step_by(2).collect();
    assert!(said.len() > 15, "{said:?}");
    // These three are told in the words of HTTP.
    let translated = ["idempotency-key-used", "store", "busy"];
    for code in said.into_iter().filter(|code| !translated.contains(code)) {
        assert!(ALL.iter().any(|known| known.code == code), "{code}");
    }
}
