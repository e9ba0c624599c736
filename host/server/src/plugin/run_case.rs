//! Runs one case, and holds what came of it against what is expected.

use quantum_core::port::{AttemptOutcome, Bill, LogLine};
use quantum_core::recording::Recording;
use serde_json::{Value, json};

use super::allow::Remedy;
use super::call::{Call, Called, Stage};
use super::case::{Case, Expected};
use super::compare::{difference, difference_in_named};
use super::error::{Error, place};
use super::left::Left;
use super::packed::Packed;
use super::report::failure_document;
use super::run::{Ended, ended};
use super::service::Service;

/// Of a result where none was expected.
const RESULT_BYTES_SHOWN: usize = 200;

/// How a case went.
pub(super) struct Outcome {
    pub action: String,
    /// Empty: as expected.
    pub complaints: Vec<String>,
    /// What would allow what it was denied; empty when it went as expected.
    pub remedies: Vec<Remedy>,
    pub bill: Bill,
    pub logs: Vec<LogLine>,
}

impl Outcome {
    /// It was not run.
    pub fn broken(error: &Error) -> Self {
        Self {
            action: String::new(),
            complaints: vec![format!("failed to {error}")],
            remedies: Vec::new(),
            bill: Bill::default(),
            logs: Vec::new(),
        }
    }
}

pub(super) async fn run(packed: &Packed, case: &Case) -> Result<Outcome, Error> {
    let refused = |reason: String| Error::Case { path: case.dir.clone(), reason };
    case.check_names()?;
    if let Some(recording) = case.recording()? {
        return again(packed, case, recording).await;
    }
    let stage = Stage::set(case).await?;
    let call = Call { input: case.input(&stage.server)?, stage };
    let server = &call.stage.server;
    let (expected, left) = (case.expected(server)?, Left::read(case, server)?);
    let misfits = call.misfits(packed).map_err(refused)?;
    let called = call.make(packed).await.map_err(refused)?;
    let mut complaints = compare(&expected, &called);
    complaints.extend(left.complaints(&packed.bench.memory, &called.tenant));
    complaints.extend(call.stage.service.iter().flat_map(Service::complaints));
    if matches!(expected, Expected::Output(_)) {
        complaints.extend(misfits.iter().map(|f| format!("{}: {}", place(f), f.message)));
    }
    let remedies = if complaints.is_empty() { Vec::new() } else { called.remedies };
    Ok(Outcome {
        action: call.input.action,
        complaints,
        remedies,
        bill: called.report.bill,
        logs: called.logs,
    })
}

/// A case that was recorded.
async fn again(packed: &Packed, case: &Case, recording: Recording) -> Result<Outcome, Error> {
    let refused = |reason: String| Error::Case { path: case.dir.clone(), reason };
    let (call, expected) = (Call::again(&recording), case.expected("")?);
    let (complaints, bill, logs) = match call.replay(packed, recording).await.map_err(refused)? {
        Ok(called) => (compare(&expected, &called), called.report.bill, called.logs),
        Err(difference) => (vec![format!("recording.json: {difference}")], Bill::default(), Vec::new()),
    };
    Ok(Outcome { action: call.input.action, complaints, remedies: Vec::new(), bill, logs })
}

fn compare(expected: &Expected, called: &Called) -> Vec<String> {
    match (expected, &called.report.outcome) {
        (Expected::Output(expected), AttemptOutcome::Completed(value)) => {
            let misfits = called.result_misfits.iter();
            let misfits = misfits
                .map(|f| format!("the result does not fit its own schema: {}: {}", place(f), f.message));
            difference(expected, value).into_iter().chain(misfits).collect()
        }
        (Expected::Error(expected), AttemptOutcome::Completed(value)) => match ended(called) {
            Ended::Failed { problem, .. } => {
                difference_in_named(expected, &json!(problem)).into_iter().collect()
            }
            _ => vec![format!("expected a failure, got the result {}", shortened(value))],
        },
        (Expected::Error(expected), outcome) => {
            let found = difference_in_named(expected, &failure_document(outcome));
            found.into_iter().map(|found| found + &told(outcome)).collect()
        }
        (Expected::Output(_), AttemptOutcome::Failed(failure)) => {
            vec![format!("expected a result, got {}: {}", failure.problem.code, failure.problem.message)]
        }
        (Expected::Output(_), AttemptOutcome::Cancelled) => {
            vec!["expected a result, got: cancelled".to_owned()]
        }
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    let shown = text.floor_char_boundary(RESULT_BYTES_SHOWN);
    if shown == text.len() { text } else { format!("{} …", &text[..shown]) }
}

/// What the failure says of itself: one that was not expected is told with its place.
fn told(outcome: &AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Failed(failure) => format!("; it says: {}", failure.problem.message),
        AttemptOutcome::Completed(_) | AttemptOutcome::Cancelled => String::new(),
    }
}
