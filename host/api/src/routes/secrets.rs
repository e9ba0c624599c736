//! Secrets: written, listed without their values, removed. A value comes in and never goes out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use quantum_catalog::{NewSecret, SecretValue};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, Operation};

use crate::auth::Session;
use crate::authorize::Subject;
use crate::extract::{Parameters, Payload, Segment, typed};
use crate::page::link;
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{SecretBody, SecretPage, SecretRequest};

/// Bytes of the request: a value of 64 KiB, in JSON.
const BODY_BYTES_MAX: usize = 512 * 1024;

/// Names, and where each may be used; never a value.
#[utoipa::path(
    get, path = "/secrets", tag = "secrets",
    params(
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = SecretPage, description = "By name, then environment"))
)]
pub(crate) async fn list_secrets(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["limit", "page_token"], &[])?;
    api.authorize(&session, Operation::SecretList, Subject::Tenant)?;
    let paging = api.pages.read(&session, "secrets", &parameters)?;
    let page = api.services.effects.secrets(&session.scope).list(paging.request()).await?;
    let next_page_token = page.next.map(|place| api.pages.seal(&paging, &place));
    let items = page.items.into_iter().map(Into::into).collect();
    let headers = link(&format!("{BASE}/secrets"), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(SecretPage { items, next_page_token })).into_response())
}

/// Stores a value, or the next one, for one or more environments.
#[utoipa::path(
    put, path = "/secrets/{id}", tag = "secrets",
    params(("id" = String, Path, description = "Upper-case letters, digits and _", example = "REGISTRY_PASSWORD")),
    request_body = SecretRequest,
    responses((status = 200, body = SecretPage, description = "What was stored, without the value"))
)]
pub(crate) async fn put_secret(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::SecretList, Subject::Tenant)?;
    let request: SecretRequest = typed(payload.json(&api.limits, BODY_BYTES_MAX).await?.value)?;
    let (environments, reach) = (request.environments()?, request.reach()?);
    let expires_at = request.expires_at()?;
    for environment in &environments {
        authorize(&api, &session, Operation::SecretWrite, &name, (*environment, expires_at))?;
    }
    let value = SecretValue::new(request.value);
    let secrets = api.services.effects.secrets(&session.scope);
    let mut items: Vec<SecretBody> = Vec::new();
    for environment in environments {
        let (value, reach) = (value.clone(), reach.clone());
        let secret = NewSecret { name: name.clone(), environment, value, reach, expires_at };
        items.push(secrets.set(secret, &session.caller.id, session.now()).await?.into());
        tracing::info!(tenant = %session.tenant(), by = %session.caller.id, name, %environment, "a secret was set");
    }
    Ok(axum::Json(SecretPage { items, next_page_token: None }).into_response())
}

/// Removes a secret, of one environment or of all.
#[utoipa::path(
    delete, path = "/secrets/{id}", tag = "secrets",
    params(
        ("id" = String, Path, description = "The secret's name", example = "REGISTRY_PASSWORD"),
        ("environment" = Option<String>, Query, description = "Nothing given: every environment")
    ),
    responses((status = 204, description = "No step is given it from now on"))
)]
pub(crate) async fn delete_secret(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["environment"], &[])?;
    api.authorize(&session, Operation::SecretList, Subject::Tenant)?;
    let named =
        parameters.read("environment", "development, test, staging or production", Environment::parse)?;
    let environments = named.map_or_else(|| Environment::ALL.to_vec(), |environment| vec![environment]);
    for environment in &environments {
        authorize(&api, &session, Operation::SecretDelete, &name, (*environment, None))?;
    }
    let secrets = api.services.effects.secrets(&session.scope);
    let mut removed = false;
    for environment in environments {
        match secrets.remove(&name, environment).await {
            Ok(()) => removed = true,
            Err(quantum_catalog::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !removed {
        return Err(Problem::not_found());
    }
    tracing::info!(tenant = %session.tenant(), by = %session.caller.id, name, "a secret was removed");
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn authorize(
    api: &Api,
    session: &Session,
    operation: Operation,
    name: &str,
    (environment, expires_at): (Environment, Option<Timestamp>),
) -> Result<(), Problem> {
    api.authorize(session, operation, Subject::Secret { name, environment, expires_at })
}
