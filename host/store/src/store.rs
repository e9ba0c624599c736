//! The handle of the whole store: opens it, hands out its parts, closes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::SqlitePool;

use crate::Error;
use crate::artifacts::Artifacts;
use crate::blueprints::Blueprints;
use crate::executions::Executions;
use crate::idempotency::Idempotency;
use crate::installations::Installations;
use crate::intents::Intents;
use crate::journal::Journal;
use crate::key_value::KeyValue;
use crate::logs::Logs;
use crate::platform::Platform;
use crate::schedules::Schedules;
use crate::scope::TenantScope;
use crate::secrets::Secrets;
use crate::sqlite::reader_pool;
use crate::stats::{Counters, Stats};
use crate::tenant_settings::{KnownSettings, Settings};
use crate::writer::{Faults, Writer};

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

/// Cheap to clone. Dropped without [`Store::close`], everything acknowledged is still durable.
#[derive(Clone)]
pub struct Store {
    pub(crate) writer: Writer,
    pub(crate) readers: SqlitePool,
    pub(crate) counters: Arc<Counters>,
    pub(crate) settings: Arc<KnownSettings>,
}

impl Store {
    /// Makes the file and brings its schema to this program's. Err: `NewerDatabase`, `Open`, `Folder`, `Migration`,
    /// `Corrupt` (settings of a tenant).
    pub async fn open(options: StoreOptions) -> Result<Self, Error> {
        if let Some(folder) = options.path.parent() {
            make_folder(folder)?;
        }
        let readers = reader_pool(&options);
        let counters = Arc::<Counters>::default();
        let writer = Writer::start(options, Arc::clone(&counters)).await?;
        let settings = Arc::<KnownSettings>::default();
        settings.load(&readers).await?;
        Ok(Self { writer, readers, counters, settings })
    }

    pub const fn platform(&self) -> Platform<'_> {
        Platform { store: self }
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
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: folder.to_owned(), source })
}
