//! Finding artifacts by digest and by name, lists of names, and what a tenant's artifacts take together.

use quantum_core::id::Digest;

use super::{ArtifactFilter, Artifacts, Holder, NamedArtifact, StoredArtifact, Usage};
use crate::Error;
use crate::database::{Columns, Query, Row};
use crate::page::{Page, PageRequest};

/// The columns that `decode` reads, of a table called `a`.
macro_rules! columns {
    () => {
        "a.tenant_id, a.digest, a.bytes, a.media_type, a.created_at"
    };
}

/// Names with what they hold.
macro_rules! names {
    () => {
        " FROM artifact_names n JOIN artifacts a ON a.tenant_id = n.tenant_id AND a.digest = n.digest \
         WHERE n.tenant_id = ?1 AND n.execution_id = ?2"
    };
}

pub(crate) mod sql {
    crate::database::statements! {
        GET = concat!("SELECT ", columns!(), " FROM artifacts a WHERE a.tenant_id = ? AND a.digest = ?");
        BY_NAME = concat!("SELECT ", columns!(), names!(), " AND n.name = ?3");
        USAGE = "SELECT tenant_id, artifacts, bytes FROM artifact_usage WHERE tenant_id = ?";
    }
}

const SELECT: &str = concat!("SELECT ", columns!(), ", n.name, n.at, n.by", names!());
/// A range, so that the index serves it. Nothing that is written in UTF-8 comes behind U+10FFFF.
const PREFIX: &str = " AND n.name >= ?3 AND n.name < ?3 || char(1114111)";
const AFTER: &str = " AND n.name > ?4";
const ORDER: &str = " ORDER BY n.name LIMIT ?5";

impl Artifacts<'_> {
    /// None: the tenant has no such content, whoever else has it.
    pub async fn get(&self, digest: &Digest) -> Result<Option<StoredArtifact>, Error> {
        let query = Query::new(sql::GET).bind(self.scope.tenant().to_string()).bind(digest.to_string());
        self.one(query).await
    }

    pub async fn by_name(&self, holder: Holder, name: &str) -> Result<Option<StoredArtifact>, Error> {
        let query = Query::new(sql::BY_NAME).bind(self.scope.tenant().to_string()).bind(holder.word());
        self.one(query.bind(name.to_owned())).await
    }

    /// By name.
    pub async fn list(
        &self,
        filter: &ArtifactFilter,
        page: PageRequest,
    ) -> Result<Page<NamedArtifact>, Error> {
        let parts = [(filter.prefix.is_some(), PREFIX), (page.after.is_some(), AFTER)];
        let given: Vec<_> = parts.into_iter().filter(|(given, _)| *given).map(|(_, part)| part).collect();
        let query = Query::new(compose(&given))
            .bind(self.scope.tenant().to_string())
            .bind(filter.holder.word())
            .bind(filter.prefix.clone())
            .bind(page.after.clone())
            .bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        let items: Result<Vec<_>, _> = rows.iter().map(|row| self.named(row)).collect();
        Ok(Page::cut(items?, page.rows(), |item| item.name.clone()))
    }

    pub async fn usage(&self) -> Result<Usage, Error> {
        let query = Query::new(sql::USAGE).bind(self.scope.tenant().to_string());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map_or(Ok(Usage::default()), |row| decode_usage(self.columns(row)?))
    }

    async fn one(&self, query: Query) -> Result<Option<StoredArtifact>, Error> {
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| decode(&mut self.columns(row)?)).transpose()
    }

    fn named(&self, row: &Row) -> Result<NamedArtifact, Error> {
        let mut columns = self.columns(row)?;
        Ok(NamedArtifact {
            artifact: decode(&mut columns)?,
            name: columns.owned()?,
            at: columns.time()?,
            by: columns.owned()?,
        })
    }
}

/// Reads `columns!`.
pub(super) fn decode(columns: &mut Columns<'_>) -> Result<StoredArtifact, Error> {
    Ok(StoredArtifact {
        tenant: columns.tenant()?,
        digest: columns.parsed()?,
        bytes: columns.number()?,
        media_type: columns.text_or_null()?.map(str::to_owned),
        created_at: columns.time()?,
    })
}

/// Reads the columns of `USAGE`.
pub(super) fn decode_usage(mut columns: Columns<'_>) -> Result<Usage, Error> {
    columns.tenant()?;
    Ok(Usage { artifacts: columns.number()?, bytes: columns.number()? })
}

fn compose(conditions: &[&str]) -> String {
    format!("{SELECT}{}{ORDER}", conditions.concat())
}

/// Every combination, for the registry.
pub(crate) fn list_shapes() -> Vec<String> {
    crate::database::combinations(&[PREFIX, AFTER], compose)
}
