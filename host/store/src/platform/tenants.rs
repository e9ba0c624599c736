//! Tenants.

use quantum_core::id::TenantId;
use sqlx::sqlite::SqliteRow;

use super::{Platform, Tenant};
use crate::Error;
use crate::sqlite::{Columns, is_refusal};

const INSERT: &str = "INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?)";
const GET: &str = "SELECT id, name, created_at FROM tenants WHERE id = ?";
const LIST: &str = "SELECT id, name, created_at FROM tenants ORDER BY id";

impl Platform<'_> {
    /// Err: `AlreadyExists`.
    pub async fn create_tenant(&self, tenant: Tenant) -> Result<(), Error> {
        let name = tenant.id.to_string();
        let query = sqlx::query(INSERT).bind(tenant.id.to_string()).bind(tenant.name);
        let query = query.bind(tenant.created_at.as_millis());
        let written =
            self.store.writer.run(move |conn| Box::pin(async { Ok(query.execute(conn).await.map(drop)?) }));
        match written.await {
            Err(Error::Query(error)) if is_refusal(&error) => {
                Err(Error::AlreadyExists { kind: "tenant", name })
            }
            other => other,
        }
    }

    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Error> {
        let row = sqlx::query(GET).bind(id.to_string()).fetch_optional(&self.store.readers).await?;
        row.as_ref().map(decode).transpose()
    }

    /// By id.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        let rows = sqlx::query(LIST).fetch_all(&self.store.readers).await?;
        rows.iter().map(decode).collect()
    }
}

fn decode(row: &SqliteRow) -> Result<Tenant, Error> {
    let mut columns = Columns::new(row, "tenants");
    Ok(Tenant { id: columns.tenant()?, name: columns.owned()?, created_at: columns.time()? })
}
