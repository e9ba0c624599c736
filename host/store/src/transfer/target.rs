//! The database that is written: one connection, which holds the lock of the transfer, so that whatever a former one has
//! begun has ended before another looks at what is there.

use quantum_core::id::TenantId;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row as _, Transaction};

use super::error::TransferError;
use super::page::Page;
use super::schema::{Described, Table};
use super::source::Place;
use super::value::Kind;
use crate::access::Access;
use crate::database::{Code, code};
use crate::postgres::{PostgresOptions, safe_connection, shown, unbounded};

/// Of the connection. A transfer that was cut off is over when the server has seen that nobody is there any more.
const LOCK: &str = "SELECT pg_advisory_lock(1903520116)";
const TIMED_OUT: &str = "55P03";
const COLUMNS: &str = "SELECT c.relname::text, a.attname::text, t.typname::text, a.attgenerated <> '', \
     a.attnotnull AND NOT a.atthasdef, (SELECT k.at FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, at) \
         WHERE i.indrelid = c.oid AND i.indisprimary AND k.attnum = a.attnum) \
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN pg_type t ON t.oid = a.atttypid \
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition \
     ORDER BY c.relname, a.attnum";
const REFERENCES: &str = "SELECT f.relname::text, t.relname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid \
     JOIN pg_class t ON t.oid = k.confrelid WHERE k.contype = 'f' AND f.relnamespace = 'public'::regnamespace";
const MARKER: &str = "SELECT source FROM transfers";
const MARK: &str = "INSERT INTO transfers (source, begun_at) VALUES ($1, app.now())";
const UNMARK: &str = "DELETE FROM transfers";
/// All that a tenant has refers to it.
const FOUND: &str = "SELECT (SELECT count(*) FROM tenants), (SELECT coalesce(min(id), '') FROM tenants), \
     (SELECT count(*) FROM users)";
const HOSTS: &str = "SELECT name FROM nodes WHERE lease_until > app.now() ORDER BY name LIMIT 1";

pub(super) struct Target {
    conn: PgConnection,
    place: String,
}

impl Target {
    /// Err: `Running`, and of the store `Connect`, `NewerDatabase`, `NotPrepared`, `Unsafe`.
    pub async fn open(options: &PostgresOptions) -> Result<Self, TransferError> {
        let mut conn = safe_connection(options).await?;
        let place = shown(&options.url);
        let patience = options.patience.as_millis().max(1);
        let lock = format!("BEGIN; SET LOCAL lock_timeout = {patience}; {LOCK}; COMMIT");
        match conn.execute(sqlx::raw_sql(AssertSqlSafe(lock))).await {
            Ok(_) => Ok(Self { conn, place }),
            Err(error) if has_code(&error, TIMED_OUT) => Err(TransferError::Running { place }),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn columns(&mut self) -> Result<Vec<Described>, TransferError> {
        let rows = sqlx::query(COLUMNS).fetch_all(&mut self.conn).await?;
        let columns = rows.iter().map(|row| {
            Ok(Described {
                table: row.try_get(0)?,
                column: row.try_get(1)?,
                type_name: row.try_get(2)?,
                is_generated: row.try_get(3)?,
                is_needed: row.try_get(4)?,
                key: row.try_get(5)?,
            })
        });
        Ok(columns.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Names of tables, each with one that it refers to.
    pub async fn references(&mut self) -> Result<Vec<(String, String)>, TransferError> {
        let rows = sqlx::query(REFERENCES).fetch_all(&mut self.conn).await?;
        let pairs = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        Ok(pairs.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Keeps hosts away. Gives whether a former transfer of the same folder goes on. Err: `NotEmpty`, `OtherSource`,
    /// `Served`.
    pub async fn mark(&mut self, source_dir: &str) -> Result<bool, TransferError> {
        if let Some(row) = sqlx::query(MARKER).fetch_optional(&mut self.conn).await? {
            let other: String = row.try_get(0)?;
            if other == source_dir {
                return Ok(true);
            }
            return Err(TransferError::OtherSource { place: self.place.clone(), source_dir: other });
        }
        let place = self.place.clone();
        let mut transaction = self.begin(None).await?;
        let row = sqlx::query(FOUND).fetch_one(&mut *transaction).await?;
        if let Some(found) = found(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?) {
            return Err(TransferError::NotEmpty { place, found });
        }
        if let Some(row) = sqlx::query(HOSTS).fetch_optional(&mut *transaction).await? {
            return Err(TransferError::Served { place, host: row.try_get(0)? });
        }
        sqlx::query(MARK).bind(source_dir).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(false)
    }

    /// From now on a host may start.
    pub async fn unmark(mut self) -> Result<(), TransferError> {
        let mut transaction = self.begin(None).await?;
        sqlx::query(UNMARK).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(self.conn.close().await?)
    }

    /// With the rights of the tenant, or of the platform. A future that is dropped in the middle takes the connection with
    /// it.
    pub async fn begin(
        &mut self,
        tenant: Option<&TenantId>,
    ) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
        let access = tenant.map_or(Access::Platform, Access::Tenant);
        self.conn.begin_with(AssertSqlSafe(unbounded(access))).await
    }

    /// How far a former transfer came. None: there is no row yet.
    pub async fn last_key(
        &mut self,
        table: &Table,
        tenant: Option<&TenantId>,
    ) -> Result<Option<Vec<Place>>, TransferError> {
        let mut transaction = self.begin(tenant).await?;
        let query = sqlx::query(AssertSqlSafe(table.select_last_key()));
        let query = tenant.into_iter().fold(query, |query, tenant| query.bind(tenant.to_string()));
        let Some(row) = query.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let key = table.key_after_tenant().into_iter().enumerate().map(|(at, column)| match column.kind {
            Kind::Int => row.try_get(at).map(Place::Int),
            _ => row.try_get(at).map(Place::Text),
        });
        Ok(Some(key.collect::<Result<_, _>>()?))
    }

    /// All rows of the page, or none. Err: `Refused`, which names the row; those before it are there.
    pub async fn write(
        &mut self,
        table: &Table,
        tenant: Option<&TenantId>,
        page: &Page,
    ) -> Result<(), TransferError> {
        match self.put(&table.insert(), tenant, page).await {
            Ok(()) => Ok(()),
            Err(error) if !is_of_rows(&error) => Err(error.into()),
            Err(_) if page.rows() > 1 => {
                for single in page.singly() {
                    let written = self.put(&table.insert(), tenant, &single).await;
                    written.map_err(|source| refused(table, &single, source))?;
                }
                Ok(())
            }
            Err(source) => Err(refused(table, page, source)),
        }
    }

    /// One transaction: a statement with an array a column.
    pub async fn put(
        &mut self,
        statement: &str,
        tenant: Option<&TenantId>,
        page: &Page,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin(tenant).await?;
        page.bind(sqlx::query(AssertSqlSafe(statement.to_owned()))).execute(&mut *transaction).await?;
        transaction.commit().await
    }
}

fn refused(table: &Table, page: &Page, source: sqlx::Error) -> TransferError {
    TransferError::Refused { table: table.name.clone(), row: page.first_key(table), source }
}

/// Rather than of the server.
fn is_of_rows(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some() && matches!(code(error), Code::Constraint | Code::Value | Code::Other)
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(|told| told.code()).is_some_and(|found| found == code)
}

/// What is there, for people.
fn found(tenants: i64, first: String, users: i64) -> Option<String> {
    match (tenants, users) {
        (0, 0) => None,
        (0, users) => Some(format!("{users} users")),
        (1, users) => Some(format!("the tenant \"{first}\" and {users} users")),
        (tenants, users) => {
            Some(format!("{tenants} tenants, the first of them \"{first}\", and {users} users"))
        }
    }
}
