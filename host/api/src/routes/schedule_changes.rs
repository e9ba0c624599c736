//! Changes of a schedule. Whoever replaces one has it run in the own name from then on.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use quantum_catalog::{IntentSummary, StoredSchedule};
use quantum_core::vocabulary::{IntentStatus, Operation};

use super::schedules::{act, answer, authorize_new, changed, found, read, refused};
use crate::auth::Session;
use crate::authorize::Subject;
use crate::etag;
use crate::extract::{Payload, Segment};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{ScheduleBody, ScheduleRequest};

/// Replaces a schedule. What was due before is not looked at any more, and what waits is dropped; what runs goes on.
#[utoipa::path(
    put, path = "/schedules/{id}", tag = "schedules", request_body = ScheduleRequest,
    params(
        ("id" = String, Path, description = "The schedule's name", example = "nightly-backup"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 200, body = ScheduleBody, description = "With its new ETag"))
)]
pub(crate) async fn replace_schedule(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    let (_, intent) = found(&api, &session, &name).await?;
    authorize_stop(&api, &session, intent)?;
    let act = act(&session, etag::required(&headers)?);
    let request = read(&api, payload).await?;
    if request.name.as_ref().is_some_and(|named| *named != name) {
        return Err(refused("/name", "a schedule keeps its name: leave it out, or make another schedule"));
    }
    if request.paused.is_some() {
        return Err(refused("/paused", "pause and resume have routes of their own: leave it out"));
    }
    let document = request.document()?;
    authorize_new(&api, &session, &document).await?;
    let schedules = api.services.catalog.schedules(&session.scope);
    let schedule = schedules.replace(&name, &document, act).await?;
    changed(&api, &session, &schedule, "was replaced");
    Ok(answer(schedule).into_response())
}

/// Removes a schedule. Its executions stay, and its name is free again.
#[utoipa::path(
    delete, path = "/schedules/{id}", tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule's name", example = "nightly-backup"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 204, description = "Nothing is due any more"))
)]
pub(crate) async fn delete_schedule(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (schedule, intent) = found(&api, &session, &name).await?;
    authorize_stop(&api, &session, intent)?;
    api.services.catalog.schedules(&session.scope).remove(&name, etag::required(&headers)?).await?;
    changed(&api, &session, &schedule, "was removed");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Pauses a schedule: nothing is due until it is resumed. What runs goes on, what waits is dropped.
#[utoipa::path(
    post, path = "/schedules/{id}/pause", tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule's name", example = "nightly-backup"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on")
    ),
    responses((status = 200, body = ScheduleBody, description = "The paused schedule"))
)]
pub(crate) async fn pause_schedule(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, intent) = found(&api, &session, &name).await?;
    authorize_stop(&api, &session, intent)?;
    let act = act(&session, etag::optional(&headers)?);
    let schedule = api.services.catalog.schedules(&session.scope).pause(&name, act).await?;
    changed(&api, &session, &schedule, "was paused");
    Ok(answer(schedule).into_response())
}

/// Resumes a paused schedule. What was due meanwhile is not made up.
#[utoipa::path(
    post, path = "/schedules/{id}/resume", tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule's name", example = "nightly-backup"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on")
    ),
    responses((status = 200, body = ScheduleBody, description = "The schedule, with when it is due next"))
)]
pub(crate) async fn resume_schedule(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, intent) = found(&api, &session, &name).await?;
    api.authorize(&session, Operation::IntentSchedule, Subject::Intent(&intent))?;
    let act = act(&session, etag::optional(&headers)?);
    let schedule: StoredSchedule = api.services.catalog.schedules(&session.scope).resume(&name, act).await?;
    changed(&api, &session, &schedule, "was resumed");
    Ok(answer(schedule).into_response())
}

/// May the caller take away what is there? An archived intent is read-only, and must not keep its schedules for that:
/// this is decided as if it were not archived.
fn authorize_stop(api: &Api, session: &Session, intent: IntentSummary) -> Result<(), Problem> {
    let intent = IntentSummary { status: IntentStatus::Active, ..intent };
    api.authorize(session, Operation::IntentSchedule, Subject::Intent(&intent))
}
