//! Versions of an intent: list, activate, go back, compare.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use quantum_core::intent::IntentRef;
use quantum_core::vocabulary::Operation;

use super::intents::{act, answer, authorize_environment, visible};
use crate::auth::Session;
use crate::etag;
use crate::extract::{Parameters, Payload, Segment, typed};
use crate::page::{List, link};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::step_gate::step_findings;
use crate::wire::{DiffBody, IntentBody, IntentPage, IntentSummaryBody, RollbackRequest};

/// The versions of an intent, newest first.
#[utoipa::path(
    get, path = "/intents/{id}/versions", tag = "intents",
    params(
        ("id" = String, Path, description = "name or uid", example = "deploy-web-app"),
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = IntentPage, description = "Without their definitions"))
)]
pub(crate) async fn list_intent_versions(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["limit", "page_token"], &[])?;
    let (reference, intent) = visible(&api, &session, &id, Operation::IntentView).await?;
    let paging = api.pages.read(&session, &format!("versions of {}", intent.summary.uid), &parameters)?;
    let page = api.services.catalog.intents(&session.scope).versions(&reference, paging.request()).await?;
    let items: Vec<IntentSummaryBody> = page.items.iter().map(Into::into).collect();
    let next_page_token = page.next.map(|place| api.pages.seal(&paging, &place));
    let path = format!("{BASE}/intents/{}/versions", intent.summary.name);
    let headers = link(&path, &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(List { items, next_page_token })).into_response())
}

/// Makes a version the active one.
#[utoipa::path(
    post, path = "/intents/{id}/versions/{number}/activate", tag = "intents",
    params(
        ("id" = String, Path, description = "name or uid", example = "deploy-web-app"),
        ("number" = u32, Path, description = "The version", example = 1),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 200, body = IntentBody, description = "The active version"))
)]
pub(crate) async fn activate_intent_version(
    State(api): State<Api>,
    session: Session,
    Segment((id, number)): Segment<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (reference, intent) = visible(&api, &session, &id, Operation::IntentActivate).await?;
    let number = number.parse().map_err(|_| Problem::not_found())?;
    let if_match = etag::required(&headers)?;
    let intents = api.services.catalog.intents(&session.scope);
    let version = intents.get(&IntentRef::Version(intent.summary.name.clone(), number)).await?;
    authorize_environment(&api, &session, version.summary.version.environment)?;
    let activated = intents.activate(&reference, number, act(&session, if_match)).await?;
    Ok(answer(200, activated, &[]).into_response())
}

/// Makes a new version with the document of an older one.
#[utoipa::path(
    post, path = "/intents/{id}/rollback", tag = "intents", request_body = RollbackRequest,
    params(
        ("id" = String, Path, description = "name or uid", example = "deploy-web-app"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 200, body = IntentBody, description = "The new version"))
)]
pub(crate) async fn rollback_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    let (reference, intent) = visible(&api, &session, &id, Operation::IntentUpdate).await?;
    let if_match = etag::required(&headers)?;
    let body = payload.json(&api.limits, api.limits.body_bytes_max).await?;
    let RollbackRequest { to } = typed(body.value)?;
    let intents = api.services.catalog.intents(&session.scope);
    let older = intents.get(&IntentRef::Version(intent.summary.name.clone(), to)).await?;
    authorize_environment(&api, &session, older.summary.version.environment)?;
    let written = intents.rollback(&reference, to, act(&session, if_match)).await?;
    let (intent, mut findings) = (written.intent, written.findings);
    findings.extend(step_findings(&api, &session, &intent.definition, intent.summary.version.environment));
    Ok(answer(200, intent, &findings).into_response())
}

/// Where two versions differ.
#[utoipa::path(
    get, path = "/intents/{id}/diff", tag = "intents",
    params(
        ("id" = String, Path, description = "name or uid", example = "deploy-web-app"),
        ("from" = Option<u32>, Query, description = "The earlier version; the one before `to` when not given"),
        ("to" = Option<u32>, Query, description = "The later version; the newest when not given")
    ),
    responses((status = 200, body = DiffBody, description = "In the order of the documents"))
)]
pub(crate) async fn diff_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["from", "to"], &[])?;
    let (reference, intent) = visible(&api, &session, &id, Operation::IntentView).await?;
    let latest = intent.summary.latest_version;
    let version = |name| Ok::<_, Problem>(parameters.number(name, 1, latest.into())?.map(narrow));
    let to = version("to")?.unwrap_or(latest);
    let from = version("from")?.unwrap_or_else(|| to.saturating_sub(1).max(1));
    let differences = api.services.catalog.intents(&session.scope).diff(&reference, from, to).await?;
    Ok(axum::Json(DiffBody { from, to, differences }).into_response())
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
