//! Executions to which people do something: cancel, signal, approve, pause, restart.

use serde_json::json;

use super::draft::{Draft, Drawing, retry, set};
use super::{Deed, Step};
use crate::chaos::ledger::Plan;

/// A cancellation at any moment, the end included.
pub fn cancel(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = super::graph::graph(drawing);
    let (written, step) = drawing.effect("late", Plan::Slow { times: 1, late_ms: 200 });
    draft.push((written, step));
    // What the graph gives is not looked at: the cancelled executions have none.
    draft.output = None;
    draft.deeds.push(Deed::Cancel { after_ms: drawing.rng.u64(..400) });
    draft
}

/// A signal between two effects, with a payload that the second step could read.
pub fn signal(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    let schema = json!({ "type": "object", "required": ["answer"] });
    let written = json!({ "id": "signal", "action": "core/signal", "name": "go", "schema": schema });
    draft.push((written, Step::new("signal")));
    draft.push(drawing.effect("after", Plan::Done));
    let payload = json!({ "answer": drawing.rng.u32(..1_000) });
    draft.deeds.push(Deed::Signal { step: "signal".to_owned(), name: "go".to_owned(), payload });
    draft
}

/// An approval by somebody else.
pub fn approve(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    let written = json!({ "id": "approve", "action": "core/approve", "message": "for ${ input.key }" });
    draft.push((written, Step::new("approve")));
    let plan = drawing.plan();
    draft.push(drawing.effect("after", plan));
    draft.deeds.push(Deed::Approve { step: "approve".to_owned() });
    draft
}

/// A chain that is held for a while.
pub fn pause(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = super::line::chain(drawing);
    let (after_ms, for_ms) = (drawing.rng.u64(..200), drawing.rng.u64(50..600));
    draft.deeds.push(Deed::Pause { after_ms, for_ms });
    draft
}

/// A step that gives up, waits for an operator, and gets through after the restart.
pub fn park(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    let attempts_max = drawing.rng.u32(1..3);
    let (mut written, step) = drawing.effect("busy", Plan::busy(3));
    set(&mut written, "retry", retry(attempts_max));
    set(&mut written, "on_exhausted", "park");
    draft.push((written, Step { attempts_max, ..step }));
    draft.push(drawing.effect("after", Plan::Done));
    draft.deeds.push(Deed::Restart);
    draft
}
