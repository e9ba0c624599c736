//! Blueprints: find, read, change, remove. They are the tenant's, so the tenant is what is authorized.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use quantum_catalog::{BlueprintAct, BlueprintOutcome, Condition, StoredBlueprint};
use quantum_core::id::IntentName;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Operation;

use crate::auth::Session;
use crate::authorize::Subject;
use crate::etag;
use crate::extract::{Parameters, Payload, Segment};
use crate::page::{List, link};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{BlueprintBody, BlueprintDocumentBody, BlueprintPage, BlueprintSummaryBody, findings};

/// Blueprints of the tenant, without their documents.
#[utoipa::path(
    get, path = "/blueprints", tag = "blueprints",
    params(
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = BlueprintPage, description = "By name"))
)]
pub(crate) async fn list_blueprints(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["limit", "page_token"], &[])?;
    api.authorize(&session, Operation::BlueprintView, Subject::Tenant)?;
    let paging = api.pages.read(&session, "blueprints", &parameters)?;
    let page = api.services.catalog.blueprints(&session.scope).list(paging.request()).await?;
    let next_page_token = page.next.map(|place| api.pages.seal(&paging, &place));
    let items: Vec<BlueprintSummaryBody> = page.items.iter().map(Into::into).collect();
    let headers = link(&format!("{BASE}/blueprints"), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(List { items, next_page_token })).into_response())
}

/// A blueprint with its document.
#[utoipa::path(
    get, path = "/blueprints/{id}", tag = "blueprints",
    params(
        ("id" = String, Path, description = "Its name", example = "deploy-application"),
        ("revision" = Option<u64>, Query, description = "An earlier one; the newest when not given")
    ),
    responses((status = 200, body = BlueprintBody, description = "With its ETag"))
)]
pub(crate) async fn get_blueprint(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["revision"], &[])?;
    api.authorize(&session, Operation::BlueprintView, Subject::Tenant)?;
    let revision = parameters.number("revision", 1, u64::from(u32::MAX))?;
    let (name, blueprints) = (name(&id)?, api.services.catalog.blueprints(&session.scope));
    let blueprint = match revision {
        Some(revision) => blueprints.revision(&name, revision).await?,
        None => blueprints.get(&name).await?,
    };
    Ok(answer(StatusCode::OK, blueprint, &[]))
}

/// Stores a blueprint, or its next revision. Executions that have begun keep the steps that they began with.
#[utoipa::path(
    put, path = "/blueprints/{id}", tag = "blueprints", request_body = BlueprintDocumentBody,
    params(
        ("id" = String, Path, description = "Name of the intents that it gives steps to", example = "deploy-application"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on, or *; needed once there is one")
    ),
    responses(
        (status = 201, body = BlueprintBody, description = "There was none of this name"),
        (status = 200, body = BlueprintBody, description = "The revision that the document stands in now")
    )
)]
pub(crate) async fn put_blueprint(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::BlueprintWrite, Subject::Tenant)?;
    let (name, condition) = (name(&id)?, condition(&headers)?);
    let body = payload.json(&api.limits, api.limits.document_bytes_max).await?;
    let blueprints = api.services.catalog.blueprints(&session.scope);
    let written = blueprints.put(&name, &body.value, act(&session, condition)).await?;
    let status = match written.outcome {
        BlueprintOutcome::Created => StatusCode::CREATED,
        BlueprintOutcome::Changed | BlueprintOutcome::Unchanged => StatusCode::OK,
    };
    Ok(answer(status, written.blueprint, &written.findings))
}

/// Removes a blueprint: intents of its name that have no steps do not run any more. What has begun goes on.
#[utoipa::path(
    delete, path = "/blueprints/{id}", tag = "blueprints",
    params(
        ("id" = String, Path, description = "Its name", example = "deploy-application"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 204, description = "It gives no steps from now on"))
)]
pub(crate) async fn delete_blueprint(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::BlueprintWrite, Subject::Tenant)?;
    let (name, blueprints) = (name(&id)?, api.services.catalog.blueprints(&session.scope));
    blueprints.get(&name).await?;
    etag::required(&headers)?;
    blueprints.remove(&name, act(&session, condition(&headers)?)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What cannot be a name names nothing.
fn name(id: &str) -> Result<IntentName, Problem> {
    IntentName::new(id).map_err(|_| Problem::not_found())
}

fn condition(headers: &HeaderMap) -> Result<Condition, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(Condition::Unsaid);
    }
    Ok(etag::optional(headers)?.map_or(Condition::Any, Condition::Revision))
}

fn act(session: &Session, condition: Condition) -> BlueprintAct {
    BlueprintAct { by: session.caller.id.clone(), at: session.now(), condition }
}

fn answer(status: StatusCode, blueprint: StoredBlueprint, found: &[Finding]) -> Response {
    let etag = etag::of(blueprint.summary.revision);
    let body = BlueprintBody { findings: findings(found), ..blueprint.into() };
    (status, [(header::ETAG, etag)], axum::Json(body)).into_response()
}
