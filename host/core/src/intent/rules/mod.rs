//! The second layer: what holds between the parts of a document.

mod call;
mod control;
mod graph;

use super::check::CheckContext;
use super::definition::{Definition, Order, StepDefinition};
use crate::expression::{Template, Variables};
use crate::json::pointer;
use crate::problem::Finding;
use crate::schema::Schema;
use call::{Place, check_action, compile_parameters, read_steps};
use control::{
    check_built_in_keys, check_calls_itself, check_concurrency, check_conditions, check_undo_reads,
};
use graph::{Reading, check_graph, unknown_step};

/// `name`: of the intent, as far as it can be read.
pub(super) fn check(
    name: Option<&str>,
    definition: &Definition,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) {
    check_input(definition, findings);
    check_concurrency(definition, findings);
    let mut reads = Vec::new();
    for (at, step) in definition.steps.iter().enumerate() {
        let base = pointer("/definition/steps", at);
        check_order(definition.order, step, &base, findings);
        check_built_in_keys(step, &base, findings);
        check_calls_itself(name, step, &base, findings);
        let mut read = check_conditions(step, &base, findings);
        read.extend(check_call(step, &base, context, findings));
        reads.push(read);
        check_compensate(definition, at, context, findings);
    }
    check_output(definition, findings);
    check_graph(definition, &reads, findings);
}

fn check_call(
    step: &StepDefinition,
    base: &str,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Reading> {
    let place = Place { base, variables: variables(step, Variables::RUNNING), undoes: false };
    let template = compile_parameters(step, &place, findings);
    check_action(step, &place, template.as_ref(), context, findings);
    template.map(|template| read_steps(&template, step, base)).unwrap_or_default()
}

fn check_compensate(
    definition: &Definition,
    at: usize,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some(step) = definition.steps.get(at) else { return };
    let Some(undo) = &step.compensate else { return };
    let base = pointer(&pointer("/definition/steps", at), "compensate");
    let place = Place { base: &base, variables: variables(step, Variables::UNDOING), undoes: true };
    let template = compile_parameters(undo, &place, findings);
    check_action(undo, &place, template.as_ref(), context, findings);
    let reads = template.map(|template| read_steps(&template, undo, &base)).unwrap_or_default();
    check_undo_reads(definition, at, &reads, findings);
}

fn variables<'a>(step: &'a StepDefinition, known: Variables<'a>) -> Variables<'a> {
    known.with_element(step.for_each.as_ref().map(|for_each| for_each.variable.as_str()))
}

fn check_input(definition: &Definition, findings: &mut Vec<Finding>) {
    let Some(input) = &definition.input else { return };
    if let Err(reason) = Schema::compile(input) {
        let message = format!("\"input\" is not a JSON Schema: {reason}");
        findings.push(Finding::error("/definition/input", "input-schema", message));
    }
}

fn check_order(order: Order, step: &StepDefinition, base: &str, findings: &mut Vec<Finding>) {
    if order == Order::Sequential && !step.depends_on.is_empty() {
        let message = "steps run one after another, so \"depends_on\" has no meaning";
        let finding = Finding::error(pointer(base, "depends_on"), "depends-on-order", message);
        findings.push(
            finding.hint("write \"order\": \"graph\" into the definition, or leave \"depends_on\" out"),
        );
    }
}

fn check_output(definition: &Definition, findings: &mut Vec<Finding>) {
    let Some(output) = &definition.output else { return };
    match Template::compile(output, "/definition/output", Variables::RUNNING) {
        Err(wrong) => findings.extend(wrong),
        Ok(template) => {
            for (id, at) in template.steps() {
                if !definition.steps.iter().any(|step| step.id.as_str() == id) {
                    findings.push(unknown_step(&id, &format!("/definition/output{at}"), definition));
                }
            }
        }
    }
}
