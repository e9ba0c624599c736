//! The second layer: what holds between the parts of a document.

use serde_json::Value;

use super::check::CheckContext;
use super::definition::{Definition, Order, StepDefinition};
use super::read::not_supported;
use super::schema::{DEFINITION_KEYS_LATER, STEP_KEYS, STEP_KEYS_LATER};
use crate::expression::Template;
use crate::json::pointer;
use crate::plan::graph::Graph;
use crate::port::{ActionEntry, Resolution};
use crate::problem::{Finding, nearest};
use crate::schema::Schema;

pub(super) fn check(
    written: &Value,
    definition: &Definition,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) {
    check_keys(written, findings);
    check_input(definition, findings);
    let mut reads = Vec::new();
    for (at, step) in definition.steps.iter().enumerate() {
        let base = pointer("/definition/steps", at);
        check_order(definition.order, step, &base, findings);
        let template = compile_parameters(step, &base, findings);
        reads.push(template.as_ref().map(|template| read_steps(template, step, &base)).unwrap_or_default());
        check_action(step, &base, template.as_ref(), context, findings);
    }
    check_output(definition, findings);
    check_graph(definition, &reads, findings);
}

fn check_keys(written: &Value, findings: &mut Vec<Finding>) {
    let later = |keys: &[&str], fields: &Value, base: &str, findings: &mut Vec<Finding>| {
        for key in keys.iter().filter(|key| fields.get(**key).is_some()) {
            findings.push(not_supported(&pointer(base, key), key));
        }
    };
    later(DEFINITION_KEYS_LATER, written, "/definition", findings);
    let steps = written.get("steps").and_then(Value::as_array).into_iter().flatten();
    for (at, step) in steps.enumerate() {
        later(STEP_KEYS_LATER, step, &pointer("/definition/steps", at), findings);
    }
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

/// Compiled per parameter, so that findings point to where it is written: inline or under `parameters`.
fn compile_parameters(step: &StepDefinition, base: &str, findings: &mut Vec<Finding>) -> Option<Template> {
    match Template::compile(&Value::Object(step.parameters.clone()), "") {
        Ok(template) => Some(template),
        Err(wrong) => {
            findings.extend(wrong.into_iter().map(|finding| place(finding, step, base)));
            None
        }
    }
}

/// Moves a finding's pointer from the merged parameters to the document.
fn place(mut finding: Finding, step: &StepDefinition, base: &str) -> Finding {
    if let Some(name) = filled(&finding.pointer, step) {
        finding.message = format!("the installation's default of \"{name}\": {}", finding.message);
        finding.hint = Some(format!("write \"{name}\" into the step, or change the plugin's settings"));
    }
    finding.pointer = written_at(&finding.pointer, step, base);
    finding
}

/// The parameter that nobody wrote into the document.
fn filled<'a>(place: &str, step: &'a StepDefinition) -> Option<&'a String> {
    let key = place.split('/').nth(1)?;
    step.filled.iter().find(|name| pointer("", name) == format!("/{key}"))
}

fn written_at(place: &str, step: &StepDefinition, base: &str) -> String {
    let Some(key) = place.split('/').nth(1) else { return base.to_owned() };
    if filled(place, step).is_some() {
        return pointer(base, "action");
    }
    let inline = step.inline.iter().any(|name| pointer("", name) == format!("/{key}"));
    if inline { format!("{base}{place}") } else { format!("{base}/parameters{place}") }
}

/// Steps that the parameters read, with the place of each reading in the document.
fn read_steps(template: &Template, step: &StepDefinition, base: &str) -> Vec<(String, String)> {
    template.steps().into_iter().map(|(id, at)| (id, written_at(&at, step, base))).collect()
}

fn check_action(
    step: &StepDefinition,
    base: &str,
    template: Option<&Template>,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) {
    if step.action.is_empty() {
        return; // The schema refuses it.
    }
    if step.action.starts_with("core/") {
        findings.push(not_supported(&pointer(base, "action"), &step.action));
        return;
    }
    match context.actions.resolve(context.tenant, &step.action) {
        Resolution::Found(entry) => check_parameters(step, base, template, &entry, findings),
        Resolution::Unknown => {
            findings.push(unknown_action(step, base, context));
            findings.extend(misspelt_keys(step, base));
        }
        Resolution::Ambiguous(names) => {
            let message = format!("several installed plugins have an action \"{}\"", step.action);
            let finding = Finding::error(pointer(base, "action"), "action-ambiguous", message);
            findings.push(finding.hint(format!("write one of: {}", names.join(", "))));
        }
    }
}

fn unknown_action(step: &StepDefinition, base: &str, context: &CheckContext<'_>) -> Finding {
    let names = context.actions.names(context.tenant);
    let near = nearest(&step.action, names.iter().map(String::as_str));
    let message = format!("no installed plugin has an action \"{}\"", step.action);
    let finding = Finding::warning(pointer(base, "action"), "action-unknown", message);
    finding.hint(match near {
        Some(near) => {
            format!("did you mean \"{near}\"? Otherwise install a plugin that has it before executing")
        }
        None => "install a plugin that has it before executing: quantum plugin install FILE".to_owned(),
    })
}

/// Where the action is not known, a key that is nearly a reserved one is told, not refused.
fn misspelt_keys(step: &StepDefinition, base: &str) -> Vec<Finding> {
    let near = |key: &String| Some((key.clone(), nearest(key, STEP_KEYS.iter().copied())?));
    let told = step.inline.iter().filter_map(near).map(|(key, near)| {
        let message = format!("\"{key}\" is taken for a parameter");
        Finding::warning(pointer(base, &key), "step-key", message).hint(format!("did you mean \"{near}\"?"))
    });
    told.collect()
}

fn check_parameters(
    step: &StepDefinition,
    base: &str,
    template: Option<&Template>,
    entry: &ActionEntry,
    findings: &mut Vec<Finding>,
) {
    let holes = template.map(Template::holes).unwrap_or_default();
    let value = Value::Object(step.parameters.clone());
    for mut finding in entry.parameters.findings_around(&value, &holes, "parameters") {
        let key = finding.pointer.strip_prefix('/').unwrap_or_default().to_owned();
        let misspelt = step.inline.contains(&key).then(|| nearest(&key, STEP_KEYS.iter().copied())).flatten();
        if let (Some(near), true) = (misspelt, finding.message.ends_with("is not known here")) {
            finding.hint = Some(format!("did you mean \"{near}\"?"));
        }
        findings.push(place(finding, step, base));
    }
}

fn check_output(definition: &Definition, findings: &mut Vec<Finding>) {
    let Some(output) = &definition.output else { return };
    match Template::compile(output, "/definition/output") {
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

fn unknown_step(id: &str, place: &str, definition: &Definition) -> Finding {
    let ids: Vec<&str> = definition.steps.iter().map(|step| step.id.as_str()).collect();
    let finding = Finding::error(place, "step-unknown", format!("there is no step \"{id}\""));
    match nearest(id, ids.iter().copied()) {
        Some(near) => finding.hint(format!("did you mean \"{near}\"?")),
        None if ids.is_empty() => finding.hint("this intent has no steps"),
        None => finding.hint(format!("steps of this intent: {}", ids.join(", "))),
    }
}

fn check_graph(definition: &Definition, reads: &[Vec<(String, String)>], findings: &mut Vec<Finding>) {
    let position = |id: &str| definition.steps.iter().position(|step| step.id.as_str() == id);
    let mut broken = false;
    for (at, step) in definition.steps.iter().enumerate() {
        let base = pointer("/definition/steps", at);
        let waits = step.depends_on.iter().enumerate();
        let waits = waits.map(|(n, id)| (id.as_str(), pointer(&pointer(&base, "depends_on"), n)));
        let read = reads.get(at).into_iter().flatten().map(|(id, place)| (id.as_str(), place.clone()));
        for (id, place) in waits.chain(read) {
            match position(id) {
                None => findings.push(unknown_step(id, &place, definition)),
                Some(other) if other == at => {
                    let message = format!("step \"{id}\" would wait for itself");
                    findings.push(Finding::error(place, "step-order", message));
                }
                Some(other) if definition.order == Order::Sequential && other > at => {
                    let message = format!(
                        "step \"{}\" cannot read step \"{id}\", which has not run before it",
                        step.id
                    );
                    findings.push(Finding::error(place, "step-order", message));
                }
                Some(_) => continue,
            }
            broken = true;
        }
    }
    if !broken && let Some(cycle) = Graph::of(definition, reads).cycle() {
        let names: Vec<&str> =
            cycle.iter().filter_map(|at| Some(definition.steps.get(*at)?.id.as_str())).collect();
        let message = format!("the steps wait for each other: {}", names.join(" → "));
        findings.push(Finding::error("/definition/steps", "step-cycle", message));
    }
}
