//! One intent beside one of its versions, and the list of its versions.

use quantum_core::id::{IntentName, IntentUid};
use quantum_core::vocabulary::{Environment, IntentStatus, VersionStatus};

use super::{IntentRecord, IntentSummary, Intents, VersionSummary};
use crate::Error;
use crate::database::{Columns, Query, Row};
use crate::page::{Page, PageRequest};

/// The columns that `decode_summary` reads, of an intent `i` and a version `version`.
macro_rules! summary_columns {
    () => {
        "i.tenant_id, i.uid, i.name, i.status, i.revision, i.active_version, i.latest_version, i.created_at, \
         i.created_by, i.updated_at, version.number, version.status, version.description, version.labels, version.environment, version.created_at, \
         version.created_by"
    };
}
pub(super) use summary_columns;

/// An intent with the version that lists show: the active one, else the latest.
macro_rules! shown {
    () => {
        " FROM intents i JOIN intent_versions version ON version.tenant_id = i.tenant_id AND version.intent_uid = i.uid \
         AND version.number = coalesce(i.active_version, i.latest_version)"
    };
}
pub(super) use shown;

pub(crate) mod sql {
    crate::database::statements! {
        BY_NAME = concat!(
            "SELECT ", summary_columns!(), ", version.definition", shown!(), " WHERE i.tenant_id = ? AND i.name = ?"
        );
        BY_UID = concat!(
            "SELECT ", summary_columns!(), ", version.definition", shown!(), " WHERE i.tenant_id = ? AND i.uid = ?"
        );
        VERSION = concat!(
            "SELECT ", summary_columns!(), ", version.definition FROM intents i JOIN intent_versions version \
             ON version.tenant_id = i.tenant_id AND version.intent_uid = i.uid \
             WHERE i.tenant_id = ? AND i.name = ? AND version.number = ?"
        );
        VERSIONS = concat!(
            "SELECT ", summary_columns!(), " FROM intents i JOIN intent_versions version \
             ON version.tenant_id = i.tenant_id AND version.intent_uid = i.uid \
             WHERE i.tenant_id = ? AND i.name = ? AND version.number < ? ORDER BY version.number DESC LIMIT ?"
        );
    }
}

impl Intents<'_> {
    /// With the active version; with the latest when none is active.
    pub async fn by_name(&self, name: &IntentName) -> Result<Option<IntentRecord>, Error> {
        self.one(Query::new(sql::BY_NAME).bind(self.scope.tenant().to_string()).bind(name.to_string())).await
    }

    /// With the active version; with the latest when none is active.
    pub async fn by_uid(&self, uid: &IntentUid) -> Result<Option<IntentRecord>, Error> {
        self.one(Query::new(sql::BY_UID).bind(self.scope.tenant().to_string()).bind(uid.to_string())).await
    }

    pub async fn version(&self, name: &IntentName, number: u32) -> Result<Option<IntentRecord>, Error> {
        let query = Query::new(sql::VERSION).bind(self.scope.tenant().to_string()).bind(name.to_string());
        self.one(query.bind(i64::from(number))).await
    }

    /// Newest first. Err: `Cursor`.
    pub async fn versions(&self, name: &IntentName, page: PageRequest) -> Result<Page<IntentSummary>, Error> {
        let before = page.after.as_deref().map(str::parse::<u32>).transpose();
        let before = before.map_err(|_| Error::Cursor { text: page.after.clone().unwrap_or_default() })?;
        let query = Query::new(sql::VERSIONS).bind(self.scope.tenant().to_string()).bind(name.to_string());
        let query = query.bind(before.map_or(i64::MAX, i64::from)).bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        Ok(Page::cut(self.summaries(&rows)?, page.rows(), |item| item.version.number.to_string()))
    }

    async fn one(&self, query: Query) -> Result<Option<IntentRecord>, Error> {
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| decode(&mut self.columns(row)?)).transpose()
    }

    pub(super) fn summaries(&self, rows: &[Row]) -> Result<Vec<IntentSummary>, Error> {
        rows.iter().map(|row| decode_summary(&mut self.columns(row)?)).collect()
    }

    fn columns<'r>(&self, row: &'r Row) -> Result<Columns<'r>, Error> {
        Columns::scoped(row, "intents", self.scope, &self.store.counters)
    }
}

/// Reads `summary_columns` and a definition.
pub(super) fn decode(columns: &mut Columns<'_>) -> Result<IntentRecord, Error> {
    Ok(IntentRecord { summary: decode_summary(columns)?, definition: columns.owned()? })
}

fn decode_summary(columns: &mut Columns<'_>) -> Result<IntentSummary, Error> {
    Ok(IntentSummary {
        tenant: columns.tenant()?,
        uid: columns.parsed()?,
        name: columns.parsed()?,
        status: columns.word(IntentStatus::parse)?,
        revision: columns.number()?,
        active_version: columns.number_or_null()?,
        latest_version: columns.number()?,
        created_at: columns.time()?,
        created_by: columns.parsed()?,
        updated_at: columns.time()?,
        version: VersionSummary {
            number: columns.number()?,
            status: columns.word(VersionStatus::parse)?,
            description: columns.owned()?,
            labels: columns.json()?,
            environment: columns.word(Environment::parse)?,
            created_at: columns.time()?,
            created_by: columns.parsed()?,
        },
    })
}
