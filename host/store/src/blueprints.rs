//! Blueprints of a tenant, by name. Each change is a row of its own, and so is a removal: no revision comes back, and an
//! earlier one can be read for as long as anybody asks what an execution was made from.

use quantum_core::id::{IntentName, PrincipalId, TenantId};
use quantum_core::time::Timestamp;

use crate::Error;
use crate::database::Columns;
use crate::database::{Conn, Query, Row};
use crate::page::{Page, PageRequest};
use crate::scope::TenantScope;
use crate::store::Store;

/// One revision, without the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlueprintSummary {
    pub tenant: TenantId,
    pub name: IntentName,
    /// From 1, one more with every change and every removal.
    pub revision: u64,
    pub description: String,
    /// Of this revision.
    pub updated_at: Timestamp,
    pub updated_by: PrincipalId,
}

/// One revision, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlueprintRecord {
    pub summary: BlueprintSummary,
    /// JSON text. None: this revision is a removal.
    pub document: Option<String>,
}

/// The next revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlueprintChange {
    pub name: IntentName,
    /// The newest revision when the change was decided; 0: there was none.
    pub based_on: u64,
    pub description: String,
    /// JSON text. None: the blueprint is removed.
    pub document: Option<String>,
    pub by: PrincipalId,
    pub at: Timestamp,
}

/// The blueprints of one tenant.
pub struct Blueprints<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

/// The columns that `decode_summary` reads.
macro_rules! summary_columns {
    () => {
        "b.tenant_id, b.name, b.revision, b.description, b.updated_at, b.updated_by"
    };
}

pub(crate) mod sql {
    crate::database::statements! {
        NEWEST = concat!(
            "SELECT ", summary_columns!(), ", b.document FROM blueprints b \
             WHERE b.tenant_id = ? AND b.name = ? ORDER BY b.revision DESC LIMIT 1"
        );
        REVISION = concat!(
            "SELECT ", summary_columns!(), ", b.document FROM blueprints b \
             WHERE b.tenant_id = ? AND b.name = ? AND b.revision = ?"
        );
        LIST = concat!(
            "SELECT ", summary_columns!(), " FROM blueprints b WHERE b.tenant_id = ?1 AND b.name > ?2 \
             AND b.revision = (SELECT max(revision) FROM blueprints WHERE tenant_id = ?1 AND name = b.name) \
             AND b.document IS NOT NULL ORDER BY b.name LIMIT ?3"
        );
        CURRENT = "SELECT coalesce(max(revision), 0) FROM blueprints WHERE tenant_id = ? AND name = ?";
        INSERT = "INSERT INTO blueprints (tenant_id, name, revision, description, updated_at, updated_by, document) \
                  VALUES (?, ?, ?, ?, ?, ?, ?)";
    }
}

impl Blueprints<'_> {
    /// The newest revision, which may be a removal. None: there never was one.
    pub async fn newest(&self, name: &IntentName) -> Result<Option<BlueprintRecord>, Error> {
        let query = Query::new(sql::NEWEST).bind(self.scope.tenant().to_string()).bind(name.to_string());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| self.decode(row)).transpose()
    }

    pub async fn revision(&self, name: &IntentName, revision: u64) -> Result<Option<BlueprintRecord>, Error> {
        let query = Query::new(sql::REVISION).bind(self.scope.tenant().to_string()).bind(name.to_string());
        let row = query
            .bind(revision.cast_signed())
            .fetch_optional(&mut self.store.read(self.scope).await?)
            .await?;
        row.as_ref().map(|row| self.decode(row)).transpose()
    }

    /// By name, each with its newest revision; removed ones are left out.
    pub async fn list(&self, page: PageRequest) -> Result<Page<BlueprintSummary>, Error> {
        let query = Query::new(sql::LIST).bind(self.scope.tenant().to_string());
        let query = query.bind(page.after.clone().unwrap_or_default()).bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        let items: Result<Vec<_>, _> =
            rows.iter().map(|row| decode_summary(&mut self.columns(row)?)).collect();
        Ok(Page::cut(items?, page.rows(), |item| item.name.to_string()))
    }

    /// Err: `VersionConflict` when another change came first, `NotFound` (no such tenant).
    pub async fn write(&self, change: BlueprintChange) -> Result<BlueprintSummary, Error> {
        let tenant = self.scope.tenant().clone();
        match self.store.write(self.scope, move |conn| Box::pin(write(conn, tenant, change))).await {
            Err(Error::Query(error)) if crate::database::is_refusal(&error) => {
                Err(Error::NotFound { kind: "tenant", name: self.scope.tenant().to_string() })
            }
            other => other,
        }
    }

    fn decode(&self, row: &Row) -> Result<BlueprintRecord, Error> {
        let mut columns = self.columns(row)?;
        let summary = decode_summary(&mut columns)?;
        Ok(BlueprintRecord { summary, document: columns.text_or_null()?.map(str::to_owned) })
    }

    fn columns<'r>(&self, row: &'r Row) -> Result<Columns<'r>, Error> {
        Columns::scoped(row, "blueprints", self.scope, &self.store.counters)
    }
}

async fn write(
    conn: &mut Conn,
    tenant: TenantId,
    change: BlueprintChange,
) -> Result<BlueprintSummary, Error> {
    let query = Query::new(sql::CURRENT).bind(tenant.to_string()).bind(change.name.to_string());
    let current: u64 = Columns::new(&query.fetch_one(&mut *conn).await?, "blueprints").number()?;
    if current != change.based_on {
        return Err(Error::VersionConflict { current });
    }
    let revision = current + 1;
    Query::new(sql::INSERT)
        .bind(tenant.to_string())
        .bind(change.name.to_string())
        .bind(revision.cast_signed())
        .bind(change.description.clone())
        .bind(change.at.as_millis())
        .bind(change.by.to_string())
        .bind(change.document)
        .execute(conn)
        .await?;
    let BlueprintChange { name, description, at: updated_at, by: updated_by, .. } = change;
    Ok(BlueprintSummary { tenant, name, revision, description, updated_at, updated_by })
}

/// Reads `summary_columns`.
fn decode_summary(columns: &mut Columns<'_>) -> Result<BlueprintSummary, Error> {
    Ok(BlueprintSummary {
        tenant: columns.tenant()?,
        name: columns.parsed()?,
        revision: columns.number()?,
        description: columns.owned()?,
        updated_at: columns.time()?,
        updated_by: columns.parsed()?,
    })
}
