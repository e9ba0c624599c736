//! Documents as people write them: what is taken, and what is said about the rest.

use quantum_core::id::IntentName;
use quantum_core::intent::{CheckContext, Order, check_document};
use quantum_core::json::depth;
use quantum_core::problem::{Finding, Severity};
use serde_json::{Value, json};

use crate::support::{Actions, check_file, tenant};

fn check(document: &Value) -> (bool, Vec<Finding>) {
    let (tenant, actions) = (tenant(), Actions::installed());
    let checked = check_document(document, &CheckContext { tenant: &tenant, actions: &actions });
    (checked.document.is_some(), checked.findings)
}

/// A file of documents, each below a line `== what it is`.
fn check_cases(file: &str) {
    check_file(&format!("documents/{file}.txt"), |lines| {
        let mut text = String::new();
        let cases = lines.split(|line| line.starts_with("== "));
        let titles = lines.iter().filter(|line| line.starts_with("== "));
        for (title, case) in titles.zip(cases.skip(1)) {
            text.push_str(&format!("{title}\n"));
            let end = case.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
            case[..end].iter().for_each(|line| text.push_str(&format!("{line}\n")));
            let document: Value = serde_json::from_str(&case.join("\n")).unwrap();
            outcome(&document).iter().for_each(|line| text.push_str(&format!("| {line}\n")));
            case[end..].iter().for_each(|_| text.push('\n'));
        }
        text
    });
}

fn outcome(document: &Value) -> Vec<String> {
    let (accepted, findings) = check(document);
    assert_eq!(accepted, !findings.iter().any(Finding::is_error), "an error refuses, a warning does not");
    let mut lines = vec![if accepted { "accepted" } else { "refused" }.to_owned()];
    for finding in findings {
        let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
        let span = finding.span.map(|(from, to)| format!(" {from}..{to}")).unwrap_or_default();
        let place = if finding.pointer.is_empty() { "(top)" } else { &finding.pointer };
        lines.push(format!("{severity} {} at {place}{span}: {}", finding.code, finding.message));
        lines.extend(finding.hint.map(|hint| format!("    {hint}")));
    }
    lines
}

#[test]
fn the_tutorials_documents_are_taken_as_they_are_written() {
    check_cases("tutorial");
}

#[test]
fn a_document_of_this_version_is_taken() {
    check_cases("accepted");
}

#[test]
fn a_wrong_envelope_is_refused_with_what_would_work() {
    check_cases("envelope");
}

#[test]
fn a_wrong_step_is_refused_with_what_would_work() {
    check_cases("steps");
}

#[test]
fn wrong_parameters_are_refused_where_they_are_written() {
    check_cases("parameters");
}

#[test]
fn the_keys_that_steer_are_taken_or_refused_with_what_would_work() {
    check_cases("control");
}

#[test]
fn a_wrong_graph_is_refused_with_the_cycle_or_the_near_name() {
    check_cases("graph");
}

#[test]
fn a_wrong_expression_is_refused_with_its_place() {
    check_cases("expressions");
}

#[test]
fn a_key_that_comes_later_is_refused_rather_than_ignored() {
    check_cases("not-supported");
}

#[test]
fn an_intent_has_at_most_500_steps() {
    let steps = |count: usize| {
        let steps = vec![json!({ "action": "plain" }); count];
        json!({ "name": "many", "definition": { "steps": steps } })
    };
    assert_eq!(check(&steps(500)), (true, vec![]));
    let (accepted, findings) = check(&steps(501));
    assert!(!accepted);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].pointer, "/definition/steps");
    assert!(findings[0].message.ends_with("has more than 500 items"), "{}", findings[0].message);
}

#[test]
fn a_document_has_at_most_64_levels() {
    let nested = |levels: usize| {
        let deep = (0..levels).fold(json!(1), |inner, _| json!([inner]));
        json!({ "name": "deep", "definition": { "data": deep } })
    };
    assert_eq!(depth(&nested(61)), 64);
    assert_eq!(check(&nested(61)), (true, vec![]));
    let (accepted, findings) = check(&nested(62));
    assert!(!accepted);
    assert_eq!(findings, [Finding::error("", "json-depth", "a document has at most 64 levels of JSON")]);
}

#[test]
fn a_checked_document_has_its_typed_form() {
    let (tenant, actions) = (tenant(), Actions::installed());
    let source = json!({
        "name": "release-check", "description": "Checks", "labels": { "team": "web" },
        "definition": { "target": "production", "order": "graph", "region": "eu", "steps": [
            { "action": "plain", "x": 1, "parameters": { "y": 2 }, "timeout": "90s" },
            { "action": "plain" },
            { "id": "plain-3", "action": "test:plain/plain", "depends_on": ["plain-2"],
              "retry": { "max_attempts": 7, "initial_interval": 0.5, "max_interval": "5m", "jitter": "none" } },
            { "action": "plain" }
        ] }
    });
    let checked = check_document(&source, &CheckContext { tenant: &tenant, actions: &actions });
    assert_eq!(checked.findings, []);
    let document = checked.document.unwrap();
    assert_eq!(document.name, IntentName::new("release-check").unwrap());
    assert_eq!((document.description.as_str(), document.labels["team"].as_str()), ("Checks", "web"));
    assert_eq!(document.source, source["definition"]);
    let definition = document.definition;
    assert_eq!((definition.order, definition.target.as_deref()), (Order::Graph, Some("production")));
    let ids: Vec<&str> = definition.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["plain", "plain-2", "plain-3", "plain-4"]);
    let [first, second, third, _] = definition.steps.as_slice() else { panic!("four steps") };
    assert_eq!(Value::Object(first.parameters.clone()), json!({ "y": 2, "x": 1 }));
    assert_eq!((first.timeout_ms, second.timeout_ms), (Some(90_000), None));
    assert_eq!((third.retry.max_attempts, third.retry.initial_interval_ms), (7, 500));
    assert_eq!((third.retry.max_interval_ms, third.retry.jitter), (300_000, false));
    assert_eq!(third.depends_on, ["plain-2"]);
}
