//! Values that plugins keep, one space a tenant and plugin. Revisions come from a counter of the space that is never
//! set back, so none comes again for the same key, whatever was deleted between.

use quantum_core::id::TenantId;
use quantum_core::time::Timestamp;

use crate::Error;
use crate::database::{Columns, Conn, Query, Row, Sql, is_refusal};
use crate::scope::TenantScope;
use crate::store::Store;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredValue {
    pub value: Vec<u8>,
    pub revision: u64,
}

/// What must be stored under the key for a write to happen. What has expired is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Anything,
    Absent,
    Revision(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValueWrite {
    pub plugin: String,
    pub key: String,
    pub value: Vec<u8>,
    pub expires_at: Option<Timestamp>,
    pub expected: Expected,
    pub now: Timestamp,
    pub quota: KeyValueQuota,
}

/// Bounds of one space, checked in the transaction of the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyValueQuota {
    pub entries_max: u64,
    /// Of keys and values.
    pub bytes_max: u64,
}

/// The values of all plugins of one tenant.
pub struct KeyValue<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

pub(crate) mod sql {
    crate::database::statements! {
        GET = "SELECT tenant_id, value, revision FROM kv WHERE tenant_id = ? AND plugin = ? AND key = ? \
               AND (expires_at IS NULL OR expires_at > ?)";
        HEAD = "SELECT tenant_id, revision, expires_at, CAST(octet_length(key) + octet_length(value) AS BIGINT) FROM kv \
                WHERE tenant_id = ? AND plugin = ? AND key = ?";
        SPACE = "INSERT INTO kv_spaces (tenant_id, plugin, revision, entries, bytes) VALUES (?, ?, 0, 0, 0) \
                 ON CONFLICT DO NOTHING";
        USAGE = "SELECT tenant_id, entries, bytes FROM kv_spaces WHERE tenant_id = ? AND plugin = ?";
        PURGE = "DELETE FROM kv WHERE tenant_id = ? AND plugin = ? AND expires_at <= ?";
        NEXT = "UPDATE kv_spaces SET revision = revision + 1 WHERE tenant_id = ? AND plugin = ? \
                RETURNING tenant_id, revision";
        PUT = "INSERT INTO kv (tenant_id, plugin, key, value, revision, expires_at) VALUES (?, ?, ?, ?, ?, ?) \
               ON CONFLICT (tenant_id, plugin, key) DO UPDATE SET value = excluded.value, revision = excluded.revision, \
               expires_at = excluded.expires_at";
        DELETE = "DELETE FROM kv WHERE tenant_id = ? AND plugin = ? AND key = ?";
    }
}

/// What is stored under a key before a write.
struct Head {
    revision: u64,
    expires_at: Option<Timestamp>,
    bytes: u64,
}

impl KeyValue<'_> {
    /// None: never written, deleted, or over its time.
    pub async fn get(&self, plugin: &str, key: &str, now: Timestamp) -> Result<Option<StoredValue>, Error> {
        let query = of(sql::GET, self.scope.tenant(), plugin).bind(key.to_owned()).bind(now.as_millis());
        let Some(row) = query.fetch_optional(&mut self.store.read(self.scope).await?).await? else {
            return Ok(None);
        };
        let mut columns = Columns::scoped(&row, "kv", self.scope, &self.store.counters)?;
        columns.tenant()?;
        Ok(Some(StoredValue { value: columns.bytes()?.to_vec(), revision: columns.number()? }))
    }

    /// The new revision, or none when something else was stored than expected. Err: `OverQuota`, `NotFound` (no such
    /// tenant).
    pub async fn write(&self, write: KeyValueWrite) -> Result<Option<u64>, Error> {
        let tenant = self.scope.tenant().clone();
        let name = tenant.to_string();
        match self.store.write(self.scope, move |conn| Box::pin(put(conn, tenant, write))).await {
            Err(Error::Query(error)) if is_refusal(&error) => Err(Error::NotFound { kind: "tenant", name }),
            other => other,
        }
    }

    /// False: there was nothing.
    pub async fn delete(&self, plugin: &str, key: &str) -> Result<bool, Error> {
        let query = of(sql::DELETE, self.scope.tenant(), plugin).bind(key.to_owned());
        let write = self
            .store
            .write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await? > 0) }));
        write.await
    }
}

async fn put(conn: &mut Conn, tenant: TenantId, write: KeyValueWrite) -> Result<Option<u64>, Error> {
    let row =
        of(sql::HEAD, &tenant, &write.plugin).bind(write.key.clone()).fetch_optional(&mut *conn).await?;
    let head = row.as_ref().map(head).transpose()?;
    if !is_expected(write.expected, head.as_ref(), write.now) {
        return Ok(None);
    }
    of(sql::SPACE, &tenant, &write.plugin).execute(&mut *conn).await?;
    make_room(conn, &tenant, &write, head.as_ref()).await?;
    let row = of(sql::NEXT, &tenant, &write.plugin).fetch_all(&mut *conn).await?;
    let row = row.first().ok_or_else(|| Error::NotFound { kind: "space", name: write.plugin.clone() })?;
    let mut columns = Columns::new(row, "kv_spaces");
    columns.tenant()?;
    let revision: u64 = columns.number()?;
    let query = of(sql::PUT, &tenant, &write.plugin).bind(write.key).bind(write.value);
    let query = query.bind(revision.cast_signed()).bind(write.expires_at.map(Timestamp::as_millis));
    query.execute(conn).await?;
    Ok(Some(revision))
}

fn is_expected(expected: Expected, head: Option<&Head>, now: Timestamp) -> bool {
    let live = head.filter(|head| head.expires_at.is_none_or(|at| at > now));
    match expected {
        Expected::Anything => true,
        Expected::Absent => live.is_none(),
        Expected::Revision(revision) => live.is_some_and(|head| head.revision == revision),
    }
}

/// What has expired goes before anything is refused. A write that makes the space no larger is never refused.
async fn make_room(
    conn: &mut Conn,
    tenant: &TenantId,
    write: &KeyValueWrite,
    head: Option<&Head>,
) -> Result<(), Error> {
    let bytes = (write.key.len() + write.value.len()) as u64;
    let more = bytes.saturating_sub(head.map_or(0, |head| head.bytes));
    if head.is_some() && more == 0 {
        return Ok(());
    }
    let entries = u64::from(head.is_none());
    if check_usage(usage(conn, tenant, &write.plugin).await?, (entries, more), write.quota).is_ok() {
        return Ok(());
    }
    of(sql::PURGE, tenant, &write.plugin).bind(write.now.as_millis()).execute(&mut *conn).await?;
    // The key's own old value may be among what went.
    let row = of(sql::HEAD, tenant, &write.plugin).bind(write.key.clone()).fetch_optional(&mut *conn).await?;
    let head = row.as_ref().map(self::head).transpose()?;
    let more = bytes.saturating_sub(head.as_ref().map_or(0, |head| head.bytes));
    check_usage(usage(conn, tenant, &write.plugin).await?, (u64::from(head.is_none()), more), write.quota)
}

async fn usage(conn: &mut Conn, tenant: &TenantId, plugin: &str) -> Result<(u64, u64), Error> {
    let row = of(sql::USAGE, tenant, plugin).fetch_one(conn).await?;
    let mut columns = Columns::new(&row, "kv_spaces");
    columns.tenant()?;
    Ok((columns.number()?, columns.number()?))
}

const fn check_usage(used: (u64, u64), more: (u64, u64), quota: KeyValueQuota) -> Result<(), Error> {
    let (entries, bytes) = used;
    if entries + more.0 > quota.entries_max {
        return Err(Error::OverQuota { what: "keys of the plugin", used: entries, max: quota.entries_max });
    }
    if bytes.saturating_add(more.1) > quota.bytes_max {
        let what = "bytes of keys and values of the plugin";
        return Err(Error::OverQuota { what, used: bytes, max: quota.bytes_max });
    }
    Ok(())
}

fn of(sql: Sql, tenant: &TenantId, plugin: &str) -> Query {
    Query::new(sql).bind(tenant.to_string()).bind(plugin.to_owned())
}

fn head(row: &Row) -> Result<Head, Error> {
    let mut columns = Columns::new(row, "kv");
    columns.tenant()?;
    Ok(Head { revision: columns.number()?, expires_at: columns.time_or_null()?, bytes: columns.number()? })
}
