//! The status of an intent. `If-Match` may be left out: a switch overwrites nobody's text.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use quantum_core::vocabulary::{IntentStatus, Operation};

use super::intents::{act, answer, visible};
use crate::auth::Session;
use crate::etag;
use crate::extract::Segment;
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::IntentBody;

/// Pauses an intent: it takes no new executions.
#[utoipa::path(
    post, path = "/intents/{id}/pause", tag = "intents",
    params(
        ("id" = String, Path, description = "name or uid", example = "deploy-web-app"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on")
    ),
    responses((status = 200, body = IntentBody, description = "The paused intent"))
)]
pub(crate) async fn pause_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    switch(&api, &session, &id, &headers, IntentStatus::Paused).await
}

/// Resumes a paused intent.
#[utoipa::path(
    post, path = "/intents/{id}/resume", tag = "intents",
    params(
        ("id" = String, Path, description = "name or uid", example = "deploy-web-app"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on")
    ),
    responses((status = 200, body = IntentBody, description = "The active intent"))
)]
pub(crate) async fn resume_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    switch(&api, &session, &id, &headers, IntentStatus::Active).await
}

/// Archives an intent: read-only from now on. Its name is not free again.
#[utoipa::path(
    post, path = "/intents/{id}/archive", tag = "intents",
    params(
        ("id" = String, Path, description = "name or uid", example = "deploy-web-app"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on")
    ),
    responses((status = 200, body = IntentBody, description = "The archived intent"))
)]
pub(crate) async fn archive_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    switch(&api, &session, &id, &headers, IntentStatus::Archived).await
}

async fn switch(
    api: &Api,
    session: &Session,
    id: &str,
    headers: &HeaderMap,
    to: IntentStatus,
) -> Result<Response, Problem> {
    let operation = match to {
        IntentStatus::Active | IntentStatus::Paused => Operation::IntentPause,
        IntentStatus::Archived => Operation::IntentArchive,
    };
    let (reference, _) = visible(api, session, id, operation).await?;
    let act = act(session, etag::optional(headers)?);
    let intents = api.services.catalog.intents(&session.scope);
    let intent = match to {
        IntentStatus::Active => intents.resume(&reference, act).await?,
        IntentStatus::Paused => intents.pause(&reference, act).await?,
        IntentStatus::Archived => intents.archive(&reference, act).await?,
    };
    Ok(answer(200, intent, &[]).into_response())
}
