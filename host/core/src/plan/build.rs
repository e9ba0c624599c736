//! From a checked definition to a plan.

use super::compiled::{CompiledStep, Source};
use super::document::{
    PLAN_FORMAT, PinnedAction, PlanDocument, PlannedAction, PlannedIntent, PlannedStep, PlannedUndo,
};
use super::graph::Graph;
use crate::builtin::BuiltIn;
use crate::installation;
use crate::intent::{CheckContext, Definition, StepDefinition};
use crate::json::pointer;
use crate::limits::TIMEOUT_MS_DEFAULT;
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
    let mut steps = Vec::new();
    for (at, step) in definition.steps.iter().enumerate() {
        let base = pointer("/definition/steps", at);
        match step_reads(step, &base) {
            Ok(read) => reads.push(read),
            Err(wrong) => findings.extend(wrong),
        }
        steps.extend(plan_step(step, &base, context, &mut findings));
    }
    let graph = Graph::of(definition, &reads);
    if findings.is_empty() && graph.cycle().is_some() {
        findings.push(Finding::error("/definition/steps", "step-cycle", "the steps wait for each other"));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    for (at, step) in steps.iter_mut().enumerate() {
        step.waits_for = graph.waits_for(at).to_vec();
    }
    Ok(PlanDocument {
        format: PLAN_FORMAT,
        intent,
        blueprint_revision: None,
        environment,
        order: definition.order,
        steps,
        input: definition.input.clone(),
        output: definition.output.clone(),
        timeout_ms: definition.timeout_ms,
        concurrency: definition.concurrency.clone(),
    })
}

/// Steps that decide whether and how a step runs.
fn step_reads(step: &StepDefinition, base: &str) -> Result<Vec<(String, String)>, Vec<Finding>> {
    let compiled = CompiledStep::compile(&Source::of(step), base)?;
    Ok(compiled.reads().into_iter().map(|id| (id, String::new())).collect())
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

/// Without its edges, which the whole graph gives.
fn plan_step(
    step: &StepDefinition,
    base: &str,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) -> Option<PlannedStep> {
    let action = match BuiltIn::parse(&step.action) {
        Some(built_in) => PlannedAction::BuiltIn { built_in, timeout_ms: step.timeout_ms },
        None => PlannedAction::Component(resolve(step, base, context, findings)?),
    };
    let compensate = match &step.compensate {
        None => None,
        Some(undo) => Some(PlannedUndo {
            action: resolve(undo, &pointer(base, "compensate"), context, findings)?,
            parameters: undo.parameters.clone(),
            timeout_ms: undo.timeout_ms.unwrap_or(TIMEOUT_MS_DEFAULT),
            retry: undo.retry.clone(),
        }),
    };
    Some(PlannedStep {
        id: step.id.clone(),
        action,
        parameters: step.parameters.clone(),
        waits_for: Vec::new(),
        timeout_ms: step.timeout_ms.unwrap_or(TIMEOUT_MS_DEFAULT),
        retry: step.retry.clone(),
        when: step.when.clone(),
        for_each: step.for_each.clone(),
        on_error: step.on_error,
        on_exhausted: step.on_exhausted,
        compensate,
    })
}

fn resolve(
    step: &StepDefinition,
    base: &str,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) -> Option<PinnedAction> {
    match context.actions.resolve(context.tenant, &step.action) {
        Resolution::Found(entry) => Some(pin(&entry)),
        Resolution::Unknown | Resolution::Ambiguous(_) => {
            findings.push(unresolved(step, base));
            None
        }
    }
}
