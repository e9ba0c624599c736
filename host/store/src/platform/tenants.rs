//! Tenants.

use quantum_core::id::TenantId;

use super::{Platform, Tenant};
use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Query, Row, is_refusal};

const INSERT: &str = "INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?)";
const GET: &str = "SELECT id, name, created_at FROM tenants WHERE id = ?";
const LIST: &str = "SELECT id, name, created_at FROM tenants ORDER BY id";

impl Platform<'_> {
    /// Err: `AlreadyExists`.
    pub async fn create_tenant(&self, tenant: Tenant) -> Result<(), Error> {
        let name = tenant.id.to_string();
        let query = Query::new(INSERT).bind(tenant.id.to_string()).bind(tenant.name);
        let query = query.bind(tenant.created_at.as_millis());
        match self.write(Access::Platform, query).await {
            Err(Error::Query(error)) if is_refusal(&error) => {
                Err(Error::AlreadyExists { kind: "tenant", name })
            }
            other => other.map(drop),
        }
    }

    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Error> {
        let rows = self.ask(Query::new(GET).bind(id.to_string())).await?;
        rows.first().map(decode).transpose()
    }

    /// By id.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        self.ask(Query::new(LIST)).await?.iter().map(decode).collect()
    }

    /// Gives how many rows were written.
    pub(crate) async fn write(&self, access: Access<'_>, query: Query) -> Result<u64, Error> {
        let write =
            self.store.write_as(access, move |conn| Box::pin(async move { Ok(query.execute(conn).await?) }));
        write.await
    }
}

fn decode(row: &Row) -> Result<Tenant, Error> {
    let mut columns = Columns::new(row, "tenants");
    Ok(Tenant { id: columns.tenant()?, name: columns.owned()?, created_at: columns.time()? })
}
