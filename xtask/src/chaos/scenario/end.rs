//! Executions that end badly, or may.

use serde_json::json;

use super::draft::{Draft, Drawing, retry, set};
use super::{End, Step};
use crate::chaos::ledger::{ALWAYS, Plan};

/// Few attempts, some of which kills use up: both ends are right, too many attempts are not.
pub fn strict(drawing: &mut Drawing<'_>) -> Draft {
    let attempts_max = drawing.rng.u32(1..5);
    let plan = Plan::busy(drawing.rng.u32(..4));
    let (mut written, step) = drawing.effect("strict", plan);
    set(&mut written, "retry", retry(attempts_max));
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    draft.push((written, Step { attempts_max, ..step }));
    draft.push(drawing.effect("after", Plan::Done));
    draft.end = End::Either;
    draft
}

/// Never answered well: it fails with its last attempt, and not before.
pub fn exhausted(drawing: &mut Drawing<'_>) -> Draft {
    let attempts_max = drawing.rng.u32(1..4);
    let (mut written, step) = drawing.effect("busy", Plan::busy(ALWAYS));
    set(&mut written, "retry", retry(attempts_max));
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    draft.push((written, Step { attempts_max, ..step }));
    draft.push(drawing.effect("never", Plan::Done));
    draft.end = fails("busy", &["http-503", "attempt-lost"]);
    draft
}

/// 404 beside steps that work.
pub fn broken(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::graph();
    draft.push(drawing.effect("beside", Plan::Slow { times: 1, late_ms: 100 }));
    draft.push(drawing.effect("gone", Plan::Gone));
    let (mut written, mut step) = drawing.effect("never", Plan::Done);
    step.needs = vec!["gone".to_owned()];
    set(&mut written, "depends_on", step.needs.clone());
    draft.push((written, step));
    draft.end = fails("gone", &["http-404"]);
    draft
}

/// A code after which the policy wants no other attempt.
pub fn non_retryable(drawing: &mut Drawing<'_>) -> Draft {
    let (mut written, step) = drawing.effect("busy", Plan::busy(ALWAYS));
    set(&mut written, "retry", json!({ "max_attempts": step.attempts_max, "non_retryable": ["http-503"] }));
    let mut draft = Draft::sequential();
    draft.push((written, step));
    draft.push(drawing.hello("never", "${ input.key }"));
    draft.end = fails("busy", &["http-503"]);
    draft
}

/// The step's own timeout; its action is not idempotent, so there is no other attempt. The effect may have been made.
pub fn timeout(drawing: &mut Drawing<'_>) -> Draft {
    let late = Plan::Slow { times: ALWAYS, late_ms: 1_500 };
    let (mut written, step) = drawing.effect("late", late);
    set(&mut written, "timeout", "250ms");
    let mut draft = Draft::sequential();
    draft.push(drawing.hello("first", "${ input.key }"));
    draft.push((written, step));
    draft.push(drawing.effect("never", Plan::Done));
    draft.end = fails("late", &["timeout"]);
    draft
}

/// The time of the whole execution is over before its service is well; which attempt it falls into is nobody's to say.
pub fn deadline(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.effect("before", Plan::Done));
    draft.push(drawing.effect("busy", Plan::busy(ALWAYS)));
    draft.push(drawing.effect("never", Plan::Done));
    let timeout = format!("{}ms", drawing.rng.u32(500..2_500));
    draft.more.insert("timeout".to_owned(), timeout.into());
    draft.end = End::TimesOut { step: "busy".to_owned() };
    draft
}

fn fails(step: &str, codes: &[&'static str]) -> End {
    End::Fails { step: step.to_owned(), codes: codes.to_vec() }
}
