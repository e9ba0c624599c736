//! Actions that the host runs itself, without people.

use serde_json::json;

use super::draft::{Draft, Drawing};
use super::{CHILD, Family, SCENARIOS_PER_FAMILY, Step};
use crate::chaos::ledger::Plan;

/// A wait between two effects, longer or shorter than a host lives.
pub fn wait(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    let duration = format!("{}ms", drawing.rng.u32(20..2_000));
    let written = json!({ "id": "wait", "action": "core/wait", "duration": duration });
    draft.push((written, Step::new("wait")));
    draft.push(drawing.effect("after", Plan::Done));
    draft
}

/// An execution of a chain, as a step.
pub fn child(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    let chain = format!("chaos-{}-n{}", Family::Chain.as_str(), drawing.rng.u32(..SCENARIOS_PER_FAMILY));
    let input = json!({ "key": format!("${{ input.key }}{CHILD}") });
    let written = json!({ "id": "child", "action": "core/execute-intent", "intent": chain, "input": input });
    draft.push((written, Step::new("child")));
    draft.push(drawing.effect("after", Plan::Done));
    draft
}
