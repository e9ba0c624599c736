//! What is PostgreSQL's own. Each test has a database of its own, a copy of one that was prepared once.

mod differential;
mod half_open;
mod newer;
mod opening;
mod plans;
mod pool;
mod raw;
mod text;
mod tls;
mod transfer;
mod truth;

use quantum_store::conformance::{LOGIN, Open, prepare_database};
use quantum_store::{PostgresOptions, Store};
use quantum_testing::{Postgres, TestDatabase, or_skip};
use sqlx::{Connection, PgConnection};

pub struct Prepared {
    server: &'static Postgres,
    database: TestDatabase,
}

/// None: PostgreSQL is not installed, which was reported.
pub async fn prepared() -> Option<Prepared> {
    let server = or_skip(Postgres::shared())?;
    Some(Prepared { server, database: server.prepared(prepare_database) })
}

impl Prepared {
    pub fn options(&self) -> PostgresOptions {
        PostgresOptions::new(self.server.url(self.database.name(), LOGIN))
    }

    /// As the superuser; rows as lines, columns apart by `|`.
    #[track_caller]
    pub fn query(&self, sql: &str) -> String {
        self.database.query(sql)
    }

    /// Of the login, on this database.
    pub fn end_sessions(&self) {
        self.query(&format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
             WHERE datname = current_database() AND usename = '{LOGIN}'"
        ));
    }

    /// A further connection of the superuser.
    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.database.url()).await.expect("a connection")
    }

    pub fn opener(&self) -> Box<Open> {
        let options = self.options();
        Box::new(move || Box::pin(Store::connect(options.clone())))
    }
}
