//! Effects on a database and a folder of artifacts, with a clock that stands still until it is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use quantum_catalog::{EffectOptions, Effects, Holder, Naming, Upload, Vault};
use quantum_core::id::{ExecutionId, TenantId};
use quantum_core::port::{ArtifactInfo, ArtifactScope, ArtifactStore, EffectError, KeyValueSpace};
use quantum_core::time::Timestamp;
use quantum_store::{Blobs, Store, StoreOptions, Tenant, TenantScope};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{at, scope};

pub const MASTER: [u8; 32] = [7; 32];

pub struct World {
    pub effects: Effects,
    pub store: Store,
    pub ours: TenantScope,
    pub theirs: TenantScope,
    clock: Arc<AtomicI64>,
    options: EffectOptions,
    folder: TempDir,
}

pub async fn world() -> World {
    world_with(|_| ()).await
}

/// With other bounds than the usual ones.
pub async fn world_with(change: impl FnOnce(&mut EffectOptions)) -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(folder.path().join("quantum.db"))).await.unwrap();
    for id in ["tenant-a", "tenant-b"] {
        let tenant = Tenant { id: TenantId::new(id).unwrap(), name: id.to_owned(), created_at: at(0) };
        store.platform().create_tenant(tenant).await.unwrap();
    }
    let clock = Arc::new(AtomicI64::new(at(0).as_millis()));
    let now = clock.clone();
    let mut options =
        EffectOptions::new(Arc::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed))));
    change(&mut options);
    let blobs = Blobs::open_artifacts(folder.path()).unwrap();
    let effects = Effects::new(store.clone(), blobs, Vault::new(&MASTER, &[]), options.clone());
    World { effects, store, ours: scope("tenant-a"), theirs: scope("tenant-b"), clock, options, folder }
}

impl World {
    /// The clock of the ports.
    pub fn set_clock(&self, now: Timestamp) {
        self.clock.store(now.as_millis(), Ordering::Relaxed);
    }

    /// The same data, as a host with these master keys sees it after a start.
    pub fn restarted(&self, master: &[u8; 32], former: &[[u8; 32]]) -> Effects {
        let blobs = Blobs::open_artifacts(self.folder.path()).unwrap();
        Effects::new(self.store.clone(), blobs, Vault::new(master, former), self.options.clone())
    }

    /// Somebody changes the database beside the host.
    pub async fn tamper(&self, sql: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("quantum.db"));
        let mut conn: SqliteConnection = options.connect().await.unwrap();
        let changed = sqlx::query(sql).execute(&mut conn).await.unwrap().rows_affected();
        assert_eq!(changed, 1, "{sql}");
        conn.close().await.unwrap();
    }

    /// The data directory.
    pub fn files_root(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Blobs and drafts in the folder of artifacts.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.folder.path().join("artifacts")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        // What nodes lock is empty, and always there.
        files.retain(|path| !path.ends_with("artifacts/lock"));
        files
    }

    /// As the api stores it: a name of the tenant.
    pub async fn put(&self, scope: &TenantScope, name: &str, text: &str) -> quantum_catalog::StoredArtifact {
        upload(&self.effects, scope, text).await.finish(naming(Some(name))).await.unwrap()
    }
}

pub async fn upload(effects: &Effects, scope: &TenantScope, text: &str) -> Upload {
    let mut upload = effects.artifacts(scope).create(None).await.unwrap();
    upload.write(text.as_bytes().to_vec()).await.unwrap();
    upload
}

pub fn naming(name: Option<&str>) -> Naming {
    Naming { holder: Holder::Tenant, name: name.map(str::to_owned), by: "ann".into(), at: at(1) }
}

pub fn execution(number: u128) -> ExecutionId {
    ExecutionId::from_uuid(Uuid::from_u128(number))
}

/// What an attempt of this execution of the tenant sees.
pub fn attempt(scope: &TenantScope, number: u128) -> ArtifactScope {
    ArtifactScope { tenant: scope.tenant().clone(), execution: execution(number), name_prefixes: None }
}

pub fn space(scope: &TenantScope, plugin: &str) -> KeyValueSpace {
    KeyValueSpace { tenant: scope.tenant().clone(), plugin: plugin.to_owned() }
}

/// Stores over the port, in pieces of three bytes.
pub async fn store(
    effects: &Effects,
    scope: &ArtifactScope,
    text: &str,
    name: Option<&str>,
) -> Result<ArtifactInfo, EffectError> {
    let mut writer = effects.create(scope, None).await?;
    for piece in text.as_bytes().chunks(3) {
        writer.write(piece.to_vec()).await?;
    }
    writer.finish(name.map(str::to_owned)).await
}

/// Reads over the port, in pieces of four bytes.
pub async fn fetch(effects: &Effects, scope: &ArtifactScope, reference: &str) -> Result<String, EffectError> {
    let mut reader = ArtifactStore::open(effects, scope, reference, 0).await?;
    let mut all = Vec::new();
    loop {
        let piece = reader.read(4).await?;
        if piece.is_empty() {
            return Ok(String::from_utf8(all).unwrap());
        }
        all.extend(piece);
    }
}

/// The code of what must be refused.
pub fn code<T>(result: Result<T, EffectError>) -> &'static str {
    result.err().unwrap().code
}
