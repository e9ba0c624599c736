//! The pool of connections, and transactions with the rights of whoever asks.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use quantum_core::id::TenantId;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool};

use super::transaction::{Transaction, within};
use super::{Finding, PostgresOptions, check, migrate, options::shown, session};
use crate::access::Access;
use crate::database::{Code, Conn, code};
use crate::writer::{Faults, LANES};
use crate::{Error, Unavailable};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Prepared statements kept per connection.
const STATEMENTS_KEPT: usize = 512;

/// How statements are planned, before anything is known of the tables: each statement looks rows up by a key, a batch of
/// them too, and none reads a table from end to end. With the server's guess of a batch's size it would.
const BY_KEY: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";
/// News are hints: a node that dies with its server may lose them, and nobody waits for the disk.
const AT_ONCE: &str = "SET synchronous_commit = off";

/// Of a COMMIT without an answer.
pub(crate) const UNCONFIRMED: &str = "the database was lost before it confirmed: what was written is there whole, or not at all; \
     read before you repeat it";

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: PgPool,
    /// Of those who wait for a turn: they hold one while they need another to go on.
    turns: PgPool,
    /// Of announcements: one that listens, and one that tells.
    notices: PgPool,
    /// Of the writer: readers that take all of theirs do not hold commits up.
    journal: PgPool,
    /// Tells this store from others of the same database.
    name: String,
    patience: Duration,
    faults: Option<Faults>,
}

impl Postgres {
    /// Brings the schema to this program's when it may, and checks that row-level security holds for this login. Err:
    /// `Connect`, `NewerDatabase`, `NotPrepared`, `Unsafe`.
    pub async fn connect(options: PostgresOptions) -> Result<Self, Error> {
        let mut conn = safe_connection(&options).await?;
        refuse(&options, check::of_transfer(&mut conn).await?)?;
        let turns = (options.connections() / 4).clamp(1, 4);
        let unprobed = |connections: u32, settings: &'static str| {
            let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(options.patience);
            let pool = pool.after_connect(move |conn, _| {
                Box::pin(async move { conn.execute(sqlx::raw_sql(settings)).await.map(drop) })
            });
            pool.test_before_acquire(false)
        };
        let probe_max = probe_max(options.patience);
        let probed = |connections, settings| {
            unprobed(connections, settings).before_acquire(move |conn, _| {
                Box::pin(async move { within(probe_max, conn.ping()).await.map(|()| true) })
            })
        };
        let to = parse(&options.url)?;
        let open = |pool: PgPoolOptions| pool.connect_lazy_with(to.clone());
        let of_others = options.connections().saturating_sub(turns + 2 + LANES).max(1);
        let name = format!("{:016x}", random()?);
        Ok(Self {
            pool: open(probed(of_others, BY_KEY)),
            turns: open(probed(turns, BY_KEY)),
            notices: open(probed(2, AT_ONCE)),
            journal: open(unprobed(LANES, BY_KEY)),
            name,
            patience: options.patience,
            faults: options.faults,
        })
    }

    /// Holds the turn of a tenant until it is dropped.
    pub async fn turn(&self, tenant: &TenantId) -> Result<Conn, sqlx::Error> {
        let statement = session::deciding(tenant, self.patience);
        Transaction::begin(&self.turns, statement, self.answer_max()).await.map(Conn::Postgres)
    }

    pub fn notices(&self) -> PgPool {
        self.notices.clone()
    }

    /// For the writer.
    pub fn of_journal(&self) -> Self {
        Self { pool: self.journal.clone(), ..self.clone() }
    }

    /// For what goes on beside requests: those do not wait for it.
    pub fn beside_requests(&self) -> Self {
        Self { pool: self.notices.clone(), ..self.clone() }
    }

    pub fn name(&self) -> String {
        self.name.clone()
    }

    pub const fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    pub async fn begin(&self, access: Access<'_>) -> Result<Conn, sqlx::Error> {
        self.begin_with(session::reading(access, self.patience)).await
    }

    /// For the writer, of whose connections nobody asks before whether they are alive: that is a message to the server and
    /// back for each batch.
    pub async fn begin_batch(&self, tenants: &[TenantId]) -> Result<Conn, sqlx::Error> {
        let statement = session::reading(Access::Journal(tenants), self.patience);
        let probing = (LANES, probe_max(self.patience));
        let begun = Transaction::begin_probing(&self.pool, &statement, probing, self.answer_max());
        begun.await.map(Conn::Postgres)
    }

    /// For `begin_with`: a transaction that changes rows of its tenant, alone.
    pub fn changing(&self, access: Access<'_>) -> String {
        session::changing(access, self.patience)
    }

    /// `statement`: as `session` makes it.
    pub async fn begin_with(&self, statement: String) -> Result<Conn, sqlx::Error> {
        Transaction::begin(&self.pool, statement, self.answer_max()).await.map(Conn::Postgres)
    }

    /// The server gives up first, and then the connection stays.
    fn answer_max(&self) -> Duration {
        self.patience + self.patience / 2
    }

    #[cfg(test)]
    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Waits for whoever has a connection, but not for a server that says nothing.
    pub async fn close(&self) {
        let close = async {
            self.pool.close().await;
            self.turns.close().await;
            self.journal.close().await;
            self.notices.close().await;
            Ok(())
        };
        if let Err(error) = within(self.answer_max() * 2, close).await {
            tracing::warn!(error = %error, "connections to the database were left open");
        }
    }

    pub fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }
}

/// One connection outside of the pool, to a database of this program's schema that keeps tenants apart. Err: `Connect`,
/// `NewerDatabase`, `NotPrepared`, `Unsafe`.
pub(crate) async fn safe_connection(options: &PostgresOptions) -> Result<PgConnection, Error> {
    let mut conn = connection(&options.url, options.patience).await?;
    if migrate::is_behind(&mut conn).await? {
        let Some(owner) = &options.owner_url else {
            return Err(Error::NotPrepared { place: shown(&options.url) });
        };
        migrate::prepare(owner, None).await?;
    }
    refuse(options, check::safety(&mut conn).await?)?;
    Ok(conn)
}

fn refuse(options: &PostgresOptions, findings: Vec<Finding>) -> Result<(), Error> {
    match findings.into_iter().find(|finding| finding.is_fatal) {
        None => Ok(()),
        Some(Finding { text, remedy, .. }) => {
            Err(Error::Unsafe { place: shown(&options.url), finding: text, remedy })
        }
    }
}

/// One connection outside of the pool. Err: `Connect`.
pub(super) async fn connection(url: &str, patience: Duration) -> Result<PgConnection, Error> {
    let opened = within(patience, parse(url)?.connect()).await;
    opened.map_err(|source| Error::Connect { place: shown(url), hint: hint(&source), source })
}

/// One that died without a word is given up while there is time left to open another one.
fn probe_max(patience: Duration) -> Duration {
    patience / 2
}

fn parse(url: &str) -> Result<PgConnectOptions, Error> {
    // sqlx takes any scheme, and the defaults for what it does not find then: the server of this machine.
    let is_whole = SCHEMES.iter().any(|scheme| url.starts_with(scheme));
    let parsed = if is_whole {
        PgConnectOptions::from_str(url)
    } else {
        Err(sqlx::Error::Configuration("no such scheme".into()))
    };
    let hint = "write it as postgres://user:password@host:5432/database?sslmode=verify-full";
    let parsed = parsed.map_err(|source| Error::Connect { place: shown(url), hint, source })?;
    Ok(parsed
        .application_name("quantum")
        .statement_cache_capacity(STATEMENTS_KEPT)
        .disable_statement_logging())
}

fn random() -> Result<u64, Error> {
    let mut bytes = [0; 8];
    let failed = |_| sqlx::Error::Configuration("the system gives no random bytes".into());
    aws_lc_rs::rand::fill(&mut bytes).map_err(failed)?;
    Ok(u64::from_be_bytes(bytes))
}

const TLS_FAILED: &str = "TLS failed; look at sslmode and sslrootcert in the URL";

/// What a person can do about it.
fn hint(error: &sqlx::Error) -> &'static str {
    let told = error.as_database_error().and_then(|told| told.code()).unwrap_or_default();
    match &*told {
        "28P01" | "28000" => "the user or the password is not right; look at the URL and at pg_hba.conf",
        "3D000" => "the database does not exist; make it with: createdb NAME",
        "53300" => "the server has no connection left; raise max_connections or lower --store-connections",
        _ => match error {
            sqlx::Error::Tls(_) => TLS_FAILED,
            // What the handshake refuses, such as a certificate.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => TLS_FAILED,
            _ => "is the server running, and is this its address?",
        },
    }
}

/// What it means that COMMIT did not succeed. Where the server is gone it may have come that far, and its answer got lost.
pub(crate) fn unconfirmed(error: sqlx::Error) -> Result<Unavailable, sqlx::Error> {
    match code(&error) {
        Code::Gone => Ok(Unavailable { reason: UNCONFIRMED, source: Some(Arc::new(error)) }),
        _ => unavailable(error),
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
