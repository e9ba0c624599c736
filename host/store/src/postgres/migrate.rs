//! Roles and migrations. They are done by another login than the one that serves: a host cannot change what keeps its
//! tenants apart.
//!
//! The first line of a file states the oldest schema (and program) that may run beside it. A database that needs a
//! newer program than this one is refused before anything is touched.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use super::connect::connection;
use super::options::PATIENCE;
use crate::Error;
use crate::migration::{Migration, newest, newest_applied};

/// In order; a released file never changes.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "start", sql: include_str!("../../migrations/postgres/0001_start.sql") },
    Migration {
        number: 2,
        name: "isolation",
        sql: include_str!("../../migrations/postgres/0002_isolation.sql"),
    },
    Migration {
        number: 3,
        name: "statistics",
        sql: include_str!("../../migrations/postgres/0003_statistics.sql"),
    },
];

/// Of the transaction: two hosts that start at once migrate one after the other.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1903520110)";
/// Each of those who prepare at once is held up by each other one a few times at most.
const ROLE_TRIES: u32 = 100;
/// Without login, rights beyond their grants, or each other's: SET ROLE chooses one.
const ROLES: &str = "DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['app_owner', 'app_user', 'app_journal', 'app_reader', 'app_platform'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
END $$";
const OWNER: &str = "DO $$ BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO app_owner', current_database());
    GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
END $$";
const SCHEMA_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    oldest_schema BIGINT NOT NULL,
    oldest_binary TEXT NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
GRANT SELECT ON schema_migrations TO PUBLIC";
const THERE: &str = "SELECT to_regclass('public.schema_migrations') IS NOT NULL";
const APPLIED: &str =
    "SELECT number, oldest_schema, oldest_binary FROM public.schema_migrations ORDER BY number DESC";
const RECORD: &str =
    "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES ($1, $2, $3, $4)";

/// The login of hosts, made when it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub name: String,
    /// None: as it is; a new one then has none, and the server must know it otherwise.
    pub password: Option<String>,
}

/// Makes the roles and brings the schema to this program's. `owner_url`: a login that may make roles, such as the
/// server's administrator. After a crash in the middle none of it has happened, but for roles. Err: `Connect`,
/// `NewerDatabase`, `Migration`.
pub async fn prepare(owner_url: &str, login: Option<&Login>) -> Result<i64, Error> {
    let mut conn = connection(owner_url, PATIENCE).await?;
    make_roles(&mut conn, login).await?;
    let mut transaction = conn.begin().await?;
    transaction.execute(LOCK).await?;
    transaction.execute(OWNER).await?;
    transaction.execute("SET LOCAL ROLE app_owner").await?;
    transaction.execute(SCHEMA_MIGRATIONS).await?;
    let applied = applied(&mut transaction).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > applied) {
        apply(&mut transaction, migration).await?;
    }
    transaction.commit().await?;
    conn.close().await?;
    Ok(newest(MIGRATIONS))
}

/// Whether migrations of this program are missing. Err: `NewerDatabase`.
pub(super) async fn is_behind(conn: &mut PgConnection) -> Result<bool, Error> {
    let there: bool = sqlx::query(THERE).fetch_one(&mut *conn).await?.try_get(0)?;
    Ok(!there || applied(conn).await? < newest(MIGRATIONS))
}

/// No lock holds others back: roles belong to the server, and locks to a database. Who comes second finds a role made, or
/// just being changed, and looks again.
async fn make_roles(conn: &mut PgConnection, login: Option<&Login>) -> Result<(), sqlx::Error> {
    let mut tries = 1;
    loop {
        let made = async {
            conn.execute(ROLES).await?;
            conn.execute("GRANT app_owner TO CURRENT_USER").await?;
            match login {
                Some(login) => make_login(&mut *conn, login).await,
                None => Ok(()),
            }
        };
        match made.await {
            Err(error) if tries < ROLE_TRIES && is_race(&error) => tries += 1,
            other => return other,
        }
    }
}

fn is_race(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|told| {
        let code = told.code().unwrap_or_default();
        matches!(&*code, "42710" | "23505" | "40001" | "40P01")
            || told.message().contains("concurrently updated")
    })
}

async fn make_login(conn: &mut PgConnection, login: &Login) -> Result<(), sqlx::Error> {
    let name = identifier(&login.name);
    let known = sqlx::query("SELECT 1 FROM pg_roles WHERE rolname = $1").bind(&login.name);
    if known.fetch_optional(&mut *conn).await?.is_none() {
        let make =
            format!("CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT");
        conn.execute(AssertSqlSafe(make)).await?;
    }
    if let Some(password) = &login.password {
        let set = format!("ALTER ROLE {name} PASSWORD '{}'", password.replace('\'', "''"));
        conn.execute(AssertSqlSafe(set)).await?;
    }
    let grant = format!("GRANT app_user, app_journal, app_reader, app_platform TO {name}");
    conn.execute(AssertSqlSafe(grant)).await?;
    Ok(())
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn applied(conn: &mut PgConnection) -> Result<i64, Error> {
    newest_applied(sqlx::query_as(APPLIED).fetch_all(conn).await?, MIGRATIONS)
}

async fn apply(conn: &mut PgConnection, migration: &Migration) -> Result<(), Error> {
    let (oldest_schema, oldest_binary) = migration.beside()?;
    let done = conn.execute(sqlx::raw_sql(migration.sql)).await;
    done.map_err(|error| migration.failed(error.to_string()))?;
    let record = sqlx::query(RECORD).bind(migration.number).bind(migration.name).bind(oldest_schema);
    record.bind(oldest_binary).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_states_what_may_run_beside_it_and_they_are_in_order() {
        crate::migration::check_order(MIGRATIONS);
    }
}
