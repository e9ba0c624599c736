//! What was done is undone when the execution ends badly, in reverse order.

use serde_json::Value;

use super::draft::{Draft, Drawing, set};
use super::{Deed, End};
use crate::chaos::ledger::Plan;

/// What stands before a step's label in the label of its compensation.
pub const UNDO: &str = "undo.";

/// Effects with compensations, and a bad end: a step that fails, or somebody who cancels.
pub fn compensate(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    for number in 0..drawing.rng.usize(1..5) {
        let id = format!("s{number}");
        let plan = drawing.plan();
        let (mut written, mut step) = drawing.effect(&id, plan);
        if number == 0 || drawing.rng.u32(..4) != 0 {
            let plan = drawing.plan();
            let undo = drawing.call(plan, &format!("{UNDO}{id}"));
            set(&mut written, "compensate", Value::Object(undo));
            step.undo = true;
        }
        draft.push((written, step));
    }
    draft.push(drawing.effect("gone", Plan::Gone));
    draft.end = End::Fails { step: "gone".to_owned(), codes: vec!["http-404"] };
    if drawing.rng.bool() {
        draft.deeds.push(Deed::Cancel { after_ms: drawing.rng.u64(..600) });
    }
    draft
}

/// Elements of a fan-out, each undone by itself.
pub fn elements(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = super::graph::fan(drawing, Some(&format!("{UNDO}fan.${{ item }}")));
    draft.push(drawing.effect("gone", Plan::Gone));
    draft.end = End::Fails { step: "gone".to_owned(), codes: vec!["http-404"] };
    if drawing.rng.bool() {
        draft.deeds.push(Deed::Cancel { after_ms: drawing.rng.u64(..600) });
    }
    draft
}
