//! Secrets by name and environment.

use quantum_core::id::TenantId;
use quantum_core::vocabulary::Environment;

use super::keys::decode as decode_key;
use super::{SealedSecret, SecretRow, Secrets, StoredSecret};
use crate::Error;
use crate::database::{Columns, Conn, Query, Sql, is_refusal};
use crate::page::{Page, PageRequest};

/// The columns that `decode` reads.
macro_rules! columns {
    () => {
        "s.tenant_id, s.name, s.environment, s.hosts, s.expires_at, s.version, s.created_at, s.created_by, \
         s.updated_at, s.updated_by"
    };
}

/// With the key, so that both are of one moment, also while keys are replaced.
macro_rules! stored {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", s.nonce, s.ciphertext, k.tenant_id, k.version, k.master, k.wrapped, k.created_at FROM secrets s \
             CROSS JOIN tenant_keys k ON k.tenant_id = s.tenant_id AND k.version = s.key_version \
             WHERE s.tenant_id = ?"
        )
    };
}

pub(crate) mod sql {
    crate::database::statements! {
        EXISTS = "SELECT count(*) FROM secrets WHERE tenant_id = ? AND name = ? AND environment = ?";
        COUNT = "SELECT count(*) FROM secrets WHERE tenant_id = ?";
        PUT = "INSERT INTO secrets (tenant_id, name, environment, ciphertext, nonce, key_version, hosts, expires_at, \
               version, created_at, created_by, updated_at, updated_by) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?9, ?10) \
               ON CONFLICT (tenant_id, name, environment) DO UPDATE SET ciphertext = excluded.ciphertext, nonce = excluded.nonce, \
               key_version = excluded.key_version, hosts = excluded.hosts, expires_at = excluded.expires_at, \
               version = secrets.version + 1, updated_at = excluded.updated_at, updated_by = excluded.updated_by";
        GET = concat!(stored!(), " AND s.name = ? AND s.environment = ?");
        ENVIRONMENTS = "SELECT tenant_id, environment FROM secrets WHERE tenant_id = ? AND name = ?";
        LIST = concat!(
            "SELECT ", columns!(), " FROM secrets s WHERE s.tenant_id = ? AND (s.name, s.environment) > (?, ?) \
             ORDER BY s.name, s.environment LIMIT ?"
        );
        REMOVE = "DELETE FROM secrets WHERE tenant_id = ? AND name = ? AND environment = ?";
        OLDER = concat!(stored!(), " AND s.key_version < ? LIMIT ?");
        RESEAL = "UPDATE secrets SET ciphertext = ?, nonce = ?, key_version = ? \
                  WHERE tenant_id = ? AND name = ? AND environment = ? AND version = ?";
    }
}

impl Secrets<'_> {
    /// Writes the value; `version`, `created_at` and `created_by` are taken from what is there. `rows_max` bounds the
    /// tenant's secrets. Err: `OverQuota`, `ForeignRow` when it is of another tenant than the scope's, `NotFound` (the
    /// tenant has no key of that version).
    pub async fn put(&self, row: SecretRow, sealed: SealedSecret, rows_max: u64) -> Result<SecretRow, Error> {
        if row.tenant != *self.scope.tenant() {
            return Err(Error::ForeignRow { table: "secrets" });
        }
        let version = sealed.key_version;
        match self.store.write(self.scope, move |conn| Box::pin(put(conn, row, sealed, rows_max))).await {
            Err(Error::Query(error)) if is_refusal(&error) => {
                Err(Error::NotFound { kind: "tenant key", name: version.to_string() })
            }
            other => other,
        }
    }

    pub async fn get(&self, name: &str, environment: Environment) -> Result<Option<StoredSecret>, Error> {
        let query = of(sql::GET, self.scope.tenant(), name).bind(environment.as_str());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| decode_stored(&mut self.columns(row, "secrets")?)).transpose()
    }

    /// Where a secret of this name is stored for.
    pub async fn environments(&self, name: &str) -> Result<Vec<Environment>, Error> {
        let query = of(sql::ENVIRONMENTS, self.scope.tenant(), name);
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        let environment = |row| {
            let mut columns = self.columns(row, "secrets")?;
            columns.tenant()?;
            columns.word(Environment::parse)
        };
        rows.iter().map(environment).collect()
    }

    /// By name, then environment. Err: `Cursor`.
    pub async fn list(&self, page: PageRequest) -> Result<Page<SecretRow>, Error> {
        let after = page.after.as_deref().unwrap_or("/");
        let cursor = || Error::Cursor { text: after.to_owned() };
        let (name, environment) = after.split_once('/').ok_or_else(cursor)?;
        let query = of(sql::LIST, self.scope.tenant(), name).bind(environment.to_owned());
        let rows =
            query.bind(page.rows() as i64 + 1).fetch_all(&mut self.store.read(self.scope).await?).await?;
        let items: Result<Vec<_>, _> =
            rows.iter().map(|row| decode(&mut self.columns(row, "secrets")?)).collect();
        Ok(Page::cut(items?, page.rows(), |row| format!("{}/{}", row.name, row.environment)))
    }

    /// False: there was none.
    pub async fn remove(&self, name: &str, environment: Environment) -> Result<bool, Error> {
        let query = of(sql::REMOVE, self.scope.tenant(), name).bind(environment.as_str());
        self.affects(query).await
    }

    /// Some that are encrypted with a key below this version. None are left when it is empty.
    pub async fn older(&self, key_version: u32, limit: u32) -> Result<Vec<StoredSecret>, Error> {
        let query = Query::new(sql::OLDER).bind(self.scope.tenant().to_string());
        let query = query.bind(i64::from(key_version)).bind(i64::from(limit));
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        rows.iter().map(|row| decode_stored(&mut self.columns(row, "secrets")?)).collect()
    }

    /// The same value, encrypted otherwise. False: it was written or removed meanwhile, and nothing was changed.
    pub async fn reseal(&self, row: &SecretRow, sealed: SealedSecret) -> Result<bool, Error> {
        let query = Query::new(sql::RESEAL).bind(sealed.ciphertext).bind(sealed.nonce);
        let query = query.bind(i64::from(sealed.key_version)).bind(self.scope.tenant().to_string());
        let query = query.bind(row.name.clone()).bind(row.environment.as_str());
        self.affects(query.bind(row.version.cast_signed())).await
    }

    async fn affects(&self, query: Query) -> Result<bool, Error> {
        let write = self
            .store
            .write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await? > 0) }));
        write.await
    }
}

async fn put(
    conn: &mut Conn,
    row: SecretRow,
    sealed: SealedSecret,
    rows_max: u64,
) -> Result<SecretRow, Error> {
    let exists = of(sql::EXISTS, &row.tenant, &row.name).bind(row.environment.as_str());
    if count(conn, exists).await? == 0 {
        let used = count(conn, Query::new(sql::COUNT).bind(row.tenant.to_string())).await?;
        if used >= rows_max {
            return Err(Error::OverQuota { what: "secrets of the tenant", used, max: rows_max });
        }
    }
    let query = of(sql::PUT, &row.tenant, &row.name)
        .bind(row.environment.as_str())
        .bind(sealed.ciphertext)
        .bind(sealed.nonce)
        .bind(i64::from(sealed.key_version))
        .bind(row.hosts)
        .bind(row.expires_at.map(quantum_core::time::Timestamp::as_millis))
        .bind(row.updated_at.as_millis())
        .bind(row.updated_by.to_string());
    query.execute(&mut *conn).await?;
    let query = of(sql::GET, &row.tenant, &row.name).bind(row.environment.as_str());
    decode(&mut Columns::new(&query.fetch_one(conn).await?, "secrets"))
}

async fn count(conn: &mut Conn, query: Query) -> Result<u64, Error> {
    Columns::new(&query.fetch_one(conn).await?, "secrets").number()
}

fn of(sql: Sql, tenant: &TenantId, name: &str) -> Query {
    Query::new(sql).bind(tenant.to_string()).bind(name.to_owned())
}

fn decode_stored(columns: &mut Columns<'_>) -> Result<StoredSecret, Error> {
    let row = decode(columns)?;
    let (nonce, ciphertext) = (columns.bytes()?.to_vec(), columns.bytes()?.to_vec());
    let key = decode_key(columns)?;
    let sealed = SealedSecret { key_version: key.version, nonce, ciphertext };
    Ok(StoredSecret { row, sealed, key })
}

/// Reads `columns!`.
fn decode(columns: &mut Columns<'_>) -> Result<SecretRow, Error> {
    Ok(SecretRow {
        tenant: columns.tenant()?,
        name: columns.owned()?,
        environment: columns.word(Environment::parse)?,
        hosts: columns.owned()?,
        expires_at: columns.time_or_null()?,
        version: columns.number()?,
        created_at: columns.time()?,
        created_by: columns.parsed()?,
        updated_at: columns.time()?,
        updated_by: columns.parsed()?,
    })
}
