//! Changing schedules: by people, and by the engine.

use quantum_core::id::{ScheduleName, TenantId};
use quantum_core::time::Timestamp;

use super::read::{decode, read_sql};
use super::{
    NewSchedule, ScheduleChange, ScheduleContent, ScheduleMark, ScheduleRow, ScheduleTarget, Schedules,
};
use crate::Error;
use crate::database::{Columns, Conn, Query, Sql, is_refusal};
use crate::platform::kind_word;

pub(crate) mod write_sql {
    crate::database::statements! {
        COUNT = "SELECT count(*) FROM schedules WHERE tenant_id = ?";
        INSERT = "INSERT INTO schedules (tenant_id, uid, name, intent_uid, document, paused, revision, owner, owner_kind, \
                  created_at, created_by, updated_at, handled_until, waiting, next_at, progress) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?7, ?9, ?9, NULL, ?10, '{}')";
        REPLACE = "UPDATE schedules SET intent_uid = ?3, document = ?4, owner = ?5, owner_kind = ?6, \
                   revision = revision + 1, updated_at = ?7, handled_until = CASE WHEN handled_until > ?7 THEN handled_until ELSE ?7 END, waiting = NULL, \
                   next_at = CASE WHEN paused THEN NULL ELSE ?8 END WHERE tenant_id = ?1 AND name = ?2";
        PAUSE = "UPDATE schedules SET paused = TRUE, revision = revision + 1, updated_at = ?3, waiting = NULL, \
                 next_at = NULL WHERE tenant_id = ?1 AND name = ?2";
        RESUME = "UPDATE schedules SET paused = FALSE, revision = revision + 1, updated_at = ?3, \
                  handled_until = CASE WHEN handled_until > ?3 THEN handled_until ELSE ?3 END, waiting = NULL, next_at = ?4 \
                  WHERE tenant_id = ?1 AND name = ?2";
        REMOVE = "DELETE FROM schedules WHERE tenant_id = ? AND name = ?";
        MARK = "UPDATE schedules SET handled_until = CASE WHEN handled_until > ?4 THEN handled_until ELSE ?4 END, progress = ?7, \
                waiting = CASE WHEN revision = ?3 THEN ?5 ELSE waiting END, \
                next_at = CASE WHEN revision = ?3 THEN ?6 ELSE next_at END WHERE tenant_id = ?1 AND uid = ?2";
    }
}

impl Schedules<'_> {
    /// `rows_max` bounds the tenant's schedules. Err: `AlreadyExists`, `OverQuota`, `NotFound` (no such intent).
    pub async fn create(&self, new: NewSchedule, rows_max: u64) -> Result<ScheduleRow, Error> {
        let (tenant, uid) = (self.scope.tenant().clone(), new.content.intent_uid);
        match self.store.write(self.scope, move |conn| Box::pin(create(conn, tenant, new, rows_max))).await {
            Err(Error::Query(error)) if is_refusal(&error) => {
                Err(Error::NotFound { kind: "intent", name: uid.to_string() })
            }
            other => other,
        }
    }

    /// Err: `NotFound`, `VersionConflict`.
    pub async fn change(&self, change: ScheduleChange) -> Result<ScheduleRow, Error> {
        let tenant = self.scope.tenant().clone();
        self.store.write(self.scope, move |conn| Box::pin(apply(conn, tenant, change))).await
    }

    /// Err: `NotFound`, `VersionConflict`.
    pub async fn remove(&self, name: ScheduleName, expected_revision: Option<u64>) -> Result<(), Error> {
        let tenant = self.scope.tenant().clone();
        let write = self.store.write(self.scope, move |conn| {
            Box::pin(async move {
                check(conn, &tenant, &name, expected_revision).await?;
                of(write_sql::REMOVE, &tenant, &name).execute(conn).await?;
                Ok(())
            })
        });
        write.await
    }

    /// Before it returns the schedule may be at the mark or not; after it, it is. False: there is no such schedule.
    pub async fn mark(&self, mark: ScheduleMark) -> Result<bool, Error> {
        let query = Query::new(write_sql::MARK)
            .bind(self.scope.tenant().to_string())
            .bind(mark.uid.to_string())
            .bind(mark.revision.cast_signed())
            .bind(mark.handled_until.as_millis())
            .bind(mark.waiting.map(Timestamp::as_millis))
            .bind(mark.next_at.map(Timestamp::as_millis))
            .bind(mark.progress);
        let write = self
            .store
            .write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await? > 0) }));
        write.await
    }
}

async fn create(
    conn: &mut Conn,
    tenant: TenantId,
    new: NewSchedule,
    rows_max: u64,
) -> Result<ScheduleRow, Error> {
    if find(conn, &tenant, &new.name).await?.is_some() {
        return Err(Error::AlreadyExists { kind: "schedule", name: new.name.to_string() });
    }
    let counted = Query::new(write_sql::COUNT).bind(tenant.to_string()).fetch_one(&mut *conn).await?;
    let used = Columns::new(&counted, "schedules").number()?;
    if used >= rows_max {
        return Err(Error::OverQuota { what: "schedules of the tenant", used, max: rows_max });
    }
    let NewSchedule { uid, name, content, paused, at } = new;
    Query::new(write_sql::INSERT)
        .bind(tenant.to_string())
        .bind(uid.to_string())
        .bind(name.to_string())
        .bind(content.intent_uid.to_string())
        .bind(content.document)
        .bind(paused)
        .bind(content.owner.id.to_string())
        .bind(kind_word(content.owner.kind))
        .bind(at.as_millis())
        .bind((!paused).then_some(content.next_at.as_millis()))
        .execute(&mut *conn)
        .await?;
    stored(conn, &tenant, &name).await
}

async fn apply(conn: &mut Conn, tenant: TenantId, change: ScheduleChange) -> Result<ScheduleRow, Error> {
    let ScheduleChange { name, expected_revision, at, to } = change;
    check(conn, &tenant, &name, expected_revision).await?;
    let at = at.as_millis();
    let query = match to {
        ScheduleTarget::Content(content) => replace(of(write_sql::REPLACE, &tenant, &name), content, at),
        ScheduleTarget::Paused => of(write_sql::PAUSE, &tenant, &name).bind(at),
        ScheduleTarget::Resumed { next_at } => {
            of(write_sql::RESUME, &tenant, &name).bind(at).bind(next_at.map(Timestamp::as_millis))
        }
    };
    query.execute(&mut *conn).await?;
    stored(conn, &tenant, &name).await
}

fn replace(query: Query, content: ScheduleContent, at: i64) -> Query {
    query
        .bind(content.intent_uid.to_string())
        .bind(content.document)
        .bind(content.owner.id.to_string())
        .bind(kind_word(content.owner.kind))
        .bind(at)
        .bind(content.next_at.as_millis())
}

async fn check(
    conn: &mut Conn,
    tenant: &TenantId,
    name: &ScheduleName,
    expected_revision: Option<u64>,
) -> Result<(), Error> {
    let current = stored(conn, tenant, name).await?.revision;
    if expected_revision.is_some_and(|expected| expected != current) {
        return Err(Error::VersionConflict { current });
    }
    Ok(())
}

async fn stored(conn: &mut Conn, tenant: &TenantId, name: &ScheduleName) -> Result<ScheduleRow, Error> {
    let found = find(conn, tenant, name).await?;
    found.ok_or_else(|| Error::NotFound { kind: "schedule", name: name.to_string() })
}

async fn find(conn: &mut Conn, tenant: &TenantId, name: &ScheduleName) -> Result<Option<ScheduleRow>, Error> {
    let row = of(read_sql::BY_NAME, tenant, name).fetch_optional(conn).await?;
    row.as_ref().map(|row| decode(&mut Columns::new(row, "schedules"))).transpose()
}

fn of(sql: Sql, tenant: &TenantId, name: &ScheduleName) -> Query {
    Query::new(sql).bind(tenant.to_string()).bind(name.to_string())
}
