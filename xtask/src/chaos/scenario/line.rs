//! Steps one after another.

use serde_json::json;

use super::Fate;
use super::draft::{Draft, Drawing, set};
use crate::chaos::ledger::Plan;

/// Greetings of greetings, with effects between them.
pub fn chain(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    let (mut name, mut said) = ("${ input.key }".to_owned(), "KEY".to_owned());
    for number in 0..drawing.rng.usize(2..7) {
        let id = format!("s{number}");
        if drawing.rng.u32(..3) == 0 {
            let plan = drawing.plan();
            draft.push(drawing.effect(&id, plan));
            continue;
        }
        draft.push(drawing.hello(&id, &name));
        name = format!("${{ steps.{id}.output.text }}");
        said = format!("Hello, {said}!");
    }
    draft.output = Some((json!(name), json!(said)));
    draft
}

/// One step that runs and one that does not, and one that comes after both.
pub fn when(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    let (mut runs, step) = drawing.effect("runs", Plan::Done);
    set(&mut runs, "when", "size(input.key) > 0");
    draft.push((runs, step));
    let (mut skipped, mut step) = drawing.effect("skipped", Plan::Done);
    set(&mut skipped, "when", "size(input.key) > 1000");
    step.fate = Fate::Skipped;
    draft.push((skipped, step));
    let plan = drawing.plan();
    draft.push(drawing.effect("after", plan));
    draft
}

/// A step that fails and is let go.
pub fn go_on(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    let (mut fails, mut step) = drawing.effect("fails", Plan::Gone);
    set(&mut fails, "on_error", "continue");
    step.fate = Fate::Fails;
    draft.push((fails, step));
    let plan = drawing.plan();
    draft.push(drawing.effect("after", plan));
    draft
}

/// Few beside each other: the others wait in the queue for their turn.
pub fn queue(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("first", Plan::Done));
    let plan = drawing.plan();
    draft.push(drawing.effect("second", plan));
    draft.limit = Some(drawing.rng.usize(1..3));
    draft
}
