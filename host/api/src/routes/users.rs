//! Members of the caller's tenant: people and service accounts.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use quantum_catalog::Membership;
use quantum_core::id::PrincipalId;
use quantum_core::port::PrincipalKind;
use quantum_core::vocabulary::{Operation, Role};

use super::tenants::invalid;
use crate::auth::Session;
use crate::authorize::Subject;
use crate::codes;
use crate::extract::{Payload, Segment, typed};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{MemberBody, MemberRequest, UserList};

/// Roles of one member: there are not more.
const ROLES_MAX: usize = 16;

/// The members of the tenant.
#[utoipa::path(
    get, path = "/users", tag = "users",
    responses((status = 200, body = UserList, description = "Inactive ones too, by id"))
)]
pub(crate) async fn list_users(State(api): State<Api>, session: Session) -> Result<Response, Problem> {
    api.authorize(&session, Operation::TenantView, Subject::Tenant)?;
    let members = api.services.catalog.tenants().members(session.tenant()).await?;
    let items = members.into_iter().map(Into::into).collect();
    Ok(axum::Json(UserList { items, next_page_token: None }).into_response())
}

/// One member of the tenant.
#[utoipa::path(
    get, path = "/users/{id}", tag = "users",
    params(("id" = String, Path, description = "What `sub` says in tokens", example = "alice")),
    responses((status = 200, body = MemberBody, description = "With its roles"))
)]
pub(crate) async fn get_user(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::TenantView, Subject::Tenant)?;
    let id = PrincipalId::new(&id).map_err(|_| Problem::not_found())?;
    let member = api.services.catalog.tenants().membership(session.tenant(), &id).await?;
    Ok(axum::Json(MemberBody::from(member.ok_or_else(Problem::not_found)?)).into_response())
}

/// Makes somebody a member of the tenant, or changes what the member may do. Holds from the next request on.
#[utoipa::path(
    put, path = "/users/{id}", tag = "users", request_body = MemberRequest,
    params(("id" = String, Path, description = "What `sub` says in tokens", example = "alice")),
    responses((status = 200, body = MemberBody, description = "The member"))
)]
pub(crate) async fn put_user(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::MemberManage, Subject::Tenant)?;
    let body = payload.json(&api.limits, api.limits.body_bytes_max).await?;
    let request: MemberRequest = typed(body.value)?;
    let principal = PrincipalId::new(&id).map_err(|error| invalid("", error.to_string()))?;
    let member = Membership {
        tenant: session.tenant().clone(),
        principal: principal.clone(),
        kind: read_kind(request.kind.as_deref())?,
        roles: read_roles(request.roles)?,
        active: request.active.unwrap_or(true),
    };
    api.services.catalog.tenants().upsert_member(member.clone(), session.now()).await?;
    tracing::info!(
        tenant = %member.tenant, principal = %principal, by = %session.caller.id, roles = ?member.roles,
        active = member.active, "a membership was changed"
    );
    Ok(axum::Json(MemberBody::from(member)).into_response())
}

fn read_kind(word: Option<&str>) -> Result<PrincipalKind, Problem> {
    match word {
        None | Some("user") => Ok(PrincipalKind::User),
        Some("service_account") => Ok(PrincipalKind::ServiceAccount),
        Some(_) => Err(invalid("/kind", "kind is user or service_account".to_owned())),
    }
}

/// Unknown ones are refused by the catalog, with the near name.
fn read_roles(roles: Vec<String>) -> Result<Vec<String>, Problem> {
    if roles.len() > ROLES_MAX {
        return Err(invalid("/roles", format!("a member has at most {ROLES_MAX} roles")));
    }
    if roles.iter().any(|role| Role::parse(role) == Some(Role::PlatformAdmin)) {
        return Err(
            Problem::new(&codes::ROLE_NOT_ASSIGNABLE).detail("\"platformAdmin\" cannot be given in a tenant")
        );
    }
    Ok(roles)
}
