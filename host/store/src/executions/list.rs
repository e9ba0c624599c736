//! Lists of executions. The text is composed of fixed parts, one per condition that is given.

use quantum_core::time::Timestamp;
use sqlx::AssertSqlSafe;

use super::{ExecutionFilter, ExecutionRow, Executions, decode_row, row_columns};
use crate::Error;
use crate::page::{Page, PageRequest};

const SELECT: &str =
    concat!("SELECT ", row_columns!(), " FROM executions e WHERE e.tenant_id = ?1 AND e.purged_at IS NULL");
const INTENT_UID: &str = " AND e.intent_uid = ?2";
/// A name is never reused, so it stands for one uid.
const INTENT_NAME: &str = " AND e.intent_uid = (SELECT uid FROM intents WHERE tenant_id = ?1 AND name = ?3)";
const STATUS: &str = " AND e.status = ?4";
const LABEL: &str = " AND e.id IN (SELECT execution_id FROM execution_labels \
     WHERE tenant_id = ?1 AND key = ?5 AND value = ?6)";
const OPEN: &str = " AND e.ended_at IS NULL";
const CREATED_BEFORE: &str = " AND e.created_at < ?8";
const CREATED_AFTER: &str = " AND e.created_at >= ?9";
const AFTER: &str = " AND e.id < ?7";
/// Ids are UUIDv7: later ones are greater.
const ORDER: &str = " ORDER BY e.id DESC LIMIT ?10";

impl Executions<'_> {
    /// Newest first.
    pub async fn list(
        &self,
        filter: &ExecutionFilter,
        page: PageRequest,
    ) -> Result<Page<ExecutionRow>, Error> {
        let (key, value) = filter.label.clone().unzip();
        let query = sqlx::query(AssertSqlSafe(compose(&given(filter, &page))))
            .bind(self.scope.tenant().to_string())
            .bind(filter.intent_uid.map(|uid| uid.to_string()))
            .bind(filter.intent_name.as_ref().map(ToString::to_string))
            .bind(filter.status.map(|status| status.as_str()))
            .bind(key)
            .bind(value)
            .bind(page.after.clone())
            .bind(filter.created_before.map(Timestamp::as_millis))
            .bind(filter.created_after.map(Timestamp::as_millis))
            .bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&self.store.readers).await?;
        let items: Result<Vec<_>, _> =
            rows.iter().map(|row| decode_row(&mut self.columns(row, "executions")?)).collect();
        Ok(Page::cut(items?, page.rows(), |row| row.id.to_string()))
    }
}

fn given(filter: &ExecutionFilter, page: &PageRequest) -> Vec<&'static str> {
    let parts = [
        (filter.intent_uid.is_some(), INTENT_UID),
        (filter.intent_name.is_some(), INTENT_NAME),
        (filter.status.is_some(), STATUS),
        (filter.label.is_some(), LABEL),
        (filter.open_only, OPEN),
        (filter.created_before.is_some(), CREATED_BEFORE),
        (filter.created_after.is_some(), CREATED_AFTER),
        (page.after.is_some(), AFTER),
    ];
    parts.into_iter().filter(|(given, _)| *given).map(|(_, part)| part).collect()
}

fn compose(conditions: &[&str]) -> String {
    format!("{SELECT}{}{ORDER}", conditions.concat())
}

/// Every combination, for the registry.
pub(crate) fn list_shapes() -> Vec<String> {
    let parts = [INTENT_UID, INTENT_NAME, STATUS, LABEL, OPEN, CREATED_BEFORE, CREATED_AFTER, AFTER];
    crate::sqlite::combinations(&parts, compose)
}
