//! The keys that steer: `when`, `for_each`, `compensate`, `concurrency`, and what a built-in action cannot have.

use super::super::definition::{Definition, ForEach, OnExhausted, Order, RetryPolicy, StepDefinition};
use super::graph::{Reading, unknown_step};
use crate::builtin::BuiltIn;
use crate::expression::{Expression, Variables};
use crate::json::pointer;
use crate::problem::Finding;

/// Compiles the bare expressions of a step. Gives the steps that they read.
pub(super) fn check_conditions(
    step: &StepDefinition,
    base: &str,
    findings: &mut Vec<Finding>,
) -> Vec<Reading> {
    let mut reads = Vec::new();
    if let Some(when) = &step.when {
        reads.extend(bare(when, &pointer(base, "when"), Variables::RUNNING, findings));
    }
    if let Some(for_each) = &step.for_each {
        let place = pointer(base, "for_each");
        check_variable(for_each, &place, findings);
        reads.extend(bare(&for_each.list, &pointer(&place, "in"), Variables::RUNNING, findings));
    }
    reads
}

fn check_variable(for_each: &ForEach, place: &str, findings: &mut Vec<Finding>) {
    let name = &for_each.variable;
    if Variables::is_taken(name) {
        let message = format!("\"{name}\" already means something in expressions");
        let hint = "choose another name for the element, such as item";
        findings.push(Finding::error(pointer(place, "as"), "for-each-variable", message).hint(hint));
    }
}

fn bare(source: &str, place: &str, variables: Variables<'_>, findings: &mut Vec<Finding>) -> Vec<Reading> {
    if source.trim_start().starts_with("${") {
        let message = "a bare expression stands here, without ${ }";
        let hint = format!("write {}", source.trim().trim_start_matches("${").trim_end_matches('}').trim());
        findings.push(Finding::error(place, "expression-syntax", message).hint(hint));
        return Vec::new();
    }
    match Expression::compile(source, variables) {
        Ok(expression) => expression.steps().iter().map(|step| (step.clone(), place.to_owned())).collect(),
        Err(error) => {
            let (from, to) = error.span;
            let mut finding = Finding::error(place, error.code, error.message).span(from, to);
            finding.hint = error.hint;
            findings.push(finding);
            Vec::new()
        }
    }
}

pub(super) fn check_concurrency(definition: &Definition, findings: &mut Vec<Finding>) {
    let Some(key) = definition.concurrency.as_ref().and_then(|limit| limit.key.as_ref()) else { return };
    bare(key, "/definition/concurrency/key", Variables::STARTING, findings);
}

/// What undoes a step may read the step itself, and whatever has run before it.
pub(super) fn check_undo_reads(
    definition: &Definition,
    at: usize,
    reads: &[Reading],
    findings: &mut Vec<Finding>,
) {
    for (id, place) in reads {
        let position = definition.steps.iter().position(|step| step.id.as_str() == id);
        match position {
            None => findings.push(unknown_step(id, place, definition)),
            Some(other) if definition.order == Order::Sequential && other > at => {
                let message = format!("step \"{id}\" has not run yet when this step has to be undone");
                let hint = "read the step itself, or one that runs before it";
                findings.push(Finding::error(place, "step-order", message).hint(hint));
            }
            Some(_) => {}
        }
    }
}

/// Keys that have no meaning for an action that the host runs itself.
pub(super) fn check_built_in_keys(step: &StepDefinition, base: &str, findings: &mut Vec<Finding>) {
    let Some(built_in) = BuiltIn::parse(&step.action) else { return };
    let timeout = step.timeout_ms.is_some() && !built_in.takes_timeout();
    let written = [
        ("timeout", timeout),
        ("retry", step.retry != RetryPolicy::default()),
        ("on_exhausted", step.on_exhausted != OnExhausted::Fail),
    ];
    for (key, _) in written.iter().filter(|(_, written)| *written) {
        let message = format!("\"{key}\" has no meaning for \"{}\"", step.action);
        let finding = Finding::error(pointer(base, key), "step-key", message);
        findings.push(finding.hint("leave it out"));
    }
}

/// An intent that starts itself would never end.
pub(super) fn check_calls_itself(
    name: Option<&str>,
    step: &StepDefinition,
    base: &str,
    findings: &mut Vec<Finding>,
) {
    if BuiltIn::parse(&step.action) != Some(BuiltIn::ExecuteIntent) {
        return;
    }
    let called = step.parameters.get("intent").and_then(serde_json::Value::as_str);
    let same = |called: &str| {
        let (bare, _) = crate::id::split_version(called).unwrap_or((called, 0));
        name == Some(bare)
    };
    if called.is_some_and(same) {
        let at = if step.inline.iter().any(|key| key == "intent") {
            base.to_owned()
        } else {
            pointer(base, "parameters")
        };
        let message = "the intent executes itself, and would never end";
        let hint = "name another intent, or use for_each to repeat a step";
        findings.push(Finding::error(pointer(&at, "intent"), "calls-itself", message).hint(hint));
    }
}
