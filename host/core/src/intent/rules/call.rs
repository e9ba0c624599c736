//! An action with its parameters, in a step or in what undoes it.

use serde_json::Value;

use super::super::check::CheckContext;
use super::super::definition::StepDefinition;
use super::super::schema::{COMPENSATE_KEYS, STEP_KEYS};
use crate::builtin::{self, BuiltIn};
use crate::expression::{Template, Variables};
use crate::json::pointer;
use crate::port::Resolution;
use crate::problem::{Finding, nearest};
use crate::schema::Schema;

/// Where a call stands, and what it may be.
pub(super) struct Place<'a> {
    pub base: &'a str,
    pub variables: Variables<'a>,
    pub undoes: bool,
}

/// Compiled per parameter, so that findings point to where it is written: inline or under `parameters`.
pub(super) fn compile_parameters(
    step: &StepDefinition,
    place: &Place<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Template> {
    match Template::compile(&Value::Object(step.parameters.clone()), "", place.variables) {
        Ok(template) => Some(template),
        Err(wrong) => {
            findings.extend(wrong.into_iter().map(|finding| moved(finding, step, place.base)));
            None
        }
    }
}

/// Moves a finding's pointer from the merged parameters to the document.
fn moved(mut finding: Finding, step: &StepDefinition, base: &str) -> Finding {
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
pub(super) fn read_steps(template: &Template, step: &StepDefinition, base: &str) -> Vec<(String, String)> {
    template.steps().into_iter().map(|(id, at)| (id, written_at(&at, step, base))).collect()
}

pub(super) fn check_action(
    step: &StepDefinition,
    place: &Place<'_>,
    template: Option<&Template>,
    context: &CheckContext<'_>,
    findings: &mut Vec<Finding>,
) {
    let base = place.base;
    if step.action.is_empty() {
        return; // The schema refuses it.
    }
    if step.action.starts_with(builtin::PREFIX) {
        check_built_in(step, place, template, findings);
        return;
    }
    match context.actions.resolve(context.tenant, &step.action) {
        Resolution::Found(entry) => check_parameters(step, place, template, &entry.parameters, findings),
        Resolution::Unknown => {
            findings.push(unknown_action(step, base, context));
            findings.extend(misspelt_keys(step, place));
        }
        Resolution::Ambiguous(names) => {
            let message = format!("several installed plugins have an action \"{}\"", step.action);
            let finding = Finding::error(pointer(base, "action"), "action-ambiguous", message);
            findings.push(finding.hint(format!("write one of: {}", names.join(", "))));
        }
    }
}

fn check_built_in(
    step: &StepDefinition,
    place: &Place<'_>,
    template: Option<&Template>,
    findings: &mut Vec<Finding>,
) {
    let at = pointer(place.base, "action");
    let Some(built_in) = BuiltIn::parse(&step.action) else {
        let names: Vec<&str> = BuiltIn::ALL.iter().map(|known| known.action()).collect();
        let message = format!("the host has no action \"{}\"", step.action);
        let hint = match nearest(&step.action, names.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("its own actions are {}", names.join(", ")),
        };
        findings.push(Finding::error(at, "action-unknown", message).hint(hint));
        return;
    };
    if place.undoes {
        let message = format!("\"{}\" undoes nothing", step.action);
        let hint = "name an action of a plugin; it runs when the execution fails or is cancelled";
        findings.push(Finding::error(at, "compensate-action", message).hint(hint));
        return;
    }
    check_parameters(step, place, template, builtin::schema(built_in), findings);
    let literal = template.is_some_and(|template| template.holes().is_empty());
    if literal && let Some((key, code, message)) = builtin::wrong_literal(built_in, &step.parameters) {
        findings.push(moved(Finding::error(pointer("", key), code, message), step, place.base));
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
fn misspelt_keys(step: &StepDefinition, place: &Place<'_>) -> Vec<Finding> {
    let near = |key: &String| Some((key.clone(), nearest(key, place.keys().iter().copied())?));
    let told = step.inline.iter().filter_map(near).map(|(key, near)| {
        let message = format!("\"{key}\" is taken for a parameter");
        Finding::warning(pointer(place.base, &key), "step-key", message)
            .hint(format!("did you mean \"{near}\"?"))
    });
    told.collect()
}

fn check_parameters(
    step: &StepDefinition,
    place: &Place<'_>,
    template: Option<&Template>,
    schema: &Schema,
    findings: &mut Vec<Finding>,
) {
    let holes = template.map(Template::holes).unwrap_or_default();
    let value = Value::Object(step.parameters.clone());
    for mut finding in schema.findings_around(&value, &holes, "parameters") {
        let key = finding.pointer.strip_prefix('/').unwrap_or_default().to_owned();
        let misspelt =
            step.inline.contains(&key).then(|| nearest(&key, place.keys().iter().copied())).flatten();
        if let (Some(near), true) = (misspelt, finding.message.ends_with("is not known here")) {
            finding.hint = Some(format!("did you mean \"{near}\"?"));
        }
        findings.push(moved(finding, step, place.base));
    }
}

impl Place<'_> {
    fn keys(&self) -> &'static [&'static str] {
        if self.undoes { COMPENSATE_KEYS } else { STEP_KEYS }
    }
}
