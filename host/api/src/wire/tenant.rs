//! Tenants and their members.

use quantum_catalog::{Membership, Tenant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "id": "tenant-123", "name": "Web shop" }))]
pub(crate) struct TenantRequest {
    /// 1 to 63 characters of a-z, 0-9 and -, starting with a letter.
    pub id: String,
    /// For people. Nothing given: the id.
    pub name: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantBody {
    pub id: String,
    pub name: String,
    #[schema(format = DateTime)]
    pub created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantList {
    pub items: Vec<TenantBody>,
    pub next_page_token: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "roles": ["author", "operator"] }))]
pub(crate) struct MemberRequest {
    /// viewer, author, operator, publisher, admin, sre.
    pub roles: Vec<String>,
    /// user (nothing given) or service_account.
    pub kind: Option<String>,
    /// False takes all access away, at once. Nothing given: true.
    pub active: Option<bool>,
}

/// What a person or a service account is in the caller's tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberBody {
    pub id: String,
    pub tenant_id: String,
    /// user or service_account.
    #[schema(value_type = String)]
    pub kind: quantum_core::port::PrincipalKind,
    pub roles: Vec<String>,
    pub active: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserList {
    pub items: Vec<MemberBody>,
    pub next_page_token: Option<String>,
}

impl From<Tenant> for TenantBody {
    fn from(tenant: Tenant) -> Self {
        Self { id: tenant.id.to_string(), name: tenant.name, created_at: tenant.created_at.to_string() }
    }
}

impl From<Membership> for MemberBody {
    fn from(membership: Membership) -> Self {
        Self {
            id: membership.principal.to_string(),
            tenant_id: membership.tenant.to_string(),
            kind: membership.kind,
            roles: membership.roles,
            active: membership.active,
        }
    }
}
