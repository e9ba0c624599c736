//! From a checked definition to a plan.

use serde_json::Value;

use super::document::{PLAN_FORMAT, PinnedAction, PlanDocument, PlannedIntent, PlannedStep};
use super::graph::Graph;
use crate::expression::Template;
use crate::installation;
use crate::intent::{CheckContext, Definition, StepDefinition};
use crate::json::pointer;
use crate::port::{ActionEntry, Resolution};
use crate::problem::Finding;
use crate::vocabulary::Environment;

/// Resolves every action. Err: what stands in the way; an unknown action is an error here.
pub fn build(
    intent: PlannedIntent,
    environment: Environment,
    definition: &Definition,
    context: &CheckContext<'_>,
) -> Result<PlanDocument, Vec<Finding>> {
    let mut definition = definition.clone();
    installation::fill(&mut definition, environment, context);
    let definition = &definition;
    let mut findings = Vec::new();
    let mut reads = Vec::new();
    let mut pinned = Vec::new();
    for (at, step) in definition.steps.iter().enumerate() {
        let base = pointer("/definition/steps", at);
        match Template::compile(&Value::Object(step.parameters.clone()), &base) {
            Ok(template) => reads.push(template.steps()),
            Err(wrong) => findings.extend(wrong),
        }
        match context.actions.resolve(context.tenant, &step.action) {
            Resolution::Found(entry) => pinned.push(pin(&entry)),
            Resolution::Unknown | Resolution::Ambiguous(_) => findings.push(unresolved(step, &base)),
        }
    }
    let graph = Graph::of(definition, &reads);
    if findings.is_empty() && graph.cycle().is_some() {
        findings.push(Finding::error("/definition/steps", "step-cycle", "the steps wait for each other"));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let steps = definition.steps.iter().zip(pinned).enumerate();
    let steps = steps.map(|(at, (step, action))| plan_step(step, action, graph.waits_for(at)));
    Ok(PlanDocument {
        format: PLAN_FORMAT,
        intent,
        environment,
        order: definition.order,
        steps: steps.collect(),
        input: definition.input.clone(),
        output: definition.output.clone(),
    })
}

fn unresolved(step: &StepDefinition, base: &str) -> Finding {
    let message = format!("the action \"{}\" cannot be resolved to one installed plugin", step.action);
    Finding::error(pointer(base, "action"), "action-unknown", message)
        .hint("see `quantum plugin list`, and install a plugin that has it: quantum plugin install FILE")
}

fn pin(entry: &ActionEntry) -> PinnedAction {
    PinnedAction {
        name: entry.manifest.name.clone(),
        plugin: entry.plugin.clone(),
        version: entry.version.clone(),
        component: entry.component.clone(),
        idempotent: entry.manifest.idempotent,
        effects: entry.manifest.effects,
    }
}

fn plan_step(step: &StepDefinition, action: PinnedAction, waits_for: &[usize]) -> PlannedStep {
    PlannedStep {
        id: step.id.clone(),
        action,
        parameters: step.parameters.clone(),
        waits_for: waits_for.to_vec(),
        timeout_ms: step.timeout_ms,
        retry: step.retry.clone(),
    }
}
