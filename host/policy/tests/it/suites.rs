//! The suites that come with the policies, and what the runner itself refuses.

use std::path::{Path, PathBuf};

use crate::suite::run;

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

/// Every test holds, and `ours` (a file of policies) has no policy that no test made determining.
fn check(suite: &str, ours: &[&str]) {
    let path = policies().join(suite);
    let text = std::fs::read_to_string(&path).unwrap();
    let report = run(&text, path.parent().unwrap()).unwrap();
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    let own: String =
        ours.iter().map(|file| std::fs::read_to_string(policies().join(file)).unwrap()).collect();
    let unused: Vec<_> = report.unused.iter().filter(|id| own.contains(&format!("@id(\"{id}\")"))).collect();
    assert!(unused.is_empty(), "no test makes these determining: {unused:?}");
}

#[test]
fn the_shipped_policies_pass_their_suite_and_each_one_decides_something() {
    check("default.test.yaml", &["00-guard.cedar", "10-roles.cedar", "20-defaults.cedar"]);
}

#[test]
fn the_examples_pass_their_suite_and_each_one_decides_something() {
    check("examples/change-control.test.yaml", &["examples/change-control.cedar"]);
}

const CONTEXTS: &str = r#"
suite: s
policies: []
contexts:
  req: { now: 'datetime("2026-11-23T10:00:00Z")', weekday: 'Weekday::"mon"', localTime: 'duration("10h")',
         auth: { method: 'AuthMethod::"jwt"', mfa: true, ageSeconds: 60, scopes: [] } }
fixtures:
  ann: { type: User, parents: ['Role::"admin"'], attrs: { tenant: 'Tenant::"t1"', active: true } }
  t1: { type: Tenant }
"#;

fn failures(tests: &str) -> Vec<String> {
    run(&format!("{CONTEXTS}tests:\n{tests}"), &policies()).unwrap().failures
}

#[test]
fn a_suite_without_tests_fails() {
    assert_eq!(run(CONTEXTS, &policies()).err().unwrap(), "suite \"s\" has no tests");
}

#[test]
fn a_reason_too_many_or_too_few_fails() {
    let test = |because: &str| {
        failures(&format!(
            "  - {{ principal: ann, action: tenant.view, resource: t1, expect: allow, because: {because} }}"
        ))
    };
    assert!(test("[role.admin]").is_empty());
    for wrong in ["[]", "[role.admin, role.viewer]"] {
        assert_eq!(test(wrong), ["test 1: ann tenant.view t1: Allow because {\"role.admin\"}"], "{wrong}");
    }
}

#[test]
fn an_entity_that_does_not_fit_the_schema_is_an_error_and_not_a_denial() {
    let wrong = CONTEXTS.replace("active: true", "active: 1");
    let test = "tests:\n  - { principal: ann, action: tenant.view, resource: t1, expect: deny, because: [] }";
    let error = run(&format!("{wrong}{test}"), &policies()).err().unwrap();
    assert!(error.contains("active"), "{error}");
}

#[test]
fn a_context_that_does_not_fit_the_schema_fails_the_test() {
    let found =
        failures("  - { principal: ann, action: intent.create, resource: t1, expect: deny, because: [] }");
    assert!(found.len() == 1 && found[0].contains("context"), "{found:?}");
}

#[test]
fn a_policy_that_cannot_be_evaluated_fails_the_test() {
    let dir = tempfile::tempdir().unwrap();
    let policy = r#"@id("x.overflow")
permit (principal, action == Action::"tenant.view", resource)
when { context.auth.ageSeconds + 9223372036854775807 > 0 };"#;
    std::fs::write(dir.path().join("x.cedar"), policy).unwrap();
    let suite = CONTEXTS.replace("policies: []", "policies: [x.cedar]");
    let test =
        "tests:\n  - { principal: ann, action: tenant.view, resource: t1, expect: allow, because: [] }";
    let report = run(&format!("{suite}{test}"), dir.path()).unwrap();
    assert!(report.failures.len() == 1 && report.failures[0].contains("overflow"), "{:?}", report.failures);
}
