//! Schedules of all tenants, for the engine that starts what is due.

use quantum_core::time::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::Platform;
use crate::Error;
use crate::schedules::{ScheduleKey, ScheduleRow, columns, decode};
use crate::sqlite::Columns;

const ALL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedules s WHERE (s.tenant_id, s.uid) > (?, ?) ORDER BY s.tenant_id, s.uid LIMIT ?"
);
const DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedules s WHERE s.next_at <= ? AND (s.next_at, s.tenant_id, s.uid) > (?, ?, ?) \
     ORDER BY s.next_at, s.tenant_id, s.uid LIMIT ?"
);
const NEXT: &str = "SELECT min(next_at) FROM schedules WHERE next_at > ?";

impl Platform<'_> {
    /// All of them after a key, by tenant and uid; paused ones too. What the key says of time is not looked at.
    pub async fn schedules(
        &self,
        after: Option<&ScheduleKey>,
        limit: u32,
    ) -> Result<Vec<ScheduleRow>, Error> {
        let (_, tenant, uid) = place(after);
        let query = sqlx::query(ALL).bind(tenant).bind(uid).bind(i64::from(limit));
        rows(&query.fetch_all(&self.store.readers).await?)
    }

    /// Those that are to be looked at by now, after a key, by time.
    pub async fn due_schedules(
        &self,
        now: Timestamp,
        after: Option<&ScheduleKey>,
        limit: u32,
    ) -> Result<Vec<ScheduleRow>, Error> {
        let (at, tenant, uid) = place(after);
        let query = sqlx::query(DUE).bind(now.as_millis()).bind(at).bind(tenant).bind(uid);
        rows(&query.bind(i64::from(limit)).fetch_all(&self.store.readers).await?)
    }

    /// When the first of those that are not due is to be looked at.
    pub async fn next_schedule_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query(NEXT).bind(now.as_millis()).fetch_one(&self.store.readers).await?;
        Columns::new(&row, "schedules").time_or_null()
    }
}

fn place(after: Option<&ScheduleKey>) -> (i64, String, String) {
    let Some(key) = after else { return (i64::MIN, String::new(), String::new()) };
    let at = key.next_at.map_or(i64::MIN, Timestamp::as_millis);
    (at, key.tenant.to_string(), key.uid.to_string())
}

fn rows(found: &[SqliteRow]) -> Result<Vec<ScheduleRow>, Error> {
    found.iter().map(|row| decode(&mut Columns::new(row, "schedules"))).collect()
}

impl From<&ScheduleRow> for ScheduleKey {
    fn from(row: &ScheduleRow) -> Self {
        Self { next_at: row.next_at, tenant: row.tenant.clone(), uid: row.uid }
    }
}
