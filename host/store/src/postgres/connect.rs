//! The pool of connections, and transactions with the rights of whoever asks.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, PgPool};

use super::{PostgresOptions, check, migrate, options::shown, session};
use crate::access::Access;
use crate::database::{Code, Conn, code};
use crate::writer::Faults;
use crate::{Error, Unavailable};

/// Prepared statements kept per connection.
const STATEMENTS_KEPT: usize = 512;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: PgPool,
    faults: Option<Faults>,
}

impl Postgres {
    /// Brings the schema to this program's when it may, and checks that row-level security holds for this login. Err:
    /// `Connect`, `NewerDatabase`, `NotPrepared`, `Unsafe`.
    pub async fn connect(options: PostgresOptions) -> Result<Self, Error> {
        let mut conn = connection(&options.url).await?;
        if migrate::is_behind(&mut conn).await? {
            let Some(owner) = &options.owner_url else {
                return Err(Error::NotPrepared { place: shown(&options.url) });
            };
            migrate::prepare(owner, None).await?;
        }
        let findings = check::findings(&mut conn).await?;
        if let Some(first) = findings.into_iter().find(|finding| finding.is_fatal) {
            return Err(Error::Unsafe {
                place: shown(&options.url),
                finding: first.text,
                remedy: first.remedy,
            });
        }
        let pool = PgPoolOptions::new()
            .max_connections(options.connections.max(3))
            .acquire_timeout(options.patience)
            .connect_lazy_with(parse(&options.url)?);
        Ok(Self { pool, faults: options.faults })
    }

    pub const fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    pub async fn begin(&self, access: Access<'_>) -> Result<Conn, sqlx::Error> {
        self.begin_with(session::reading(access)).await
    }

    /// `statement`: as `session` makes it.
    pub async fn begin_with(&self, statement: String) -> Result<Conn, sqlx::Error> {
        Ok(Conn::Postgres(self.pool.begin_with(AssertSqlSafe(statement)).await?))
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// One connection outside of the pool. Err: `Connect`.
pub(super) async fn connection(url: &str) -> Result<PgConnection, Error> {
    let opened = parse(url)?.connect().await;
    opened.map_err(|source| Error::Connect { place: shown(url), hint: hint(&source), source })
}

fn parse(url: &str) -> Result<PgConnectOptions, Error> {
    let parsed = PgConnectOptions::from_str(url);
    let hint = "write it as postgres://user:password@host:5432/database?sslmode=verify-full";
    let parsed = parsed.map_err(|source| Error::Connect { place: shown(url), hint, source })?;
    Ok(parsed
        .application_name("quantum")
        .statement_cache_capacity(STATEMENTS_KEPT)
        .disable_statement_logging())
}

/// What a person can do about it.
fn hint(error: &sqlx::Error) -> &'static str {
    let told = error.as_database_error().and_then(|told| told.code()).unwrap_or_default();
    match &*told {
        "28P01" | "28000" => "the user or the password is not right; look at the URL and at pg_hba.conf",
        "3D000" => "the database does not exist; make it with: createdb NAME",
        "53300" => "the server has no connection left; raise max_connections or lower --store-connections",
        _ => match error {
            sqlx::Error::Tls(_) => "TLS failed; look at sslmode and sslrootcert in the URL",
            _ => "is the server running, and is this its address?",
        },
    }
}

/// What a failed statement means for whoever asked: PostgreSQL may be back soon.
///
/// Err: it is an error of SQLite, or a defect.
pub(crate) fn unavailable(error: sqlx::Error) -> Result<Unavailable, sqlx::Error> {
    let told = error.as_database_error();
    if told.is_some_and(|told| told.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_none()) {
        return Err(error);
    }
    let reason = match code(&error) {
        Code::Gone => "the database cannot be reached",
        Code::Full => "no space is left in the database",
        Code::ReadOnly => "the database takes no writes: it is a replica, or read-only",
        Code::Busy => "the database has no connection or lock free",
        _ => return Err(error),
    };
    Ok(Unavailable { reason, source: Some(Arc::new(error)) })
}
