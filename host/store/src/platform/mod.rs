//! What belongs to no tenant: tenants, people, memberships, and the lists that a start needs.

mod claim;
mod members;
mod recovery;
mod schedules;
mod sweep;
mod tenants;
mod usage;

use std::collections::BTreeSet;

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;
use quantum_core::time::Timestamp;

use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Conn, Dialect, Query, Row};
use crate::store::Store;
pub(crate) use claim::BY_OWNER;
pub use claim::{Loaded, Unread};
pub(crate) use members::{kind_word, parse_kind};

/// Tenants of one transaction that reads rows of many.
const BATCH_TENANTS: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    /// For people.
    pub name: String,
    pub created_at: Timestamp,
}

/// What a person or a service account is in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub tenant: TenantId,
    pub principal: PrincipalId,
    pub kind: PrincipalKind,
    /// Names of roles, in the order given.
    pub roles: Vec<String>,
    /// An inactive membership gives no access.
    pub active: bool,
}

/// Functions across tenants: for authentication, start-up, recovery and operators.
pub struct Platform<'a> {
    pub(crate) store: &'a Store,
}

pub(crate) mod sql {
    use crate::database::Sql;

    /// Statements of the platform that still belong to one tenant.
    pub(crate) const TENANT: &[Sql] = &[
        Sql::same(super::members::MEMBERSHIP),
        Sql::same(super::members::UPSERT),
        Sql::same(super::members::SERVICE_ACCOUNT),
    ];
}

impl Platform<'_> {
    /// Across tenants, what carries no content.
    pub(crate) async fn ask(&self, query: Query) -> Result<Vec<Row>, Error> {
        Ok(query.fetch_all(&mut self.store.read_as(Access::Platform).await?).await?)
    }

    /// Across tenants, what carries no content. Gives the rows that the statement returns.
    pub(crate) async fn write_rows(&self, query: Query) -> Result<Vec<Row>, Error> {
        let write = self.store.write_as(Access::Platform, move |conn| {
            Box::pin(async move { Ok(query.fetch_all(conn).await?) })
        });
        write.await
    }

    async fn read_tenant(&self, tenant: &TenantId) -> Result<Conn, Error> {
        self.store.read_as(Access::Tenant(tenant)).await
    }

    /// A connection that sees the rows of the tenants that `keys` gives. SQLite sees all, and is not asked. None: there
    /// are no such tenants.
    async fn read_found(&self, keys: Query) -> Result<Option<Conn>, Error> {
        let tenants = match self.store.dialect() {
            Dialect::Sqlite => Vec::new(),
            Dialect::Postgres => match self.found(keys).await? {
                none if none.is_empty() => return Ok(None),
                tenants => tenants,
            },
        };
        self.store.read_as(Access::Tenants(&tenants)).await.map(Some)
    }

    /// The tenants in the first column, each once.
    async fn found(&self, keys: Query) -> Result<Vec<TenantId>, Error> {
        let rows = self.ask(keys).await?;
        let tenants: Result<BTreeSet<TenantId>, _> =
            rows.iter().map(|row| Columns::new(row, "tenants").tenant()).collect();
        Ok(tenants?.into_iter().collect())
    }

    /// All rows of a statement over all tenants.
    pub(crate) async fn all(&self, query: &Query) -> Result<Vec<Row>, Error> {
        if self.store.dialect() == Dialect::Sqlite {
            return self.ask(query.clone()).await;
        }
        let mut rows = Vec::new();
        let tenants: Vec<TenantId> = self.tenants().await?.into_iter().map(|tenant| tenant.id).collect();
        for batch in tenants.chunks(BATCH_TENANTS) {
            let mut conn = self.store.read_as(Access::Tenants(batch)).await?;
            rows.append(&mut query.clone().fetch_all(&mut conn).await?);
        }
        Ok(rows)
    }
}
