//! Changes of intents. Each runs in one savepoint of the writer, so that a version, its labels, the text index and
//! the idempotency record come together or not at all.

use quantum_core::id::{IntentUid, TenantId};
use quantum_core::vocabulary::{IntentStatus, VersionStatus};

use super::read::{decode, sql as read_sql};
use super::{Change, CreateOutcome, IntentRecord, IntentSummary, Intents, NewIntent, NewVersion, text};
use crate::Error;
use crate::database::{Columns, Conn, Dialect, Query, Sql};
use crate::idempotency::{self, IdempotencyRecord};

/// The text index of SQLite: a table without tenants, whose rows are found by a word that stands for the tenant.
const INSERT_TEXT: &str = "INSERT INTO intent_text (tenant, name, description) VALUES (?, ?, ?)";
const INSERT_SHOWN_TEXT: &str = "INSERT INTO intent_text (tenant, name, description, rowid) SELECT ?3, name, ?4, text_id \
     FROM intents WHERE tenant_id = ?1 AND uid = ?2";
const DELETE_TEXT: &str =
    "DELETE FROM intent_text WHERE rowid = (SELECT text_id FROM intents WHERE tenant_id = ? AND uid = ?)";
const PUT_WORDS: &str = "INSERT INTO intent_text (tenant_id, intent_uid, words) \
     VALUES (?, ?, array_to_tsvector(string_to_array(?, ' '))) \
     ON CONFLICT (tenant_id, intent_uid) DO UPDATE SET words = excluded.words";

pub(crate) mod sql {
    use crate::tenant_settings::{class_of_target, has_own_target, postgres_class_of_target};

    crate::database::statements! {
        INSERT = "INSERT INTO intents (tenant_id, uid, name, status, revision, active_version, latest_version, \
                  environment, created_at, created_by, updated_at, text_id) VALUES (?, ?, ?, ?, 1, ?, 1, ?, ?, ?, ?, ?)",
            postgres: "INSERT INTO intents (tenant_id, uid, name, status, revision, active_version, latest_version, \
                  environment, created_at, created_by, updated_at) VALUES (?, ?, ?, ?, 1, ?, 1, ?, ?, ?, ?)";
        INSERT_VERSION = "INSERT INTO intent_versions (tenant_id, intent_uid, number, status, description, labels, \
                          environment, definition, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        CLASSIFY = concat!("UPDATE intent_versions SET environment = ", class_of_target!(), " WHERE tenant_id = ?1 \
                   AND intent_uid = ?2 AND number = ?3 AND ", has_own_target!()),
            postgres: concat!("UPDATE intent_versions SET environment = ", postgres_class_of_target!(), " WHERE tenant_id = ?1 \
                   AND intent_uid = ?2 AND number = ?3 AND ", has_own_target!());
        INSERT_LABEL = "INSERT INTO intent_labels (tenant_id, intent_uid, key, value) VALUES (?, ?, ?, ?)";
        DELETE_LABELS = "DELETE FROM intent_labels WHERE tenant_id = ? AND intent_uid = ?";
        SUPERSEDE = "UPDATE intent_versions SET status = 'superseded' \
                     WHERE tenant_id = ? AND intent_uid = ? AND status = 'active'";
        SET_VERSION_STATUS = "UPDATE intent_versions SET status = ? WHERE tenant_id = ? AND intent_uid = ? AND number = ?";
        SET_ENVIRONMENT = "UPDATE intents SET environment = ? WHERE tenant_id = ? AND uid = ?";
        /// What is NULL stays as it is.
        UPDATE = "UPDATE intents SET revision = revision + 1, updated_at = ?, status = coalesce(?, status), \
                  latest_version = coalesce(?, latest_version), active_version = coalesce(?, active_version) \
                  WHERE tenant_id = ? AND uid = ?";
    }
}

impl Intents<'_> {
    /// The name is free for one intent only: a second `create` gives the first one's record. Err: `NotFound` (no
    /// such tenant), `IdempotencyTaken`.
    pub async fn create(
        &self,
        intent: NewIntent,
        idempotency: Option<IdempotencyRecord>,
    ) -> Result<CreateOutcome, Error> {
        let tenant = self.scope.tenant().clone();
        match self
            .store
            .write(self.scope, move |conn| Box::pin(create(conn, tenant, intent, idempotency)))
            .await
        {
            Err(Error::Query(error)) if crate::database::is_refusal(&error) => {
                Err(Error::NotFound { kind: "tenant", name: self.scope.tenant().to_string() })
            }
            other => other,
        }
    }

    /// The next version; active unless it is a draft. Err: `NotFound`, `VersionConflict`, `IdempotencyTaken`.
    pub async fn new_version(&self, change: Change, version: NewVersion) -> Result<IntentRecord, Error> {
        let tenant = self.scope.tenant().clone();
        self.store.write(self.scope, move |conn| Box::pin(add_version(conn, tenant, change, version))).await
    }

    /// Makes a version the active one. Err: as `new_version`.
    pub async fn activate(&self, change: Change, number: u32) -> Result<IntentRecord, Error> {
        let tenant = self.scope.tenant().clone();
        self.store.write(self.scope, move |conn| Box::pin(activate(conn, tenant, change, number))).await
    }

    /// Err: as `new_version`.
    pub async fn set_status(&self, change: Change, status: IntentStatus) -> Result<IntentRecord, Error> {
        let tenant = self.scope.tenant().clone();
        self.store.write(self.scope, move |conn| Box::pin(set_status(conn, tenant, change, status))).await
    }
}

async fn create(
    conn: &mut Conn,
    tenant: TenantId,
    intent: NewIntent,
    idempotency: Option<IdempotencyRecord>,
) -> Result<CreateOutcome, Error> {
    idempotency::check(conn, &tenant, idempotency.as_ref()).await?;
    let by_name = Query::new(read_sql::BY_NAME).bind(tenant.to_string()).bind(intent.name.to_string());
    if let Some(record) = find(conn, by_name).await? {
        return Ok(CreateOutcome::Exists(record));
    }
    idempotency::record(conn, &tenant, idempotency.as_ref()).await?;
    insert(conn, &tenant, &intent).await?;
    insert_version(conn, &tenant, &intent.uid, 1, &intent.version).await?;
    Ok(CreateOutcome::Created(show(conn, &tenant, &intent.uid).await?))
}

async fn add_version(
    conn: &mut Conn,
    tenant: TenantId,
    change: Change,
    version: NewVersion,
) -> Result<IntentRecord, Error> {
    let number = begin(conn, &tenant, &change).await?.summary.latest_version + 1;
    if !version.draft {
        of(sql::SUPERSEDE, &tenant, &change.uid).execute(&mut *conn).await?;
    }
    insert_version(conn, &tenant, &change.uid, number, &version).await?;
    let active = (!version.draft).then_some(number);
    update(conn, &tenant, &change, Update { latest: Some(number), active, ..Update::default() }).await?;
    show(conn, &tenant, &change.uid).await
}

async fn activate(
    conn: &mut Conn,
    tenant: TenantId,
    change: Change,
    number: u32,
) -> Result<IntentRecord, Error> {
    begin(conn, &tenant, &change).await?;
    of(sql::SUPERSEDE, &tenant, &change.uid).execute(&mut *conn).await?;
    let query =
        Query::new(sql::SET_VERSION_STATUS).bind(VersionStatus::Active.as_str()).bind(tenant.to_string());
    let query = query.bind(change.uid.to_string()).bind(i64::from(number));
    if query.execute(&mut *conn).await? == 0 {
        return Err(Error::NotFound { kind: "version", name: number.to_string() });
    }
    update(conn, &tenant, &change, Update { active: Some(number), ..Update::default() }).await?;
    show(conn, &tenant, &change.uid).await
}

async fn set_status(
    conn: &mut Conn,
    tenant: TenantId,
    change: Change,
    status: IntentStatus,
) -> Result<IntentRecord, Error> {
    begin(conn, &tenant, &change).await?;
    update(conn, &tenant, &change, Update { status: Some(status), ..Update::default() }).await?;
    existing(conn, &tenant, &change.uid).await
}

/// What every change does first: the key, then the condition. Gives the intent as it was.
async fn begin(conn: &mut Conn, tenant: &TenantId, change: &Change) -> Result<IntentRecord, Error> {
    idempotency::check(conn, tenant, change.idempotency.as_ref()).await?;
    let record = existing(conn, tenant, &change.uid).await?;
    let current = record.summary.revision;
    if change.expected_revision.is_some_and(|expected| expected != current) {
        return Err(Error::VersionConflict { current });
    }
    idempotency::record(conn, tenant, change.idempotency.as_ref()).await?;
    Ok(record)
}

async fn find(conn: &mut Conn, query: Query) -> Result<Option<IntentRecord>, Error> {
    let row = query.fetch_optional(conn).await?;
    row.as_ref().map(|row| decode(&mut Columns::new(row, "intents"))).transpose()
}

async fn existing(conn: &mut Conn, tenant: &TenantId, uid: &IntentUid) -> Result<IntentRecord, Error> {
    let found = find(conn, of(read_sql::BY_UID, tenant, uid)).await?;
    found.ok_or_else(|| Error::NotFound { kind: "intent", name: uid.to_string() })
}

/// A statement about one intent, by tenant and uid.
fn of(statement: Sql, tenant: &TenantId, uid: &IntentUid) -> Query {
    Query::new(statement).bind(tenant.to_string()).bind(uid.to_string())
}

async fn insert(conn: &mut Conn, tenant: &TenantId, intent: &NewIntent) -> Result<(), Error> {
    let version = &intent.version;
    let query = Query::new(sql::INSERT)
        .bind(tenant.to_string())
        .bind(intent.uid.to_string())
        .bind(intent.name.to_string())
        .bind(intent.status.as_str())
        .bind((!version.draft).then_some(1_i64))
        .bind(version.environment.as_str())
        .bind(version.at.as_millis())
        .bind(version.created_by.to_string())
        .bind(version.at.as_millis());
    let query = match conn.dialect() {
        Dialect::Postgres => query,
        Dialect::Sqlite => {
            let text = Query::new(INSERT_TEXT).bind(text::tenant_word(tenant)).bind(intent.name.to_string());
            query.bind(text.bind(version.description.clone()).insert(&mut *conn).await?)
        }
    };
    query.execute(conn).await?;
    Ok(())
}

async fn insert_version(
    conn: &mut Conn,
    tenant: &TenantId,
    uid: &IntentUid,
    number: u32,
    version: &NewVersion,
) -> Result<(), Error> {
    let status = if version.draft { VersionStatus::Draft } else { VersionStatus::Active };
    of(sql::INSERT_VERSION, tenant, uid)
        .bind(i64::from(number))
        .bind(status.as_str())
        .bind(version.description.clone())
        .bind(serde_json::json!(version.labels).to_string())
        .bind(version.environment.as_str())
        .bind(version.definition.clone())
        .bind(version.at.as_millis())
        .bind(version.created_by.to_string())
        .execute(&mut *conn)
        .await?;
    // The tenant may have changed its targets since the caller looked the class up.
    of(sql::CLASSIFY, tenant, uid).bind(i64::from(number)).execute(conn).await?;
    Ok(())
}

/// What changes in the intent's row; the rest stays.
#[derive(Default)]
struct Update {
    status: Option<IntentStatus>,
    latest: Option<u32>,
    active: Option<u32>,
}

async fn update(conn: &mut Conn, tenant: &TenantId, change: &Change, to: Update) -> Result<(), Error> {
    Query::new(sql::UPDATE)
        .bind(change.at.as_millis())
        .bind(to.status.map(|status| status.as_str()))
        .bind(to.latest.map(i64::from))
        .bind(to.active.map(i64::from))
        .bind(tenant.to_string())
        .bind(change.uid.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Brings what lists search by (environment, labels, text) in line with the version that they show.
async fn show(conn: &mut Conn, tenant: &TenantId, uid: &IntentUid) -> Result<IntentRecord, Error> {
    let record = existing(conn, tenant, uid).await?;
    let version = &record.summary.version;
    let query = Query::new(sql::SET_ENVIRONMENT).bind(version.environment.as_str());
    query.bind(tenant.to_string()).bind(uid.to_string()).execute(&mut *conn).await?;
    of(sql::DELETE_LABELS, tenant, uid).execute(&mut *conn).await?;
    for (key, value) in &version.labels {
        of(sql::INSERT_LABEL, tenant, uid).bind(key.clone()).bind(value.clone()).execute(&mut *conn).await?;
    }
    index(conn, tenant, &record).await?;
    Ok(record)
}

/// What a search finds the intent by.
async fn index(conn: &mut Conn, tenant: &TenantId, record: &IntentRecord) -> Result<(), Error> {
    let IntentSummary { uid, name, version, .. } = &record.summary;
    let of = |text: &'static str| Query::new(text).bind(tenant.to_string()).bind(uid.to_string());
    if conn.dialect() == Dialect::Postgres {
        of(PUT_WORDS).bind(text::words(name.as_str(), &version.description)).execute(conn).await?;
        return Ok(());
    }
    of(DELETE_TEXT).execute(&mut *conn).await?;
    let query = of(INSERT_SHOWN_TEXT).bind(text::tenant_word(tenant));
    query.bind(version.description.clone()).execute(conn).await?;
    Ok(())
}
