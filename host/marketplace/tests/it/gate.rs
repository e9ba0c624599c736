//! Imports against declarations.

use quantum_core::problem::Severity;
use quantum_core::vocabulary::Capability;
use quantum_marketplace::{append_manifest, inspect};
use serde_json::{Value, json};

use crate::sample::{component, manifest, plugin};

/// Codes of the findings, with what they name; warnings have a `?`.
fn check(imports: &[&str], capabilities: Value) -> Vec<String> {
    let packed = append_manifest(&plugin(imports), &manifest(capabilities)).unwrap();
    let findings = inspect(&packed).unwrap().findings();
    let mark = |severity| if severity == Severity::Error { "" } else { "?" };
    findings.iter().map(|f| format!("{}{}: {}", f.code, mark(f.severity), f.message)).collect()
}

#[test]
fn what_every_runtime_starts_with_needs_no_word() {
    let ambient = [
        "wasi:cli/environment@0.2.6",
        "wasi:io/streams@0.2.0",
        "wasi:random/insecure-seed@0.2.6",
        "quantum:log/log@1.0.0",
        "quantum:context/context@1.7.0",
    ];
    assert_eq!(check(&ambient, json!({})), Vec::<String>::new());
}

#[test]
fn an_undeclared_import_is_refused_whatever_its_version() {
    let found = check(&["wasi:http/outgoing-handler@0.2.99"], json!({}));
    assert_eq!(
        found,
        ["capability-undeclared: imports wasi:http/outgoing-handler@0.2.99, and http is not declared"]
    );
    let declared = json!({ "http": { "hosts": ["https://api.example.com"] } });
    assert_eq!(check(&["wasi:http/outgoing-handler@0.2.99"], declared), Vec::<String>::new());
}

#[test]
fn each_capability_has_its_import() {
    for (import, word) in [
        ("quantum:kv/kv@1.0.0", "kv"),
        ("quantum:artifacts/artifacts@1.0.0", "artifacts"),
        ("quantum:secrets/secrets@1.0.0", "secrets.use"),
        ("quantum:secrets/reveal@1.0.0", "secrets.reveal"),
        ("wasi:clocks/wall-clock@0.2.6", "clock"),
        ("wasi:random/random@0.2.6", "random"),
    ] {
        let found = check(&[import], json!({}));
        assert_eq!(found, [format!("capability-undeclared: imports {import}, and {word} is not declared")]);
    }
}

#[test]
fn a_near_name_of_an_ambient_import_is_unknown() {
    for import in [
        "wasi:http/incoming-handler@0.2.0",
        "wasi:nn/graph@0.2.0",
        "quantum:logs/log@1.0.0",
        "quantum:secrets/all@1.0.0",
    ] {
        let found = check(&[import], json!({}));
        assert_eq!(found, [format!("import-unknown: imports {import}, which no host of plugins provides")]);
    }
}

#[test]
fn sockets_and_files_are_told_and_do_not_refuse() {
    let found = check(&["wasi:sockets/tcp@0.2.6"], json!({}));
    assert_eq!(
        found,
        [
            "import-denied?: imports wasi:sockets/tcp@0.2.6, which no plugin is granted: every call of it fails"
        ]
    );
}

#[test]
fn a_declaration_without_use_is_told() {
    assert_eq!(
        check(&[], json!({ "clock": true })),
        ["capability-unused?: declares clock, and the binary cannot use it"]
    );
}

#[test]
fn the_binary_proves_its_capabilities_each_once() {
    let bare =
        plugin(&["wasi:clocks/wall-clock@0.2.6", "wasi:clocks/monotonic-clock@0.2.6", "wasi:io/poll@0.2.6"]);
    let packed = append_manifest(&bare, &manifest(json!({}))).unwrap();
    assert_eq!(inspect(&packed).unwrap().proven, [Capability::Clock]);
}

#[test]
fn the_entry_point_must_be_there_and_the_describing_one_not() {
    let codes = |exports: &[&str]| {
        let packed = append_manifest(&component(&[], exports), &manifest(json!({}))).unwrap();
        inspect(&packed).unwrap().findings().len()
    };
    assert_eq!(codes(&["quantum:plugin/actions@1.0.0"]), 0);
    assert_eq!(codes(&["quantum:plugin/action@1.0.0"]), 1);
    assert_eq!(codes(&["quantum:plugin/actions@1.0.0", "quantum:plugin/describe@1.0.0"]), 1);
}

#[test]
fn a_bad_manifest_is_found_together_with_the_imports() {
    let mut bad = manifest(json!({}));
    bad.id = "Nobody".to_owned();
    let packed = append_manifest(&plugin(&["wasi:clocks/wall-clock@0.2.6"]), &bad).unwrap();
    let codes: Vec<String> = inspect(&packed).unwrap().findings().into_iter().map(|f| f.code).collect();
    assert_eq!(codes, ["manifest-id", "capability-undeclared"]);
}

#[test]
fn an_import_that_only_lends_its_types_asks_for_nothing() {
    let text = r#"(component
        (type $t (instance (type $u u64) (export "duration" (type (eq $u)))))
        (import "wasi:clocks/monotonic-clock@0.2.12" (instance (type $t)))
        (instance $e)
        (export "quantum:plugin/actions@1.0.0" (instance $e)))"#;
    let packed = append_manifest(&wat::parse_str(text).unwrap(), &manifest(json!({}))).unwrap();
    let inspection = inspect(&packed).unwrap();
    assert_eq!(inspection.imports, ["wasi:clocks/monotonic-clock@0.2.12"]);
    assert_eq!((inspection.proven.len(), inspection.findings().len()), (0, 0));
}
