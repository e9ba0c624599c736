//! Lists of executions. The text is composed of fixed parts, one per condition that is given.

use std::collections::BTreeSet;

use quantum_core::time::Timestamp;
use quantum_core::vocabulary::ExecutionStatus;

use super::{ExecutionFilter, ExecutionRow, Executions, decode_row, row_columns};
use crate::Error;
use crate::database::Query;
use crate::page::{Page, PageRequest};

/// Where a list comes from, in the order of its ids: rows are read until a page is full, however many there are.
struct Source {
    select: &'static str,
    after: &'static str,
    /// Ids are UUIDv7: later ones are greater.
    order: &'static str,
}

const EVERY: Source = Source {
    select: concat!(
        "SELECT ",
        row_columns!(),
        " FROM executions e WHERE e.tenant_id = ?1 AND e.purged_at IS NULL"
    ),
    after: " AND e.id < ?7",
    order: " ORDER BY e.id DESC LIMIT ?10",
};
/// CROSS JOIN: the labels are read first, whatever else is asked. The planner would make a set of all of them.
const LABELLED: Source = Source {
    select: concat!(
        "SELECT ",
        row_columns!(),
        " FROM execution_labels l CROSS JOIN executions e ON e.tenant_id = l.tenant_id AND e.id = l.execution_id \
         WHERE l.tenant_id = ?1 AND l.key = ?5 AND l.value = ?6 AND e.purged_at IS NULL"
    ),
    after: " AND l.execution_id < ?7",
    order: " ORDER BY l.execution_id DESC LIMIT ?10",
};
/// Of an intent, in a status. INDEXED BY: from its second page on, the planner would read all that are in the status.
const NARROWED: Source = Source {
    select: concat!(
        "SELECT ",
        row_columns!(),
        " FROM executions e INDEXED BY executions_intent_status WHERE e.tenant_id = ?1 AND e.purged_at IS NULL"
    ),
    ..EVERY
};
const INTENT_UID: &str = " AND e.intent_uid = ?2";
/// A name is never reused, so it stands for one uid.
const INTENT_NAME: &str = " AND e.intent_uid = (SELECT uid FROM intents WHERE tenant_id = ?1 AND name = ?3)";
/// With what a status says of the end: PostgreSQL has one index of what is open, and others of what has ended, so that a
/// commit of what is open writes as few entries as can be.
const OPEN_STATUS: &str = " AND e.status = ?4 AND e.ended_at IS NULL";
const ENDED_STATUS: &str = " AND e.status = ?4 AND e.ended_at IS NOT NULL";
const OPEN: &str = " AND e.ended_at IS NULL";
const CREATED_BEFORE: &str = " AND e.created_at < ?8";
const CREATED_AFTER: &str = " AND e.created_at >= ?9";

impl Executions<'_> {
    /// Newest first.
    pub async fn list(
        &self,
        filter: &ExecutionFilter,
        page: PageRequest,
    ) -> Result<Page<ExecutionRow>, Error> {
        let (key, value) = filter.label.clone().unzip();
        let source = source(filter);
        let query = Query::new(compose(source, &given(filter, &page, source)))
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
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        let items: Result<Vec<_>, _> =
            rows.iter().map(|row| decode_row(&mut self.columns(row, "executions")?)).collect();
        Ok(Page::cut(items?, page.rows(), |row| row.id.to_string()))
    }
}

const fn source(filter: &ExecutionFilter) -> &'static Source {
    if filter.label.is_some() {
        &LABELLED
    } else if filter.status.is_some() && (filter.intent_uid.is_some() || filter.intent_name.is_some()) {
        &NARROWED
    } else {
        &EVERY
    }
}

fn given(filter: &ExecutionFilter, page: &PageRequest, source: &Source) -> Vec<&'static str> {
    let is_ended = filter.status.map(ExecutionStatus::is_terminal);
    let parts = [
        (filter.intent_uid.is_some(), INTENT_UID),
        (filter.intent_name.is_some(), INTENT_NAME),
        (is_ended == Some(false), OPEN_STATUS),
        (is_ended == Some(true), ENDED_STATUS),
        (filter.open_only, OPEN),
        (filter.created_before.is_some(), CREATED_BEFORE),
        (filter.created_after.is_some(), CREATED_AFTER),
        (page.after.is_some(), source.after),
    ];
    parts.into_iter().filter(|(given, _)| *given).map(|(_, part)| part).collect()
}

fn compose(source: &Source, conditions: &[&str]) -> String {
    format!("{}{}{}", source.select, conditions.concat(), source.order)
}

/// Every combination, for the registry.
pub(crate) fn list_shapes() -> Vec<String> {
    let shapes = |source: &Source| {
        let of_status = |status| {
            let parts = [INTENT_UID, INTENT_NAME, status, OPEN, CREATED_BEFORE, CREATED_AFTER, source.after];
            crate::database::combinations(&parts, |chosen| compose(source, chosen))
        };
        let all = [OPEN_STATUS, ENDED_STATUS].into_iter().flat_map(of_status);
        all.collect::<BTreeSet<_>>().into_iter()
    };
    let narrowed =
        |text: &str| text.contains("e.status =") && (text.contains(INTENT_UID) || text.contains(INTENT_NAME));
    let every = shapes(&EVERY).filter(|text| !narrowed(text));
    let both = shapes(&NARROWED).filter(|text| narrowed(text));
    every.chain(both).chain(shapes(&LABELLED)).collect()
}
