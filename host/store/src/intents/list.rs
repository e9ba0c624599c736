//! Lists and search. The text is composed of fixed parts, one per condition that is given.

use super::read::{shown, summary_columns};
use super::{IntentFilter, IntentSummary, Intents, text};
use crate::Error;
use crate::database::{Dialect, Query};
use crate::page::{Page, PageRequest};

const SELECT: &str = concat!("SELECT ", summary_columns!(), shown!(), " WHERE i.tenant_id = ?1");
const TEXT: &str = " AND i.text_id IN (SELECT rowid FROM intent_text WHERE intent_text MATCH ?2)";
const POSTGRES_TEXT: &str = " AND i.uid IN (SELECT t.intent_uid FROM intent_text t \
     WHERE t.tenant_id = ?1 AND t.words @@ CAST(?2 AS tsquery))";
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
        let dialect = self.store.dialect();
        let words = filter.q.as_deref().and_then(|q| text::query(dialect, self.scope.tenant(), q));
        let (key, value) = filter.label.clone().unzip();
        let query =
            Query::new(compose(&given(filter, &page, words.is_some().then(|| text_condition(dialect)))))
                .bind(self.scope.tenant().to_string())
                .bind(words)
                .bind(filter.name_prefix.clone())
                .bind(key)
                .bind(value)
                .bind(filter.environment.map(|environment| environment.as_str()))
                .bind(filter.status.map(|status| status.as_str()))
                .bind(page.after.clone())
                .bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        Ok(Page::cut(self.summaries(&rows)?, page.rows(), |item| item.name.to_string()))
    }
}

fn given(filter: &IntentFilter, page: &PageRequest, words: Option<&'static str>) -> Vec<&'static str> {
    let parts = [
        (words.is_some(), words.unwrap_or_default()),
        (filter.name_prefix.is_some(), PREFIX),
        (filter.label.is_some(), LABEL),
        (filter.environment.is_some(), ENVIRONMENT),
        (filter.status.is_some(), STATUS),
        (page.after.is_some(), AFTER),
    ];
    parts.into_iter().filter(|(given, _)| *given).map(|(_, part)| part).collect()
}

const fn text_condition(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => TEXT,
        Dialect::Postgres => POSTGRES_TEXT,
    }
}

fn compose(conditions: &[&str]) -> String {
    format!("{SELECT}{}{ORDER}", conditions.concat())
}

/// Every combination, for the registry.
pub(crate) fn list_shapes(dialect: Dialect) -> Vec<String> {
    crate::database::combinations(
        &[text_condition(dialect), PREFIX, LABEL, ENVIRONMENT, STATUS, AFTER],
        compose,
    )
}
