//! Lists and search. The text is composed of fixed parts, one per condition that is given.

use sqlx::AssertSqlSafe;

use super::read::{shown, summary_columns};
use super::{IntentFilter, IntentSummary, Intents, text};
use crate::Error;
use crate::page::{Page, PageRequest};

const SELECT: &str = concat!("SELECT ", summary_columns!(), shown!(), " WHERE i.tenant_id = ?1");
const TEXT: &str = " AND i.text_id IN (SELECT rowid FROM intent_text WHERE intent_text MATCH ?2)";
/// A range, so that the index serves it; names are ASCII, below `~`.
const PREFIX: &str = " AND i.name >= ?3 AND i.name < ?3 || '~'";
const LABEL: &str = " AND i.uid IN (SELECT intent_uid FROM intent_labels \
     WHERE tenant_id = ?1 AND key = ?4 AND value = ?5)";
const ENVIRONMENT: &str = " AND i.environment = ?6";
const STATUS: &str = " AND i.status = ?7";
const AFTER: &str = " AND i.name > ?8";
const ORDER: &str = " ORDER BY i.name LIMIT ?9";

impl Intents<'_> {
    /// By name; each with the active version, or with the latest when none is active.
    pub async fn list(&self, filter: &IntentFilter, page: PageRequest) -> Result<Page<IntentSummary>, Error> {
        let words = filter.q.as_deref().and_then(|q| text::query(self.scope.tenant(), q));
        let (key, value) = filter.label.clone().unzip();
        let query = sqlx::query(AssertSqlSafe(compose(&given(filter, &page, words.is_some()))))
            .bind(self.scope.tenant().to_string())
            .bind(words)
            .bind(filter.name_prefix.clone())
            .bind(key)
            .bind(value)
            .bind(filter.environment.map(|environment| environment.as_str()))
            .bind(filter.status.map(|status| status.as_str()))
            .bind(page.after.clone())
            .bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&self.store.readers).await?;
        Ok(Page::cut(self.summaries(&rows)?, page.rows(), |item| item.name.to_string()))
    }
}

fn given(filter: &IntentFilter, page: &PageRequest, words: bool) -> Vec<&'static str> {
    let parts = [
        (words, TEXT),
        (filter.name_prefix.is_some(), PREFIX),
        (filter.label.is_some(), LABEL),
        (filter.environment.is_some(), ENVIRONMENT),
        (filter.status.is_some(), STATUS),
        (page.after.is_some(), AFTER),
    ];
    parts.into_iter().filter(|(given, _)| *given).map(|(_, part)| part).collect()
}

fn compose(conditions: &[&str]) -> String {
    format!("{SELECT}{}{ORDER}", conditions.concat())
}

/// Every combination, for the registry.
pub(crate) fn list_shapes() -> Vec<String> {
    crate::sqlite::combinations(&[TEXT, PREFIX, LABEL, ENVIRONMENT, STATUS, AFTER], compose)
}
