//! Recording artifacts under names, and taking names away. Each runs in one savepoint of the writer.

use quantum_core::id::{Digest, TenantId};
use quantum_core::time::Timestamp;

use super::read::{decode, decode_usage, sql as read_sql};
use super::{Artifacts, Holder, NewArtifact, StoredArtifact, Usage};
use crate::Error;
use crate::database::{Columns, Conn, Query, Row, Sql, is_refusal};

pub(crate) mod sql {
    crate::database::statements! {
        INSERT = "INSERT INTO artifacts (tenant_id, digest, bytes, media_type, created_at) VALUES (?, ?, ?, ?, ?)";
        REFRESH = "UPDATE artifacts SET media_type = coalesce(?3, media_type), unheld_at = NULL \
                   WHERE tenant_id = ?1 AND digest = ?2";
        UNHELD = "SELECT tenant_id, count(*), CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM artifacts \
                  WHERE tenant_id = ? AND unheld_at IS NOT NULL GROUP BY tenant_id";
        RECLAIM = "DELETE FROM artifacts WHERE tenant_id = ? AND unheld_at IS NOT NULL";
        NAMED = "SELECT tenant_id, digest FROM artifact_names WHERE tenant_id = ? AND execution_id = ? AND name = ?";
        NAMES = "SELECT count(*) FROM artifact_names WHERE tenant_id = ? AND execution_id = ?";
        NAME = "INSERT INTO artifact_names (tenant_id, execution_id, name, digest, at, by) VALUES (?, ?, ?, ?, ?, ?) \
                ON CONFLICT (tenant_id, execution_id, name) DO UPDATE SET digest = excluded.digest, at = excluded.at, by = excluded.by";
        /// Under its digest: what a name of an execution has left.
        HOLD = "INSERT INTO artifact_names (tenant_id, execution_id, name, digest, at, by) \
                VALUES (?1, ?2, ?3, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        REMOVE = "DELETE FROM artifact_names WHERE tenant_id = ? AND execution_id = ? AND name = ? \
                  RETURNING tenant_id, digest";
        RELEASE = "UPDATE artifacts SET unheld_at = ?3 WHERE tenant_id = ?1 AND digest = ?2 AND NOT EXISTS \
                   (SELECT 1 FROM artifact_names n WHERE n.tenant_id = ?1 AND n.digest = ?2)";
    }
}

impl Artifacts<'_> {
    /// Whether `record` would take it now, so that bytes which are refused need not become a blob. Err: `OverQuota`.
    pub async fn check(&self, new: &NewArtifact) -> Result<(), Error> {
        let mut conn = self.store.read(self.scope).await?;
        let tenant = self.scope.tenant();
        if get(&mut conn, tenant, &new.digest).await?.is_none() {
            needs_place(&mut conn, tenant, new).await?;
        }
        left_by_name(&mut conn, tenant, new).await.map(drop)
    }

    /// Makes the tenant know the artifact, and gives it the name; a name that is there is moved. What a moved name of
    /// an execution held before stays held there under its digest; of the tenant, it is released. The blob must be
    /// durable before. Err: `OverQuota`, `NotFound` (no such tenant).
    pub async fn record(&self, new: NewArtifact) -> Result<StoredArtifact, Error> {
        let tenant = self.scope.tenant().clone();
        let name = tenant.to_string();
        match self.store.write(self.scope, move |conn| Box::pin(record(conn, tenant, new))).await {
            Err(Error::Query(error)) if is_refusal(&error) => Err(Error::NotFound { kind: "tenant", name }),
            other => other,
        }
    }

    /// What no other name holds can be swept from now on. False: there was no such name.
    pub async fn remove_name(&self, holder: Holder, name: &str, at: Timestamp) -> Result<bool, Error> {
        let (tenant, name) = (self.scope.tenant().clone(), name.to_owned());
        self.store
            .write(self.scope, move |conn| Box::pin(remove_name(conn, tenant, (holder, name), at)))
            .await
    }
}

async fn record(conn: &mut Conn, tenant: TenantId, new: NewArtifact) -> Result<StoredArtifact, Error> {
    if get(conn, &tenant, &new.digest).await?.is_some() {
        let query = of(sql::REFRESH, &tenant, &new.digest).bind(new.media_type.clone());
        query.execute(&mut *conn).await?;
    } else {
        make_room(conn, &tenant, &new).await?;
        let query = of(sql::INSERT, &tenant, &new.digest).bind(new.bytes.cast_signed());
        query.bind(new.media_type.clone()).bind(new.at.as_millis()).execute(&mut *conn).await?;
    }
    give_name(conn, &tenant, &new).await?;
    let stored = get(conn, &tenant, &new.digest).await?;
    stored.ok_or_else(|| Error::NotFound { kind: "artifact", name: new.digest.to_string() })
}

async fn get(conn: &mut Conn, tenant: &TenantId, digest: &Digest) -> Result<Option<StoredArtifact>, Error> {
    let row = of(read_sql::GET, tenant, digest).fetch_optional(conn).await?;
    row.as_ref().map(|row| decode(&mut Columns::new(row, "artifacts"))).transpose()
}

/// What nothing holds goes before anything is refused.
async fn make_room(conn: &mut Conn, tenant: &TenantId, new: &NewArtifact) -> Result<(), Error> {
    if needs_place(conn, tenant, new).await? {
        Query::new(sql::RECLAIM).bind(tenant.to_string()).execute(conn).await?;
    }
    Ok(())
}

/// True: it fits when what nothing holds is removed before. Err: `OverQuota`.
async fn needs_place(conn: &mut Conn, tenant: &TenantId, new: &NewArtifact) -> Result<bool, Error> {
    let used = usage(conn, read_sql::USAGE, tenant).await?;
    if check_usage(used, new).is_ok() {
        return Ok(false);
    }
    let unheld = usage(conn, sql::UNHELD, tenant).await?;
    let (artifacts, bytes) = (used.artifacts - unheld.artifacts, used.bytes - unheld.bytes);
    check_usage(Usage { artifacts, bytes }, new).map(|()| true)
}

async fn usage(conn: &mut Conn, sql: Sql, tenant: &TenantId) -> Result<Usage, Error> {
    let row = Query::new(sql).bind(tenant.to_string()).fetch_optional(conn).await?;
    row.as_ref().map_or(Ok(Usage::default()), |row| decode_usage(Columns::new(row, "artifact_usage")))
}

const fn check_usage(usage: Usage, new: &NewArtifact) -> Result<(), Error> {
    let quota = &new.quota;
    if usage.bytes.saturating_add(new.bytes) > quota.bytes_max {
        let (used, max) = (usage.bytes, quota.bytes_max);
        return Err(Error::OverQuota { what: "bytes of artifacts of the tenant", used, max });
    }
    if usage.artifacts >= quota.artifacts_max {
        let (used, max) = (usage.artifacts, quota.artifacts_max);
        return Err(Error::OverQuota { what: "artifacts of the tenant", used, max });
    }
    Ok(())
}

async fn give_name(conn: &mut Conn, tenant: &TenantId, new: &NewArtifact) -> Result<(), Error> {
    let left = left_by_name(conn, tenant, new).await?;
    let holder = new.holder.word();
    let query = Query::new(sql::NAME).bind(tenant.to_string()).bind(holder.clone()).bind(name_of(new));
    let query = query.bind(new.digest.to_string()).bind(new.at.as_millis()).bind(new.by.clone());
    query.execute(&mut *conn).await?;
    match (left, new.holder) {
        (Some(left), Holder::Execution(_)) => {
            let query = Query::new(sql::HOLD).bind(tenant.to_string()).bind(holder).bind(left.to_string());
            query.bind(new.at.as_millis()).bind(new.by.clone()).execute(conn).await?;
            Ok(())
        }
        (Some(left), Holder::Tenant) => release(conn, tenant, &left, new.at).await,
        (None, _) => Ok(()),
    }
}

/// The content that the name holds and will not hold any more. Err: `OverQuota` when there is no place for one more
/// name: a new one, or the digest under which an execution holds what the name has left.
async fn left_by_name(
    conn: &mut Conn,
    tenant: &TenantId,
    new: &NewArtifact,
) -> Result<Option<Digest>, Error> {
    let query = Query::new(sql::NAMED).bind(tenant.to_string()).bind(new.holder.word()).bind(name_of(new));
    let before = query.fetch_optional(&mut *conn).await?.as_ref().map(digest_of).transpose()?;
    let (is_new, left) = (before.is_none(), before.filter(|before| *before != new.digest));
    if is_new || (left.is_some() && matches!(new.holder, Holder::Execution(_))) {
        check_names(conn, tenant, new).await?;
    }
    Ok(left)
}

fn name_of(new: &NewArtifact) -> String {
    new.name.clone().unwrap_or_else(|| new.digest.to_string())
}

async fn check_names(conn: &mut Conn, tenant: &TenantId, new: &NewArtifact) -> Result<(), Error> {
    let query = Query::new(sql::NAMES).bind(tenant.to_string()).bind(new.holder.word());
    let row = query.fetch_one(conn).await?;
    let used: u64 = Columns::new(&row, "artifact_names").number()?;
    let max = new.quota.names_max;
    if used < max {
        return Ok(());
    }
    let what = match new.holder {
        Holder::Tenant => "names of artifacts of the tenant",
        Holder::Execution(_) => "names of artifacts of the execution",
    };
    Err(Error::OverQuota { what, used, max })
}

async fn remove_name(
    conn: &mut Conn,
    tenant: TenantId,
    (holder, name): (Holder, String),
    at: Timestamp,
) -> Result<bool, Error> {
    let query = Query::new(sql::REMOVE).bind(tenant.to_string()).bind(holder.word()).bind(name);
    // All rows, because a statement that returns some has run only when it was read to its end.
    let removed = query.fetch_all(&mut *conn).await?;
    for row in &removed {
        release(conn, &tenant, &digest_of(row)?, at).await?;
    }
    Ok(!removed.is_empty())
}

/// After a name is gone: marks what it held, unless another name holds it.
pub(crate) async fn release(
    conn: &mut Conn,
    tenant: &TenantId,
    digest: &Digest,
    at: Timestamp,
) -> Result<(), Error> {
    of(sql::RELEASE, tenant, digest).bind(at.as_millis()).execute(conn).await?;
    Ok(())
}

fn of(sql: Sql, tenant: &TenantId, digest: &Digest) -> Query {
    Query::new(sql).bind(tenant.to_string()).bind(digest.to_string())
}

/// Of a row of tenant and digest.
fn digest_of(row: &Row) -> Result<Digest, Error> {
    let mut columns = Columns::new(row, "artifact_names");
    columns.tenant()?;
    columns.parsed()
}
