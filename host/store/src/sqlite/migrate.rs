//! Migrations: numbered files, applied in order at open, in one transaction under the write lock.
//!
//! The first line of a file states the oldest schema (and program) that may run beside it. A database that needs a
//! newer program than this one is refused before anything is touched.

use sqlx::SqliteConnection;

use crate::Error;
use crate::migration::{Migration, newest, newest_applied};

/// In order; a released file never changes.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "start", sql: include_str!("../../migrations/sqlite/0001_start.sql") },
    Migration { number: 2, name: "settings", sql: include_str!("../../migrations/sqlite/0002_settings.sql") },
    Migration { number: 3, name: "effects", sql: include_str!("../../migrations/sqlite/0003_effects.sql") },
    Migration { number: 4, name: "starts", sql: include_str!("../../migrations/sqlite/0004_starts.sql") },
    Migration {
        number: 5,
        name: "tenant_settings",
        sql: include_str!("../../migrations/sqlite/0005_tenant_settings.sql"),
    },
    Migration {
        number: 6,
        name: "schedules",
        sql: include_str!("../../migrations/sqlite/0006_schedules.sql"),
    },
    Migration {
        number: 7,
        name: "blueprints",
        sql: include_str!("../../migrations/sqlite/0007_blueprints.sql"),
    },
    Migration {
        number: 8,
        name: "retention",
        sql: include_str!("../../migrations/sqlite/0008_retention.sql"),
    },
    Migration { number: 9, name: "lists", sql: include_str!("../../migrations/sqlite/0009_lists.sql") },
    Migration { number: 10, name: "nodes", sql: include_str!("../../migrations/sqlite/0010_nodes.sql") },
    Migration { number: 11, name: "usage", sql: include_str!("../../migrations/sqlite/0011_usage.sql") },
];

const SCHEMA_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    oldest_schema INTEGER NOT NULL,
    oldest_binary TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT";
const APPLIED: &str =
    "SELECT number, oldest_schema, oldest_binary FROM schema_migrations ORDER BY number DESC";
const RECORD: &str =
    "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES (?, ?, ?, ?)";

/// Brings the database to this program's schema. After a crash in the middle, none of it has happened.
pub(crate) async fn migrate(conn: &mut SqliteConnection) -> Result<(), Error> {
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut *conn).await?;
    let applied = apply_missing(conn).await;
    let end = if applied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    sqlx::query(end).execute(&mut *conn).await?;
    applied
}

/// The newest schema that this program knows.
pub(crate) fn known_schema() -> i64 {
    newest(MIGRATIONS)
}

async fn apply_missing(conn: &mut SqliteConnection) -> Result<(), Error> {
    sqlx::query(SCHEMA_MIGRATIONS).execute(&mut *conn).await?;
    let newest = applied_schema(conn).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > newest) {
        apply(conn, migration).await?;
    }
    Ok(())
}

/// The newest schema that was applied. Err: `NewerDatabase`, when this program may not run beside it.
pub(crate) async fn applied_schema(conn: &mut SqliteConnection) -> Result<i64, Error> {
    newest_applied(sqlx::query_as(APPLIED).fetch_all(conn).await?, MIGRATIONS)
}

async fn apply(conn: &mut SqliteConnection, migration: &Migration) -> Result<(), Error> {
    let (oldest_schema, oldest_binary) = migration.beside()?;
    let done = sqlx::raw_sql(migration.sql).execute(&mut *conn).await;
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
