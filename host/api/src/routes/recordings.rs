//! Recordings of attempts, for the authors of plugins.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use quantum_core::id::StepId;
use quantum_core::port::RecordingSlotKey;
use quantum_core::vocabulary::Operation;

use super::executions::visible;
use crate::auth::Session;
use crate::extract::{Parameters, Segment};
use crate::problem::Problem;
use crate::state::Api;

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
    let found = recordings.find(row.id, &slot, attempt).await?.ok_or_else(Problem::not_found)?;
    tracing::info!(
        tenant = %session.tenant(), by = %session.caller.id, execution = %row.id, step = %slot.step,
        "the recording of an attempt was read"
    );
    Ok(([(header::CONTENT_TYPE, "application/json")], found).into_response())
}
