//! Where the writer writes: its one connection to SQLite, or a transaction of PostgreSQL.

use quantum_core::id::TenantId;
use sqlx::{Connection, SqliteConnection};

use super::Faults;
use crate::database::Conn;
use crate::postgres::Postgres;
use crate::sqlite::{migrate, writer_connection};
use crate::{Error, StoreOptions};

/// Transactions of PostgreSQL that are under way at a time. No two of them are about the same execution, since whoever
/// commits waits for it before it commits again; where they are all the same, the database lets one wait for the other.
pub(crate) const LANES: u32 = 2;

pub(crate) enum Target {
    Sqlite { options: StoreOptions, conn: Option<Box<SqliteConnection>> },
    Postgres(Postgres),
}

impl Target {
    pub const fn sqlite(options: StoreOptions) -> Self {
        Self::Sqlite { options, conn: None }
    }

    /// Beside this one. SQLite has one writer; PostgreSQL works on one transaction while it syncs another.
    pub(super) fn more_lanes(&self) -> Vec<Self> {
        match self {
            Self::Sqlite { .. } => Vec::new(),
            Self::Postgres(postgres) => (1..LANES).map(|_| Self::Postgres(postgres.clone())).collect(),
        }
    }

    pub(super) const fn faults(&self) -> Option<&Faults> {
        match self {
            Self::Sqlite { options, .. } => options.faults.as_ref(),
            Self::Postgres(postgres) => postgres.faults(),
        }
    }

    pub(super) async fn open(&mut self) -> Result<(), Error> {
        let Self::Sqlite { options, conn } = self else { return Ok(()) };
        let opened = writer_connection(options).await;
        let mut opened = opened.map_err(|source| Error::Open {
            path: options.path.clone(),
            hint: "the path must be a database of this program or a new file in a writable folder",
            source,
        })?;
        migrate(&mut opened).await?;
        *conn = Some(Box::new(opened));
        Ok(())
    }

    /// A transaction that may write for these tenants.
    pub(super) async fn begin(&mut self, tenants: &[TenantId]) -> Result<Conn, sqlx::Error> {
        match self {
            Self::Sqlite { options, conn } => {
                let conn = match conn.take() {
                    Some(conn) => conn,
                    None => Box::new(writer_connection(options).await?),
                };
                let mut conn = Conn::Writer(conn);
                conn.run("BEGIN IMMEDIATE").await?;
                Ok(conn)
            }
            Self::Postgres(postgres) => postgres.begin_batch(tenants).await,
        }
    }

    pub(super) async fn commit(&mut self, conn: Conn) -> Result<(), sqlx::Error> {
        let kept = conn.commit().await?;
        if let Self::Sqlite { conn, .. } = self {
            *conn = kept;
        }
        Ok(())
    }

    /// Nothing of the transaction is kept. The next one starts from what is really in the database.
    pub(super) async fn abandon(&self, conn: Conn) {
        if let Conn::Writer(conn) = conn {
            // Closing rolls back whatever is left of it.
            drop(conn.close().await);
        }
    }

    /// Closing the last connection folds SQLite's log into the database.
    pub(super) async fn close(self) {
        let Self::Sqlite { conn: Some(conn), .. } = self else { return };
        if let Err(error) = conn.close().await {
            tracing::warn!(error = %error, "the database was not closed in order; its log is read at the next start");
        }
    }
}
