//! Roles and migrations. They are done by another login than the one that serves: a host cannot change what keeps its
//! tenants apart.
//!
//! The first line of a file states the oldest schema (and program) that may run beside it. A database that needs a
//! newer program than this one is refused before anything is touched.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use super::connect::connection;
use super::options::PATIENCE;
use super::verifier::verifier;
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
    Migration { number: 4, name: "tenant", sql: include_str!("../../migrations/postgres/0004_tenant.sql") },
    Migration { number: 5, name: "usage", sql: include_str!("../../migrations/postgres/0005_usage.sql") },
    Migration { number: 6, name: "open", sql: include_str!("../../migrations/postgres/0006_open.sql") },
    Migration {
        number: 7,
        name: "usage of all",
        sql: include_str!("../../migrations/postgres/0007_usage_of_all.sql"),
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
/// Ends with the transaction: no node takes a lease meanwhile.
const LOCK_NODES: &str = "LOCK TABLE nodes IN SHARE MODE";
const SERVING: &str =
    "SELECT name || ' (' || version || ')' FROM nodes WHERE lease_until > app.now() ORDER BY started_at";
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
/// server's administrator. After a crash in the middle none of it has happened, but for roles. Hosts may serve meanwhile,
/// unless a migration says otherwise. Err: `Connect`, `Password`, `NewerDatabase`, `NodesServe`,
/// `Migration`.
pub async fn prepare(owner_url: &str, login: Option<&Login>) -> Result<i64, Error> {
    prepare_to(MIGRATIONS, owner_url, login).await
}

async fn prepare_to(migrations: &[Migration], owner_url: &str, login: Option<&Login>) -> Result<i64, Error> {
    let mut conn = connection(owner_url, PATIENCE).await?;
    make_roles(&mut conn, login).await?;
    let mut transaction = conn.begin().await?;
    transaction.execute(LOCK).await?;
    transaction.execute(OWNER).await?;
    transaction.execute("SET LOCAL ROLE app_owner").await?;
    transaction.execute(SCHEMA_MIGRATIONS).await?;
    let applied = applied_of(&mut transaction, migrations).await?;
    let pending = migrations.iter().filter(|migration| migration.number > applied);
    for migration in pending {
        spare_nodes(&mut transaction, applied, migration).await?;
        apply(&mut transaction, migration).await?;
    }
    transaction.commit().await?;
    conn.close().await?;
    Ok(newest(migrations))
}

/// Hosts that serve know the schema that is there. A migration that they cannot run beside waits until they have ended.
/// Err: `NodesServe`.
async fn spare_nodes(conn: &mut PgConnection, applied: i64, migration: &Migration) -> Result<(), Error> {
    let (oldest_schema, _) = migration.beside()?;
    if applied == 0 || oldest_schema <= applied {
        return Ok(());
    }
    conn.execute(LOCK_NODES).await?;
    let nodes: Vec<String> = sqlx::query_scalar(SERVING).fetch_all(conn).await?;
    if nodes.is_empty() {
        return Ok(());
    }
    Err(Error::NodesServe { number: migration.number, nodes: nodes.join(", ") })
}

/// Whether migrations of this program are missing. Err: `NewerDatabase`.
pub(super) async fn is_behind(conn: &mut PgConnection) -> Result<bool, Error> {
    let there: bool = sqlx::query(THERE).fetch_one(&mut *conn).await?.try_get(0)?;
    Ok(!there || applied(conn).await? < newest(MIGRATIONS))
}

/// No lock holds others back: roles belong to the server, and locks to a database. Who comes second finds a role made, or
/// just being changed, and looks again.
async fn make_roles(conn: &mut PgConnection, login: Option<&Login>) -> Result<(), Error> {
    let verifier = login.and_then(|login| login.password.as_deref()).map(verifier).transpose()?;
    let mut tries = 1;
    loop {
        let made = async {
            conn.execute(ROLES).await?;
            conn.execute("GRANT app_owner TO CURRENT_USER").await?;
            match login {
                Some(login) => make_login(&mut *conn, &login.name, verifier.as_deref()).await,
                None => Ok(()),
            }
        };
        match made.await {
            Err(error) if tries < ROLE_TRIES && is_race(&error) => tries += 1,
            other => return Ok(other?),
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

async fn make_login(conn: &mut PgConnection, name: &str, verifier: Option<&str>) -> Result<(), sqlx::Error> {
    let known = sqlx::query("SELECT 1 FROM pg_roles WHERE rolname = $1").bind(name.to_owned());
    let name = identifier(name);
    if known.fetch_optional(&mut *conn).await?.is_none() {
        let make =
            format!("CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT");
        conn.execute(AssertSqlSafe(make)).await?;
    }
    if let Some(verifier) = verifier {
        let set = format!("ALTER ROLE {name} PASSWORD '{verifier}'");
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
    applied_of(conn, MIGRATIONS).await
}

async fn applied_of(conn: &mut PgConnection, migrations: &[Migration]) -> Result<i64, Error> {
    newest_applied(sqlx::query_as(APPLIED).fetch_all(conn).await?, migrations)
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
    use quantum_core::time::Timestamp;

    use super::super::fixtures::{opener, prepared};
    use super::*;
    use crate::conformance::{create, scope, with_tenants};
    use crate::{NodeRecord, Store};

    /// What a later release may bring: the first host after it runs beside this program, and then not any more.
    fn later(sql: &'static str) -> Vec<Migration> {
        let known = MIGRATIONS.iter();
        let known = known.map(|one| Migration { number: one.number, name: one.name, sql: one.sql });
        known.chain([Migration { number: newest(MIGRATIONS) + 1, name: "later", sql }]).collect()
    }

    const COMPATIBLE: &str = "-- oldest schema beside it: 1, oldest binary beside it: 0.1.0
        ALTER TABLE executions ADD COLUMN note TEXT;
        CREATE TABLE notes (tenant_id TEXT COLLATE \"C\" NOT NULL REFERENCES tenants (id), PRIMARY KEY (tenant_id));
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_isolation ON notes TO app_user USING (tenant_id = (SELECT app.tenant()))";
    /// Of a schema that this program does not know.
    const INCOMPATIBLE: &str = "-- oldest schema beside it: 99, oldest binary beside it: 0.9.0
        ALTER TABLE executions RENAME COLUMN summary TO told";

    fn node(name: &str) -> NodeRecord {
        let (id, name, version) = (format!("{name}-1"), name.to_owned(), "0.1.0".to_owned());
        NodeRecord { id, name, version, url: None, started_at: Timestamp::from_millis(0) }
    }

    #[tokio::test]
    async fn hosts_serve_on_while_a_later_release_prepares_the_database_and_start_on_it() {
        let Some((database, options)) = prepared().await else { return };
        let store = with_tenants(&opener(options.clone()), &["t-1"]).await.unwrap();
        store.nodes().register(&node("a"), 3_600_000, Timestamp::from_millis(0)).await.unwrap();
        store.journal().commit(create(&scope("t-1"), 1)).await.unwrap();
        assert_eq!(
            prepare_to(&later(COMPATIBLE), &database.url(), None).await.unwrap(),
            newest(MIGRATIONS) + 1
        );
        store.journal().commit(create(&scope("t-1"), 2)).await.unwrap();
        let another = Store::connect(options).await.unwrap();
        assert_eq!(another.platform().open_executions(None, 10).await.unwrap().len(), 2);
        prepare(&database.url(), None).await.expect("an older prepare has nothing to do");
    }

    /// Nothing of the migration is left of a refused one.
    #[tokio::test]
    async fn a_migration_that_hosts_cannot_run_beside_waits_until_they_have_ended() {
        let Some((database, options)) = prepared().await else { return };
        let store = with_tenants(&opener(options.clone()), &["t-1"]).await.unwrap();
        for name in ["a", "b"] {
            store.nodes().register(&node(name), 3_600_000, Timestamp::from_millis(0)).await.unwrap();
        }
        let refused = prepare_to(&later(INCOMPATIBLE), &database.url(), None).await.unwrap_err();
        assert!(
            matches!(&refused, Error::NodesServe { number, nodes } if *number == newest(MIGRATIONS) + 1 && nodes == "a (0.1.0), b (0.1.0)"),
            "{refused}"
        );
        store.journal().commit(create(&scope("t-1"), 1)).await.unwrap();
        for name in ["a-1", "b-1"] {
            store.nodes().release(name).await.unwrap();
        }
        prepare_to(&later(INCOMPATIBLE), &database.url(), None).await.unwrap();
        let Err(told) = Store::connect(options).await else { panic!("it is too old") };
        assert!(
            matches!(told, Error::NewerDatabase { found, .. } if found == newest(MIGRATIONS) + 1),
            "{told}"
        );
    }

    #[test]
    fn every_migration_states_what_may_run_beside_it_and_they_are_in_order() {
        crate::migration::check_order(MIGRATIONS);
    }
}
