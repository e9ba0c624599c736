//! Templates and what they give, line by line; and the bounds of an evaluation.

use quantum_core::expression::{EvaluationError, Scope, StepView, Template, Variables};
use quantum_core::limits::{COMPREHENSION_ELEMENTS_MAX, EXPRESSION_BYTES_MAX, EXPRESSION_RESULT_BYTES_MAX};
use quantum_core::vocabulary::StepStatus;
use serde_json::{Value, json};

use crate::support::check_file;

fn evaluate(template: &Template, scope: &Value) -> Result<Value, EvaluationError> {
    let step = |id: &str| {
        let step = scope["steps"].get(id)?;
        let status = StepStatus::parse(step["status"].as_str()?)?;
        Some(StepView { status, output: step.get("output") })
    };
    template.evaluate(&Scope {
        input: &scope["input"],
        intent: &scope["intent"],
        execution: &scope["execution"],
        element: None,
        result: scope.get("result"),
        step: &step,
    })
}

fn outcome(template: &Value, scope: &Value) -> Vec<String> {
    let template = match Template::compile(template, "", Variables::RUNNING) {
        Ok(template) => template,
        Err(findings) => {
            let lines = findings.iter().map(|finding| {
                let (from, to) = finding.span.unwrap_or_default();
                let hint = finding.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                format!("? {} {from}..{to}: {}{hint}", finding.code, finding.message)
            });
            return lines.collect();
        }
    };
    match evaluate(&template, scope) {
        Ok(value) => vec![format!("= {value}")],
        Err(error) => vec![format!("! {error}")],
    }
}

#[test]
fn a_template_gives_its_value_or_says_why_not() {
    check_file("expressions.txt", |lines| {
        let mut text = String::new();
        let mut scope = Value::Null;
        for line in lines {
            text.push_str(&format!("{line}\n"));
            if let Some(json) = line.strip_prefix("scope ") {
                scope = serde_json::from_str(json).unwrap();
            } else if !line.is_empty() && !line.starts_with('#') {
                let template = serde_json::from_str(line).unwrap();
                outcome(&template, &scope).iter().for_each(|found| text.push_str(&format!("| {found}\n")));
            }
        }
        text
    });
}

fn evaluate_text(text: &str, input: Value) -> Result<Value, String> {
    let template = Template::compile(&json!(text), "", Variables::RUNNING)
        .map_err(|findings| findings[0].message.clone())?;
    evaluate(&template, &json!({ "input": input })).map_err(|error| error.reason)
}

#[test]
fn an_expression_has_at_most_4_kib() {
    let padded = |bytes: usize| format!("${{ {:1$} }}", 1, bytes);
    let sized = |bytes: usize| format!("${{'{}'}}", "x".repeat(bytes - 2));
    assert!(evaluate_text(&sized(EXPRESSION_BYTES_MAX), Value::Null).is_ok());
    let error = evaluate_text(&sized(EXPRESSION_BYTES_MAX + 1), Value::Null).unwrap_err();
    assert_eq!(error, "an expression has at most 4096 bytes, this one 4097");
    assert_eq!(evaluate_text(&padded(EXPRESSION_BYTES_MAX * 2), Value::Null), Ok(json!(1)));
}

#[test]
fn a_comprehension_takes_lists_of_at_most_10_000_elements() {
    let items = |count: usize| json!({ "items": vec![1; count] });
    let sum = "${ size(input.items.filter(x, x > 0)) }";
    let max = COMPREHENSION_ELEMENTS_MAX;
    assert_eq!(evaluate_text(sum, items(max)), Ok(json!(max)));
    let error = evaluate_text(sum, items(max + 1)).unwrap_err();
    assert_eq!(error, "a list of 10001 elements; comprehensions take 10000");
    assert_eq!(evaluate_text("${ size(input.items) }", items(max + 1)), Ok(json!(max + 1)));
}

#[test]
fn nested_comprehensions_take_lists_of_at_most_1_000_elements() {
    let items = |count: usize| json!({ "a": vec![1; count], "b": [1] });
    let pairs = "${ size(input.a.map(x, size(input.b.map(y, x + y)))) }";
    assert_eq!(evaluate_text(pairs, items(1_000)), Ok(json!(1_000)));
    let error = evaluate_text(pairs, items(1_001)).unwrap_err();
    assert_eq!(error, "a list of 1001 elements; comprehensions take 1000");
}

#[test]
fn an_expression_gives_at_most_a_mebibyte() {
    let half = json!({ "x": "x".repeat(EXPRESSION_RESULT_BYTES_MAX / 2) });
    assert!(evaluate_text("${ input.x + 'y' }", half.clone()).is_ok());
    let error = evaluate_text("${ input.x + input.x }", half).unwrap_err();
    assert_eq!(error, "its value has 1048578 bytes, 1048576 are allowed");
}

#[test]
fn a_template_does_not_multiply_what_it_reads() {
    let input = json!({ "x": "x".repeat(EXPRESSION_RESULT_BYTES_MAX / 2) });
    let wide = vec!["${ input.x }"; 1_000];
    let template = Template::compile(&json!(wide), "", Variables::RUNNING).unwrap();
    assert!(evaluate(&template, &json!({ "input": input })).is_err());
    let long = Template::compile(&json!(wide.join("")), "", Variables::RUNNING).unwrap();
    assert!(evaluate(&long, &json!({ "input": input })).is_err());
}

#[test]
fn a_template_names_the_steps_that_it_reads_and_the_places_that_are_not_known() {
    let value = json!({
        "a": "${ steps.x.output }${ steps['y'].output.z }", "b": ["plain", "${ has(steps.x.output) }"], "c/d": "${ 1 }"
    });
    let template = Template::compile(&value, "", Variables::RUNNING).unwrap();
    let step = |id: &str, at: &str| (id.to_owned(), at.to_owned());
    assert_eq!(template.steps(), [step("x", "/a"), step("y", "/a"), step("x", "/b/1")]);
    assert_eq!(template.holes(), ["/a", "/b/1", "/c~1d"]);
}
