//! Recordings of attempts, for the authors of plugins.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use quantum_core::id::{ExecutionId, StepId};
use quantum_core::port::RecordingSlotKey;
use quantum_core::vocabulary::Operation;

use super::executions::visible;
use crate::auth::Session;
use crate::codes;
use crate::extract::{Parameters, Segment};
use crate::problem::Problem;
use crate::state::Api;

const NOTHING_RECORDED: &str = "start it again with the label quantum/record=all, or record what fails from now on: \
quantum settings set recordings=failures";

/// The recording of an attempt, where one was made: what its component was told, without the values of secrets.
#[utoipa::path(
    get, path = "/executions/{id}/steps/{step}/recording", tag = "executions",
    params(
        ("id" = String, Path, description = "execution_id"),
        ("step" = String, Path, description = "id of the step", example = "push"),
        ("attempt" = Option<u32>, Query, description = "Number of the attempt; none: the one that was recorded last"),
        ("element" = Option<u32>, Query, description = "Of a step with for_each: the position in its list"),
        ("compensation" = Option<bool>, Query, description = "true: of the step's compensation")
    ),
    responses((status = 200, body = Object, description = "See schemas/recording.json"))
)]
pub(crate) async fn get_recording(
    State(api): State<Api>,
    session: Session,
    Segment((id, step)): Segment<(String, String)>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["attempt", "element", "compensation"], &[])?;
    let row = visible(&api, &session, &id, Operation::ExecutionRecording).await?;
    let attempt = parameters.read("attempt", "the number of an attempt", |text| text.parse().ok())?;
    let slot = RecordingSlotKey {
        step: StepId::new(step).map_err(|_| Problem::not_found())?,
        element: parameters.read("element", "a position in a list", |text| text.parse().ok())?,
        compensates: parameters.flag("compensation")?,
    };
    let recordings = api.services.effects.recordings(&session.scope);
    let Some(found) = recordings.find(row.id, &slot, attempt).await? else {
        return Err(absent(&api, &session, row.id, (&slot, attempt)).await?);
    };
    tracing::info!(
        tenant = %session.tenant(), by = %session.caller.id, execution = %row.id, step = %slot.step,
        "the recording of an attempt was read"
    );
    Ok(([(header::CONTENT_TYPE, "application/json")], found).into_response())
}

/// Who may read the recordings of an execution is told which ones there are.
async fn absent(
    api: &Api,
    session: &Session,
    execution: ExecutionId,
    (slot, attempt): (&RecordingSlotKey, Option<u32>),
) -> Result<Problem, Problem> {
    let problem = Problem::new(&codes::NOT_FOUND);
    let step = &slot.step;
    let view = api.services.engine.view(&session.scope, &execution).await?.ok_or_else(Problem::not_found)?;
    if !view.steps.iter().any(|known| known.id == *step) {
        let steps: Vec<&str> = view.steps.iter().map(|known| known.id.as_str()).collect();
        return Ok(problem.detail(format!(
            "the execution has no step {:?}; its steps: {}",
            step.as_str(),
            steps.join(", ")
        )));
    }
    let recorded = api.services.effects.recordings(&session.scope).of_step(execution, step).await?;
    if recorded.is_empty() {
        return Ok(problem
            .detail(format!("no attempt of the step {step} was recorded"))
            .hint(NOTHING_RECORDED));
    }
    let recorded: Vec<String> = recorded.iter().map(|(slot, attempt)| told(slot, Some(*attempt))).collect();
    let (asked, recorded) = (told(slot, attempt), recorded.join("; "));
    Ok(problem
        .detail(format!("of the step {step} there is no recording of {asked}; there is one of: {recorded}")))
}

/// As a query asks for it.
fn told(slot: &RecordingSlotKey, attempt: Option<u32>) -> String {
    let words = [
        attempt.map(|attempt| format!("attempt={attempt}")),
        slot.element.map(|element| format!("element={element}")),
        slot.compensates.then(|| "compensation=true".to_owned()),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    if words.is_empty() { "an attempt without element and compensation".to_owned() } else { words.join("&") }
}
