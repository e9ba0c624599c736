//! Reading schedules of one tenant.

use quantum_core::id::{IntentUid, ScheduleName, ScheduleUid};
use quantum_core::port::Requester;

use super::{ScheduleRow, Schedules};
use crate::Error;
use crate::database::Columns;
use crate::database::{Query, Row, Sql};
use crate::page::{Page, PageRequest};
use crate::platform::parse_kind;

macro_rules! columns {
    () => {
        "s.tenant_id, s.uid, s.name, s.intent_uid, s.document, s.paused, s.revision, s.owner, s.owner_kind, \
         s.created_at, s.created_by, s.updated_at, s.handled_until, s.waiting, s.next_at, s.progress"
    };
}
pub(crate) use columns;

pub(crate) mod read_sql {
    crate::database::statements! {
        BY_NAME = concat!("SELECT ", super::columns!(), " FROM schedules s WHERE s.tenant_id = ? AND s.name = ?");
        BY_UID = concat!("SELECT ", super::columns!(), " FROM schedules s WHERE s.tenant_id = ? AND s.uid = ?");
        LIST = concat!(
            "SELECT ", super::columns!(), " FROM schedules s WHERE s.tenant_id = ? AND s.name > ? \
             ORDER BY s.name LIMIT ?"
        );
        LIST_OF_INTENT = concat!(
            "SELECT ", super::columns!(), " FROM schedules s WHERE s.tenant_id = ? AND s.intent_uid = ? \
             AND s.name > ? ORDER BY s.name LIMIT ?"
        );
    }
}

impl Schedules<'_> {
    pub async fn get(&self, name: &ScheduleName) -> Result<Option<ScheduleRow>, Error> {
        self.one(read_sql::BY_NAME, name.to_string()).await
    }

    pub async fn by_uid(&self, uid: ScheduleUid) -> Result<Option<ScheduleRow>, Error> {
        self.one(read_sql::BY_UID, uid.to_string()).await
    }

    /// By name; of one intent, or of all.
    pub async fn list(
        &self,
        intent: Option<IntentUid>,
        page: PageRequest,
    ) -> Result<Page<ScheduleRow>, Error> {
        let tenant = self.scope.tenant().to_string();
        let query = match intent {
            None => Query::new(read_sql::LIST).bind(tenant),
            Some(uid) => Query::new(read_sql::LIST_OF_INTENT).bind(tenant).bind(uid.to_string()),
        };
        let query = query.bind(page.after.clone().unwrap_or_default()).bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        let items: Result<Vec<_>, _> = rows.iter().map(|row| self.decode(row)).collect();
        Ok(Page::cut(items?, page.rows(), |row| row.name.to_string()))
    }

    async fn one(&self, sql: Sql, key: String) -> Result<Option<ScheduleRow>, Error> {
        let query = Query::new(sql).bind(self.scope.tenant().to_string()).bind(key);
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| self.decode(row)).transpose()
    }

    fn decode(&self, row: &Row) -> Result<ScheduleRow, Error> {
        decode(&mut Columns::scoped(row, "schedules", self.scope, &self.store.counters)?)
    }
}

/// Reads `columns!`.
pub(crate) fn decode(columns: &mut Columns<'_>) -> Result<ScheduleRow, Error> {
    Ok(ScheduleRow {
        tenant: columns.tenant()?,
        uid: columns.parsed()?,
        name: columns.parsed()?,
        intent_uid: columns.parsed()?,
        document: columns.owned()?,
        paused: columns.flag()?,
        revision: columns.number()?,
        owner: Requester { id: columns.parsed()?, kind: columns.word(parse_kind)? },
        created_at: columns.time()?,
        created_by: columns.parsed()?,
        updated_at: columns.time()?,
        handled_until: columns.time()?,
        waiting: columns.time_or_null()?,
        next_at: columns.time_or_null()?,
        progress: columns.owned()?,
    })
}
