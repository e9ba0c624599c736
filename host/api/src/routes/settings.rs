//! What an administrator sets for the tenant.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use quantum_catalog::SettingsInForce;
use quantum_core::vocabulary::Operation;

use super::intents::act;
use crate::auth::Session;
use crate::authorize::Subject;
use crate::etag;
use crate::extract::Payload;
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::SettingsBody;

/// The tenant's settings, with the defaults of what is not set.
#[utoipa::path(
    get, path = "/settings", tag = "tenants",
    responses((status = 200, body = SettingsBody, description = "What holds now, with its ETag"))
)]
pub(crate) async fn get_settings(State(api): State<Api>, session: Session) -> Result<Response, Problem> {
    api.authorize(&session, Operation::TenantView, Subject::Tenant)?;
    Ok(answer(&api.services.catalog.settings(&session.scope).in_force()))
}

/// Replaces the tenant's settings. What is left out has its default.
#[utoipa::path(
    put, path = "/settings", tag = "tenants",
    request_body(content = Object, description = "See schemas/tenant-settings.json",
                 example = json!({ "targets": { "prod-eu": "production" }, "retention": { "executions_days": 90 } })),
    params(("If-Match" = String, Header, description = "The ETag that the change is based on, or *")),
    responses((status = 200, body = SettingsBody, description = "Holds from the next request on"))
)]
pub(crate) async fn replace_settings(
    State(api): State<Api>,
    session: Session,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::TenantConfigure, Subject::Tenant)?;
    let act = act(&session, etag::required(&headers)?);
    let body = payload.json(&api.limits, api.limits.body_bytes_max).await?;
    let changed = api.services.catalog.settings(&session.scope).replace(&body.value, act).await?;
    tell(&api, &session, &changed);
    Ok(answer(&changed))
}

/// Changes the tenant's settings by a merge patch (RFC 7396). null gives a key its default.
#[utoipa::path(
    patch, path = "/settings", tag = "tenants",
    request_body(content = Object, description = "Merge patch of the settings",
                 example = json!({ "limits": { "executions_running_max": 50, "weight": null } })),
    params(("If-Match" = String, Header, description = "The ETag that the change is based on, or *")),
    responses((status = 200, body = SettingsBody, description = "Holds from the next request on"))
)]
pub(crate) async fn update_settings(
    State(api): State<Api>,
    session: Session,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::TenantConfigure, Subject::Tenant)?;
    let act = act(&session, etag::required(&headers)?);
    let body = payload.json(&api.limits, api.limits.body_bytes_max).await?;
    let changed = api.services.catalog.settings(&session.scope).merge_patch(&body.value, act).await?;
    tell(&api, &session, &changed);
    Ok(answer(&changed))
}

/// Whoever waits for a limit that was raised goes on.
fn tell(api: &Api, session: &Session, changed: &SettingsInForce) {
    api.services.engine.limits_changed(&session.scope);
    tracing::info!(
        tenant = %session.tenant(), by = %session.caller.id, revision = changed.revision,
        "the settings of a tenant were changed"
    );
}

fn answer(found: &SettingsInForce) -> Response {
    let body = SettingsBody::from(found.settings.as_ref());
    ([(header::ETAG, etag::of(found.revision))], axum::Json(body)).into_response()
}
