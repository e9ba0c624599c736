//! What searches find intents by. SQLite's text index cannot be read; it is made anew of what it was made of.

use aws_lc_rs::digest::Digest;
use futures::TryStreamExt;
use quantum_core::id::TenantId;
use sqlx::{Row as _, SqliteConnection};

use super::check::Sum;
use super::error::TransferError;
use super::page::Page;
use super::run::{Route, TransferStep};
use super::target::Target;
use super::value::{Kind, Value};
use crate::intents::words;

pub(super) const TABLE: &str = "intent_text";
/// Names, and the descriptions of the versions that lists show.
const SHOWN: &str = "SELECT i.uid, i.name, v.description FROM intents i JOIN intent_versions v ON v.tenant_id = i.tenant_id \
     AND v.intent_uid = i.uid AND v.number = coalesce(i.active_version, i.latest_version) \
     WHERE i.tenant_id = ? ORDER BY i.uid";
const INSERT: &str = "INSERT INTO intent_text (tenant_id, intent_uid, words) \
     SELECT app.tenant(), v.uid, array_to_tsvector(string_to_array(v.words, ' ')) \
     FROM UNNEST($1::text[], $2::text[]) AS v (uid, words) ON CONFLICT (tenant_id, intent_uid) DO NOTHING";
const WORDS: &str = "SELECT intent_uid, array_to_string(tsvector_to_array(words), ' ') FROM intent_text \
     WHERE tenant_id = $1 ORDER BY intent_uid";

pub(super) async fn copy(route: &mut Route<'_>, tenant: &TenantId) -> Result<(), TransferError> {
    let empty = || Page::new([Kind::Text, Kind::Text].into_iter(), route.page_rows);
    let mut page = empty();
    let mut shown = sqlx::query(SHOWN).bind(tenant.to_string()).fetch(&mut route.source.conn);
    while let Some(row) = shown.try_next().await? {
        let (uid, words) = words_of(&row)?;
        page.push_texts(&[&uid, &words]);
        if page.is_full() {
            route.target.put(INSERT, Some(tenant), &page).await?;
            page = empty();
        }
    }
    if page.rows() > 0 {
        route.target.put(INSERT, Some(tenant), &page).await?;
    }
    (route.each)(TransferStep::Moved(page.rows() as u64));
    Ok(())
}

/// As they are to be.
pub(super) async fn sum_of_source(
    conn: &mut SqliteConnection,
    tenant: &TenantId,
) -> Result<(u64, Digest), TransferError> {
    let mut sum = Sum::default();
    let mut shown = sqlx::query(SHOWN).bind(tenant.to_string()).fetch(conn);
    while let Some(row) = shown.try_next().await? {
        let (uid, words) = words_of(&row)?;
        sum.add([Value::Text(&uid), Value::Text(&words)].into_iter());
    }
    Ok(sum.finish())
}

/// As they are.
pub(super) async fn sum_of_target(
    target: &mut Target,
    tenant: &TenantId,
) -> Result<(u64, Digest), TransferError> {
    let mut sum = Sum::default();
    let mut transaction = target.begin(Some(tenant)).await?;
    let mut rows = sqlx::query(WORDS).bind(tenant.to_string()).fetch(&mut *transaction);
    while let Some(row) = rows.try_next().await? {
        let (uid, words): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        sum.add([Value::Text(uid), Value::Text(words)].into_iter());
    }
    Ok(sum.finish())
}

fn words_of(row: &sqlx::sqlite::SqliteRow) -> Result<(String, String), sqlx::Error> {
    let (name, description): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
    Ok((row.try_get(0)?, words(name, description)))
}
