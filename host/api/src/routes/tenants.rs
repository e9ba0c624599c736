//! Tenants: for administrators of the host.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use quantum_catalog::Tenant;
use quantum_core::id::TenantId;
use quantum_core::problem::Finding;

use crate::codes;
use crate::extract::{Payload, Platform, typed};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{TenantBody, TenantList, TenantRequest};

/// Characters of a tenant's name.
const NAME_CHARS_MAX: usize = 200;

/// All tenants of this host, by id.
#[utoipa::path(
    get, path = "/tenants", tag = "tenants",
    responses((status = 200, body = TenantList, description = "All of them: a host has few"))
)]
pub(crate) async fn list_tenants(State(api): State<Api>, _platform: Platform) -> Result<Response, Problem> {
    let tenants = api.services.catalog.tenants().list().await?;
    let items = tenants.into_iter().map(Into::into).collect();
    Ok(axum::Json(TenantList { items, next_page_token: None }).into_response())
}

/// Creates a tenant.
#[utoipa::path(
    post, path = "/tenants", tag = "tenants", request_body = TenantRequest,
    responses((status = 201, body = TenantBody, description = "Created"))
)]
pub(crate) async fn create_tenant(
    State(api): State<Api>,
    platform: Platform,
    payload: Payload,
) -> Result<Response, Problem> {
    let body = payload.json(&api.limits, api.limits.body_bytes_max).await?;
    let request: TenantRequest = typed(body.value)?;
    let id = TenantId::new(&request.id).map_err(|error| invalid("/id", error.to_string()))?;
    let name = request.name.unwrap_or_else(|| id.to_string());
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(invalid("/name", format!("a name has at most {NAME_CHARS_MAX} characters")));
    }
    let tenant = Tenant { id, name, created_at: platform.context.now };
    api.services.catalog.tenants().create(tenant.clone()).await?;
    tracing::info!(tenant = %tenant.id, by = %platform.caller.id, "a tenant was created");
    let location = [(header::LOCATION, format!("{BASE}/tenants/{}", tenant.id))];
    Ok((StatusCode::CREATED, location, axum::Json(TenantBody::from(tenant))).into_response())
}

/// A field of a small body that has the right type and the wrong value.
pub(super) fn invalid(pointer: &str, message: String) -> Problem {
    let finding = Finding::error(pointer, codes::INVALID_BODY.code, message.clone());
    Problem::new(&codes::INVALID_BODY).detail(message).finding(finding)
}
