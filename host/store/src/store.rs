//! The handle of the whole store: opens it, hands out its parts, closes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::SqlitePool;

use crate::Error;
use crate::access::Access;
use crate::announcements::{Announcement, Announcements};
use crate::artifacts::Artifacts;
use crate::blueprints::Blueprints;
use crate::commands::Commands;
use crate::database::{Conn, Dialect};
use crate::executions::{Executions, Turns};
use crate::idempotency::Idempotency;
use crate::installations::Installations;
use crate::intents::Intents;
use crate::journal::Journal;
use crate::key_value::KeyValue;
use crate::logs::Logs;
use crate::nodes::Nodes;
use crate::platform::Platform;
use crate::postgres::{Memory, Notices, Postgres, PostgresOptions};
use crate::schedules::Schedules;
use crate::scope::TenantScope;
use crate::secrets::Secrets;
use crate::sqlite::reader_pool;
use crate::stats::{Counters, Stats};
use crate::tenant_settings::{KnownSettings, Settings};
use crate::usage::UsageOf;
use crate::writer::{Faults, Target, Write, Writer, change};

/// Where the database is, and how large its parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// The database file; made when it is not there, with its folder.
    pub path: PathBuf,
    /// Connections for reading.
    pub readers: u32,
    /// Bytes that the database may grow to; over it writes fail as on a full disk. None: as large as the disk.
    pub bytes_max: Option<u64>,
    /// What goes wrong, in tests.
    pub faults: Option<Faults>,
}

impl StoreOptions {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4, bytes_max: None, faults: None }
    }
}

/// Whether the store can be relied upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Ready,
    /// The last write did not succeed (disk full, for example); the next one may.
    Degraded {
        reason: String,
    },
    /// What was written may not be durable. The host must stop; a new start reads what is really there.
    Failed {
        reason: String,
    },
}

/// Where reads go, and writes that are not of the journal.
#[derive(Clone)]
pub(crate) enum Backend {
    /// Connections that only read: everything is written by the writer's.
    Sqlite(SqlitePool),
    Postgres(Postgres),
}

/// Cheap to clone. Dropped without [`Store::close`], everything acknowledged is still durable.
#[derive(Clone)]
pub struct Store {
    pub(crate) writer: Writer,
    pub(crate) backend: Backend,
    pub(crate) counters: Arc<Counters>,
    pub(crate) settings: Arc<KnownSettings>,
    pub(crate) announcements: Announcements,
    /// To and from other nodes, where there may be some.
    pub(crate) notices: Option<Arc<Notices>>,
    pub(crate) turns: Arc<Turns>,
}

impl Store {
    /// Makes the file and brings its schema to this program's. Err: `NewerDatabase`, `Open`, `Folder`, `Migration`,
    /// `Corrupt` (settings of a tenant).
    pub async fn open(options: StoreOptions) -> Result<Self, Error> {
        if let Some(folder) = options.path.parent() {
            make_folder(folder)?;
        }
        let backend = Backend::Sqlite(reader_pool(&options));
        Self::start(Target::sqlite(options), backend).await
    }

    /// Uses a database of a PostgreSQL server, which other hosts may use, too. Err: `Connect`, `NotPrepared`, `Unsafe`,
    /// `NewerDatabase`, `Migration`, `Corrupt`.
    pub async fn connect(options: PostgresOptions) -> Result<Self, Error> {
        let postgres = Postgres::connect(options).await?;
        Self::start(Target::Postgres(postgres.of_journal()), Backend::Postgres(postgres)).await
    }

    async fn start(target: Target, backend: Backend) -> Result<Self, Error> {
        let counters = Arc::<Counters>::default();
        let writer = Writer::start(target, Arc::clone(&counters)).await?;
        let mut store = Self {
            writer,
            backend,
            counters,
            settings: Arc::default(),
            announcements: Announcements::default(),
            notices: None,
            turns: Arc::default(),
        };
        if let Backend::Postgres(postgres) = &store.backend {
            // Before the settings are read: what is changed from here on is read again.
            store.notices = Some(Arc::new(store.listen(postgres).await?));
        }
        store.settings.load(&store).await?;
        Ok(store)
    }

    async fn listen(&self, postgres: &Postgres) -> Result<Notices, Error> {
        let memory = Memory {
            postgres: postgres.beside_requests(),
            settings: Arc::clone(&self.settings),
            counters: Arc::clone(&self.counters),
            sender: self.announcements.sender.clone(),
        };
        Notices::start(memory, postgres.notices(), postgres.name()).await
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A connection that sees the rows of the scope's tenant.
    pub(crate) async fn read(&self, scope: &TenantScope) -> Result<Conn, Error> {
        self.read_as(Access::Tenant(scope.tenant())).await
    }

    pub(crate) async fn read_as(&self, access: Access<'_>) -> Result<Conn, Error> {
        match &self.backend {
            Backend::Sqlite(readers) => Ok(Conn::Reader(readers.acquire().await?)),
            Backend::Postgres(postgres) => {
                let begun = postgres.begin(access).await.map_err(Error::from);
                self.note(begun.as_ref().err());
                begun
            }
        }
    }

    /// What a failed statement says of the database. That it is well again is said by the next change: nodes make one at
    /// every heartbeat.
    fn note(&self, error: Option<&Error>) {
        if let Some(Error::Unavailable(unavailable)) = error {
            let cause = unavailable.source.as_ref().map(ToString::to_string).unwrap_or_default();
            let reason = format!("{}: {cause}", unavailable.reason);
            self.writer.state().set_health(Health::Degraded { reason });
        }
    }

    /// Runs `write` in a transaction, alone among the changes of its tenant, and waits until it is durable. When it
    /// gives an error nothing of it is kept. It goes on when the future is dropped.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        scope: &TenantScope,
        write: impl Write<T>,
    ) -> Result<T, Error> {
        self.write_as(Access::Tenant(scope.tenant()), write).await
    }

    /// As `write`, by somebody who is not a tenant's.
    pub(crate) async fn write_as<T: Send + 'static>(
        &self,
        access: Access<'_>,
        write: impl Write<T>,
    ) -> Result<T, Error> {
        self.write_then(access, write, |_| {}).await
    }

    /// As `write`. Once the write is durable, and before anybody is told of it, `durable` brings in line what is kept in
    /// memory; also when the caller does not wait any more.
    pub(crate) async fn write_then<T: Send + 'static>(
        &self,
        access: Access<'_>,
        write: impl Write<T>,
        durable: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Error> {
        match &self.backend {
            Backend::Sqlite(_) => self.writer.run_then(write, durable).await,
            Backend::Postgres(postgres) => {
                let changed = change(postgres, access, &self.counters, write, durable).await;
                self.note(changed.as_ref().err());
                if changed.is_ok() && matches!(self.health(), Health::Degraded { .. }) {
                    self.writer.state().set_health(Health::Ready);
                }
                if let (Access::Tenant(tenant), Ok(_)) = (access, &changed) {
                    self.announce(Announcement::Changed { tenants: vec![tenant.clone()] });
                }
                changed
            }
        }
    }

    pub const fn platform(&self) -> Platform<'_> {
        Platform { store: self }
    }

    pub const fn nodes(&self) -> Nodes<'_> {
        Nodes { store: self }
    }

    pub const fn commands<'a>(&'a self, scope: &'a TenantScope) -> Commands<'a> {
        Commands { store: self, scope }
    }

    pub const fn intents<'a>(&'a self, scope: &'a TenantScope) -> Intents<'a> {
        Intents { store: self, scope }
    }

    pub const fn blueprints<'a>(&'a self, scope: &'a TenantScope) -> Blueprints<'a> {
        Blueprints { store: self, scope }
    }

    pub const fn executions<'a>(&'a self, scope: &'a TenantScope) -> Executions<'a> {
        Executions { store: self, scope }
    }

    pub const fn idempotency<'a>(&'a self, scope: &'a TenantScope) -> Idempotency<'a> {
        Idempotency { store: self, scope }
    }

    pub const fn installations<'a>(&'a self, scope: &'a TenantScope) -> Installations<'a> {
        Installations { store: self, scope }
    }

    pub const fn artifacts<'a>(&'a self, scope: &'a TenantScope) -> Artifacts<'a> {
        Artifacts { store: self, scope }
    }

    pub const fn key_value<'a>(&'a self, scope: &'a TenantScope) -> KeyValue<'a> {
        KeyValue { store: self, scope }
    }

    pub const fn secrets<'a>(&'a self, scope: &'a TenantScope) -> Secrets<'a> {
        Secrets { store: self, scope }
    }

    pub const fn settings<'a>(&'a self, scope: &'a TenantScope) -> Settings<'a> {
        Settings { store: self, scope }
    }

    pub const fn schedules<'a>(&'a self, scope: &'a TenantScope) -> Schedules<'a> {
        Schedules { store: self, scope }
    }

    pub const fn usage<'a>(&'a self, scope: &'a TenantScope) -> UsageOf<'a> {
        UsageOf { store: self, scope }
    }

    pub fn journal(&self) -> Journal {
        Journal::new(self.writer.clone())
    }

    pub const fn logs(&self) -> Logs<'_> {
        Logs { store: self }
    }

    pub fn health(&self) -> Health {
        self.writer.state().health()
    }

    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// Changes whenever anything but executions and logs may have changed. What was read after asking for it holds as
    /// long as it stays the same.
    pub fn change_number(&self) -> u64 {
        self.counters.changes.load(Ordering::Acquire)
    }

    /// Commits and other writes that wait for the writer, for metrics.
    pub fn queued(&self) -> usize {
        self.writer.queued()
    }

    /// Waits until everything queued before is durable, then closes the database: nothing is written afterwards,
    /// through whichever clone.
    pub async fn close(self) {
        if let Backend::Sqlite(readers) = &self.backend {
            readers.close().await;
        }
        self.writer.close().await;
        if let Backend::Postgres(postgres) = &self.backend {
            postgres.close().await;
        }
    }
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: folder.to_owned(), source })
}
