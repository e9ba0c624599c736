//! A connection of either database, as reads and writes get it.

use quantum_core::time::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection};

use super::{Dialect, Query};
use crate::postgres::Transaction;

pub(crate) enum Conn {
    /// The one that writes.
    Writer(Box<SqliteConnection>),
    Reader(PoolConnection<Sqlite>),
    /// With the role and the tenants that it may see. Dropped, nothing of it is kept.
    Postgres(Transaction),
}

impl Conn {
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Writer(_) | Self::Reader(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Err: a statement of SQLite on PostgreSQL, a defect.
    pub(super) fn sqlite(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        match self {
            Self::Writer(conn) => Ok(conn),
            Self::Reader(conn) => Ok(conn),
            Self::Postgres(_) => {
                Err(sqlx::Error::Configuration("a statement of SQLite was sent to PostgreSQL".into()))
            }
        }
    }

    /// The time that leases go by, in milliseconds since the Unix epoch: of the database where several machines use it,
    /// else the caller's.
    pub async fn now(&mut self, callers: Timestamp) -> Result<i64, sqlx::Error> {
        match self.dialect() {
            Dialect::Sqlite => Ok(callers.as_millis()),
            Dialect::Postgres => Query::new("SELECT app.now()").fetch_one(self).await?.int(0),
        }
    }

    /// Statements without arguments and rows: of transactions, for example.
    pub async fn run(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Writer(conn) => sqlx::query(text).execute(&mut **conn).await.map(drop),
            Self::Reader(conn) => sqlx::query(text).execute(&mut **conn).await.map(drop),
            Self::Postgres(conn) => conn.run(text).await,
        }
    }

    /// Makes the transaction durable. Err: it is not; or, from PostgreSQL that does not answer, perhaps it is. Gives
    /// SQLite's connection for the next one.
    pub async fn commit(self) -> Result<Option<Box<SqliteConnection>>, sqlx::Error> {
        match self {
            Self::Writer(mut conn) => {
                sqlx::query("COMMIT").execute(&mut *conn).await?;
                Ok(Some(conn))
            }
            Self::Reader(_) => Ok(None),
            Self::Postgres(transaction) => transaction.commit().await.map(|()| None),
        }
    }

    /// Rolls back what was done so far, and goes on in a transaction that may do the same.
    pub async fn begin_anew(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Writer(_) | Self::Reader(_) => {
                self.run("ROLLBACK").await?;
                self.run("BEGIN IMMEDIATE").await
            }
            Self::Postgres(transaction) => transaction.begin_anew().await,
        }
    }
}
