//! People and service accounts, and what they are in which tenant.

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;
use quantum_core::time::Timestamp;

use super::{Membership, Platform};
use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Conn, Query, Row, is_refusal};

const USER: &str = "INSERT INTO users (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING";
pub(super) const SERVICE_ACCOUNT: &str =
    "INSERT INTO service_accounts (tenant_id, id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
pub(super) const UPSERT: &str = "INSERT INTO memberships (tenant_id, principal_id, kind, roles, active) \
     VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant_id, principal_id) DO UPDATE SET kind = excluded.kind, roles = excluded.roles, \
     active = excluded.active";
pub(super) const MEMBERSHIP: &str = "SELECT tenant_id, principal_id, kind, roles, active FROM memberships \
     WHERE tenant_id = ? AND principal_id = ?";
const OF: &str = "SELECT tenant_id, principal_id, kind, roles, active FROM memberships \
     WHERE principal_id = ? ORDER BY tenant_id";
const IN: &str = "SELECT tenant_id, principal_id, kind, roles, active FROM memberships \
     WHERE tenant_id = ? ORDER BY principal_id";

impl Platform<'_> {
    /// Makes the user or service account known when it is not. Err: `NotFound` (no such tenant).
    pub async fn upsert_membership(&self, membership: Membership, at: Timestamp) -> Result<(), Error> {
        let tenant = membership.tenant.clone();
        let access = Access::Tenant(&tenant);
        let write = self.store.write_as(access, move |conn| Box::pin(upsert(conn, membership, at)));
        match write.await {
            Err(Error::Query(error)) if is_refusal(&error) => {
                Err(Error::NotFound { kind: "tenant", name: tenant.to_string() })
            }
            other => other,
        }
    }

    pub async fn membership(
        &self,
        tenant: &TenantId,
        principal: &PrincipalId,
    ) -> Result<Option<Membership>, Error> {
        let query = Query::new(MEMBERSHIP).bind(tenant.to_string()).bind(principal.to_string());
        let row = query.fetch_optional(&mut self.read_tenant(tenant).await?).await?;
        row.as_ref().map(|row| self.decode_of(tenant, row)).transpose()
    }

    /// Of one tenant, by principal, inactive ones too.
    pub async fn members(&self, tenant: &TenantId) -> Result<Vec<Membership>, Error> {
        let query = Query::new(IN).bind(tenant.to_string());
        let rows = query.fetch_all(&mut self.read_tenant(tenant).await?).await?;
        rows.iter().map(|row| self.decode_of(tenant, row)).collect()
    }

    /// Err: `ForeignRow`.
    fn decode_of(&self, tenant: &TenantId, row: &Row) -> Result<Membership, Error> {
        decode(Columns::of_tenant(row, "memberships", tenant, &self.store.counters)?)
    }

    /// By tenant, inactive ones too.
    pub async fn memberships_of(&self, principal: &PrincipalId) -> Result<Vec<Membership>, Error> {
        let query = Query::new(OF).bind(principal.to_string());
        let mut conn = self.store.read_as(Access::Principal(principal)).await?;
        query.fetch_all(&mut conn).await?.iter().map(|row| decode(Columns::new(row, "memberships"))).collect()
    }
}

async fn upsert(conn: &mut Conn, membership: Membership, at: Timestamp) -> Result<(), Error> {
    let (tenant, principal) = (membership.tenant.to_string(), membership.principal.to_string());
    let known = match membership.kind {
        PrincipalKind::User => Query::new(USER),
        PrincipalKind::ServiceAccount => Query::new(SERVICE_ACCOUNT).bind(tenant.clone()),
    };
    known.bind(principal.clone()).bind(at.as_millis()).execute(&mut *conn).await?;
    let query = Query::new(UPSERT).bind(tenant).bind(principal).bind(kind_word(membership.kind));
    let query = query.bind(serde_json::json!(membership.roles).to_string()).bind(membership.active);
    query.execute(conn).await?;
    Ok(())
}

fn decode(mut columns: Columns<'_>) -> Result<Membership, Error> {
    Ok(Membership {
        tenant: columns.tenant()?,
        principal: columns.parsed()?,
        kind: columns.word(parse_kind)?,
        roles: columns.json()?,
        active: columns.flag()?,
    })
}

pub(crate) const fn kind_word(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "user",
        PrincipalKind::ServiceAccount => "service_account",
    }
}

pub(crate) fn parse_kind(word: &str) -> Option<PrincipalKind> {
    [PrincipalKind::User, PrincipalKind::ServiceAccount].into_iter().find(|kind| kind_word(*kind) == word)
}
