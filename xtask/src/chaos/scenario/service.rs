//! A service that misbehaves and is tried again.

use serde_json::json;

use super::Step;
use super::draft::{Draft, Drawing, PATIENT, set};
use crate::chaos::ledger::Plan;

/// Milliseconds that a request waits for its answer, where one comes too late.
const PATIENCE_MS: u32 = 150;

/// 503 a few times.
pub fn retry(drawing: &mut Drawing<'_>) -> Draft {
    let plan = Plan::busy(drawing.rng.u32(1..5));
    after_a_greeting(drawing, plan)
}

/// 503 with a second to wait: longer than most hosts live.
pub fn retry_after(drawing: &mut Drawing<'_>) -> Draft {
    let plan = Plan::Busy { times: drawing.rng.u32(1..3), after_s: 1 };
    after_a_greeting(drawing, plan)
}

fn after_a_greeting(drawing: &Drawing<'_>, plan: Plan) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.hello("first", "${ input.key }"));
    draft.push(drawing.effect("busy", plan));
    draft.push(drawing.hello("last", "${ steps.first.output.text }"));
    draft.output = Some((json!("${ steps.last.output.text }"), json!("Hello, Hello, KEY!!")));
    draft
}

/// Waits of the same length, without jitter, so that each can be held against the clock.
pub fn interval(drawing: &mut Drawing<'_>) -> Draft {
    let interval_ms = drawing.rng.u64(100..800);
    let plan = Plan::busy(drawing.rng.u32(1..4));
    let (mut written, step) = drawing.effect("busy", plan);
    let retry = json!({
        "max_attempts": PATIENT, "initial_interval": format!("{interval_ms}ms"), "multiplier": 1,
        "jitter": "none",
    });
    set(&mut written, "retry", retry);
    let mut draft = Draft::sequential();
    draft.push((written, Step { interval_ms: Some(interval_ms), ..step }));
    draft.push(drawing.effect("after", Plan::Done));
    draft
}

/// The effect is made and nobody hears of it: the next attempt makes it again, under the same key.
pub fn answer_lost(drawing: &mut Drawing<'_>) -> Draft {
    let times = drawing.rng.u32(1..3);
    let plan = match drawing.rng.u32(..3) {
        0 => Plan::Cut { times },
        1 => Plan::Shut { times },
        _ => Plan::Slow { times, late_ms: PATIENCE_MS * 3 },
    };
    let (mut written, step) = drawing.effect("unheard", plan);
    set(&mut written, "timeout_ms", PATIENCE_MS);
    let mut draft = Draft::sequential();
    draft.push((written, step));
    draft.push(drawing.effect("after", Plan::Done));
    draft
}
