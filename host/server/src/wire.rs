//! Builds the rooms and connects them. The only place that sees them all.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quantum_api::auth::Issuers;
use quantum_api::auth::embedded::SigningKey;
use quantum_api::auth::{EmbeddedIssuer, SharedSecretIssuer};
use quantum_api::{ApiOptions, Services, StoredIntents};
use quantum_catalog::{Catalog, Directory, EffectOptions, Effects, Vault};
use quantum_engine::{Clock, Engine, EngineOptions, LogBuffer, ShiftedClock, SystemClock};
use quantum_sandbox::{Compilation, EgressOptions, Sandbox, SandboxOptions};
use quantum_store::{Blobs, Bucket, Store, StoreOptions};
use tokio_util::sync::CancellationToken;

use crate::bundled::{self, BundledError};
use crate::gate::Gate;
use crate::keys::{KeyError, Keys};
use crate::places::Places;
use crate::policies::Policies;
use crate::settings::{IssuerFile, Settings, StoreSettings};

/// The database in the data folder.
pub(crate) const DATABASE: &str = "quantum.db";
/// `aud` of tokens for a host.
const AUDIENCE: &str = "quantum";

/// Why a host could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("make the data folder {}", path.display())]
    DataDir { path: PathBuf, source: std::io::Error },
    #[error("another host uses the data folder {}; stop it, or choose another with --data-dir", path.display())]
    InUse { path: PathBuf },
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("use the token key")]
    SigningKey(#[source] quantum_api::auth::embedded::SigningError),
    #[error("use the configured issuers")]
    Issuers(#[source] quantum_api::auth::IssuerError),
    #[error("read the secret_file of an issuer {}", path.display())]
    Secret { path: PathBuf, source: std::io::Error },
    #[error("open the store")]
    Store(#[from] quantum_store::Error),
    #[error("open the place of blobs")]
    Blobs(#[source] quantum_store::Error),
    #[error("load the policies:\n{0}")]
    Policies(quantum_policy::CheckReport),
    #[error("start the sandbox")]
    Sandbox(#[source] quantum_sandbox::Error),
    #[error(transparent)]
    Bundled(#[from] BundledError),
    #[error("open the tenants' secrets")]
    Secrets(#[source] quantum_catalog::Error),
    #[error("load the catalog")]
    Catalog(#[source] quantum_catalog::Error),
    #[error("start the engine")]
    Engine(#[source] quantum_engine::Error),
}

/// A host without its listeners.
pub struct Host {
    pub services: Services,
    pub options: ApiOptions,
    /// Where blobs lie, when it is one.
    pub bucket: Option<Bucket>,
    pub(crate) policies: Arc<Policies>,
    /// Held as long as the host lives: two hosts on one data folder would fence each other.
    _lock: File,
}

impl Host {
    pub async fn build(settings: &Settings) -> Result<Self, WireError> {
        let lock = claim(&settings.data_dir)?;
        let keys = Keys::open(&settings.shared_dir)?;
        let store = open_store(settings).await?;
        let places = Places::open(settings).await.map_err(WireError::Blobs)?;
        let blobs = places.components;
        let policies = Policies::open(settings.policies_dir.as_deref()).map_err(WireError::Policies)?;
        let authorizer = policies.authorizer().clone();
        let gate = Gate::new(authorizer.clone());
        let logs = Arc::new(LogBuffer::default());
        let clock = clock(settings);
        let effects = effects(settings, &store, places.artifacts, clock.clone()).await?;
        let ports = quantum_sandbox::Ports {
            gate: gate.clone(),
            logs: logs.clone(),
            components: Arc::new(blobs.clone()),
            artifacts: Arc::new(effects.clone()),
            key_values: Arc::new(effects.clone()),
            secrets: Arc::new(effects.clone()),
        };
        let sandbox = sandbox(settings, &keys, ports)?;
        let bundled = bundled::install(settings, &sandbox, &blobs).await?;
        let directory = Directory::open(&store, bundled).await.map_err(WireError::Catalog)?;
        let directory = Arc::new(directory);
        gate.look_into(directory.clone());
        let catalog = Catalog::new(store.clone(), directory.clone());
        let ports = quantum_engine::Ports {
            store: store.clone(),
            archive: places.archive,
            runner: sandbox.clone(),
            gate: Arc::new(authorizer.clone()),
            actions: directory,
            recordings: Arc::new(effects.clone()),
            intents: Arc::new(StoredIntents::new(catalog.clone(), authorizer.clone())),
            clock: clock.clone(),
            chance: fastrand::f64,
        };
        let engine =
            Engine::launch(engine_options(settings), ports, logs).await.map_err(WireError::Engine)?;
        let closing = CancellationToken::new();
        let mut options = ApiOptions::new(issuers(settings, &keys)?, keys.derive("page tokens"));
        options.limits.component_bytes_max = settings.sandbox.component_bytes_max;
        let services =
            Services { store, catalog, engine, authorizer, effects, sandbox, blobs, clock, closing };
        Ok(Self { services, options, bucket: places.bucket, policies: Arc::new(policies), _lock: lock })
    }

    /// Ends what runs, writes what is queued, and closes the store.
    pub async fn shutdown(self) {
        self.services.engine.shutdown().await;
        self.services.store.close().await;
    }
}

/// The issuer of a data folder's own key: its name is the key's, so that a token of another host is not taken.
pub(crate) fn embedded_issuer(key: &SigningKey) -> EmbeddedIssuer {
    key.issuer(format!("quantum:{}", key.kid()), AUDIENCE)
}

/// Keeps other processes off the data folder as long as the file is open. Err: `DataDir`, `InUse`.
pub(crate) fn claim(data_dir: &Path) -> Result<File, WireError> {
    let failed = |source| WireError::DataDir { path: data_dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(failed)?;
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(data_dir.join("lock"));
    let lock = lock.map_err(failed)?;
    lock.try_lock().map_err(|_| WireError::InUse { path: data_dir.to_owned() })?;
    Ok(lock)
}

/// The database that the settings name.
pub(crate) async fn open_store(settings: &Settings) -> Result<Store, quantum_store::Error> {
    match &settings.store {
        StoreSettings::Sqlite => Store::open(StoreOptions::new(settings.data_dir.join(DATABASE))).await,
        StoreSettings::Postgres(options) => Store::connect(options.clone()).await,
    }
}

fn clock(settings: &Settings) -> Arc<dyn Clock> {
    if settings.clock_shift_ms == 0 {
        return Arc::new(SystemClock);
    }
    tracing::warn!(shift_ms = settings.clock_shift_ms, "the clock is set wrong: this is a rehearsal");
    Arc::new(ShiftedClock::new(settings.clock_shift_ms))
}

/// What steps store: artifacts beside the database, values and secrets in it.
async fn effects(
    settings: &Settings,
    store: &Store,
    blobs: Blobs,
    clock: Arc<dyn Clock>,
) -> Result<Effects, WireError> {
    let vault = Vault::new(&Keys::master(&settings.shared_dir)?, &[]);
    let options = EffectOptions::new(Arc::new(move || clock.now()));
    let effects = Effects::new(store.clone(), blobs, vault, options);
    effects.check_keys().await.map_err(WireError::Secrets)?;
    Ok(effects)
}

fn sandbox(
    settings: &Settings,
    keys: &Keys,
    ports: quantum_sandbox::Ports,
) -> Result<Arc<Sandbox>, WireError> {
    let compilation = match settings.compiler.clone() {
        Some(program) => Compilation::Child { program, limits: settings.compile.clone() },
        None => Compilation::InProcess,
    };
    let options = SandboxOptions {
        compilation,
        cache_dir: Some(settings.data_dir.join("compiled")),
        cache_key: keys.derive("compiled components"),
        egress: EgressOptions { allow_cidrs: settings.allow_cidrs.clone(), ..EgressOptions::default() },
        ..settings.sandbox.clone()
    };
    Sandbox::new(options, ports).map_err(WireError::Sandbox)
}

fn engine_options(settings: &Settings) -> EngineOptions {
    EngineOptions {
        attempts_max: settings.attempts_max,
        attempts_per_tenant_max: settings.attempts_max.div_ceil(2),
        shutdown_grace_ms: settings.shutdown_grace_ms,
        name: settings.node.clone(),
        lease_ms: match settings.store {
            StoreSettings::Sqlite => None,
            StoreSettings::Postgres(_) => Some(settings.lease_ms),
        },
        ..EngineOptions::default()
    }
}

fn issuers(settings: &Settings, keys: &Keys) -> Result<Issuers, WireError> {
    let key = SigningKey::from_pkcs8(&keys.token_pkcs8).map_err(WireError::SigningKey)?;
    let shared: Result<Vec<_>, _> = settings.issuers.iter().map(shared_issuer).collect();
    Issuers::new(Some(embedded_issuer(&key)), shared?).map_err(WireError::Issuers)
}

fn shared_issuer(file: &IssuerFile) -> Result<SharedSecretIssuer, WireError> {
    let path = &file.secret_file;
    let secret = std::fs::read(path).map_err(|source| WireError::Secret { path: path.clone(), source })?;
    let secret = secret.trim_ascii().to_vec();
    let IssuerFile { issuer, audience, provision, .. } = file.clone();
    Ok(SharedSecretIssuer { issuer, audience, kid: None, secret, provision })
}
