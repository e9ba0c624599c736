//! What steps read and wait for, and whether it can be there by then.

use super::super::definition::{Definition, Order};
use crate::json::pointer;
use crate::plan::graph::Graph;
use crate::problem::{Finding, nearest};

/// A step's id beside the place that names it.
pub(super) type Reading = (String, String);

pub(super) fn unknown_step(id: &str, place: &str, definition: &Definition) -> Finding {
    let ids: Vec<&str> = definition.steps.iter().map(|step| step.id.as_str()).collect();
    let finding = Finding::error(place, "step-unknown", format!("there is no step \"{id}\""));
    match nearest(id, ids.iter().copied()) {
        Some(near) => finding.hint(format!("did you mean \"{near}\"?")),
        None if ids.is_empty() => finding.hint("this intent has no steps"),
        None => finding.hint(format!("steps of this intent: {}", ids.join(", "))),
    }
}

pub(super) fn check_graph(definition: &Definition, reads: &[Vec<Reading>], findings: &mut Vec<Finding>) {
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
