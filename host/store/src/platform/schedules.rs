//! Schedules of all tenants, for the engine that starts what is due.

use quantum_core::time::Timestamp;

use super::Platform;
use crate::Error;
use crate::database::{Columns, Query, Row};
use crate::schedules::{ScheduleKey, ScheduleRow, columns, decode};

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

/// The tenants of a page of all, and of one of those that are due.
const ALL_KEYS: &str = "SELECT s.tenant_id FROM schedules s WHERE (s.tenant_id, s.uid) > (?, ?) ORDER BY s.tenant_id, s.uid LIMIT ?";
const DUE_KEYS: &str = "SELECT s.tenant_id FROM schedules s WHERE s.next_at <= ? AND (s.next_at, s.tenant_id, s.uid) > (?, ?, ?) \
     ORDER BY s.next_at, s.tenant_id, s.uid LIMIT ?";

impl Platform<'_> {
    /// All of them after a key, by tenant and uid; paused ones too. What the key says of time is not looked at.
    pub async fn schedules(
        &self,
        after: Option<&ScheduleKey>,
        limit: u32,
    ) -> Result<Vec<ScheduleRow>, Error> {
        let (_, tenant, uid) = place(after);
        let page = |text| Query::new(text).bind(tenant.clone()).bind(uid.clone()).bind(i64::from(limit));
        self.page(page(ALL_KEYS), page(ALL)).await
    }

    /// Those that are to be looked at by now, after a key, by time.
    pub async fn due_schedules(
        &self,
        now: Timestamp,
        after: Option<&ScheduleKey>,
        limit: u32,
    ) -> Result<Vec<ScheduleRow>, Error> {
        let (at, tenant, uid) = place(after);
        let page = |text| {
            let query = Query::new(text).bind(now.as_millis()).bind(at).bind(tenant.clone());
            query.bind(uid.clone()).bind(i64::from(limit))
        };
        self.page(page(DUE_KEYS), page(DUE)).await
    }

    /// When the first of those that are not due is to be looked at.
    pub async fn next_schedule_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let rows = self.ask(Query::new(NEXT).bind(now.as_millis())).await?;
        rows.first().map_or(Ok(None), |row| Columns::new(row, "schedules").time_or_null())
    }

    async fn page(&self, keys: Query, query: Query) -> Result<Vec<ScheduleRow>, Error> {
        let Some(mut conn) = self.read_found(keys).await? else { return Ok(Vec::new()) };
        rows(&query.fetch_all(&mut conn).await?)
    }
}

fn place(after: Option<&ScheduleKey>) -> (i64, String, String) {
    let Some(key) = after else { return (i64::MIN, String::new(), String::new()) };
    let at = key.next_at.map_or(i64::MIN, Timestamp::as_millis);
    (at, key.tenant.to_string(), key.uid.to_string())
}

fn rows(found: &[Row]) -> Result<Vec<ScheduleRow>, Error> {
    found.iter().map(|row| decode(&mut Columns::new(row, "schedules"))).collect()
}

impl From<&ScheduleRow> for ScheduleKey {
    fn from(row: &ScheduleRow) -> Self {
        Self { next_at: row.next_at, tenant: row.tenant.clone(), uid: row.uid }
    }
}
