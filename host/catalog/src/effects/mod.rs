//! What steps store and read outside of their execution: artifacts, values of plugins, secrets. Use cases for the api,
//! and the ports that the sandbox asks.
//!
//! Use cases take the time as an argument; ports ask `EffectOptions::now`. A value of a secret leaves this room through
//! `SecretSource` only, and never in text for people.

mod artifact_store;
mod artifacts;
mod collect;
mod key_value;
mod options;
mod recordings;
mod refusal;
mod secret_source;
mod secrets;
mod unfinished;

use std::sync::Arc;

use quantum_core::time::Timestamp;
use quantum_store::{Blobs, Store, TenantScope};

use crate::Error;
pub use artifacts::{Artifacts, Naming, Upload, check_artifact_name};
pub use collect::Collected;
pub use options::{EffectOptions, Now};
pub use recordings::KeptRecordings;
pub use secrets::{NewSecret, Reach, SecretInfo, SecretValue, Secrets, Vault, VaultError};
use unfinished::Unfinished;

/// Cheap to clone. Implements `ArtifactStore`, `KeyValueStore` and `SecretSource` of core's ports.
#[derive(Clone)]
pub struct Effects {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    blobs: Blobs,
    vault: Vault,
    options: EffectOptions,
    unfinished: Unfinished,
}

impl Effects {
    /// `blobs` are those of artifacts, which nothing else writes.
    pub fn new(store: Store, blobs: Blobs, vault: Vault, options: EffectOptions) -> Self {
        let unfinished = Unfinished::default();
        Self { shared: Arc::new(Shared { store, blobs, vault, options, unfinished }) }
    }

    pub const fn artifacts<'a>(&'a self, scope: &'a TenantScope) -> Artifacts<'a> {
        Artifacts { effects: self, scope }
    }

    pub const fn secrets<'a>(&'a self, scope: &'a TenantScope) -> Secrets<'a> {
        Secrets { effects: self, scope }
    }

    /// At a start: that every tenant's secrets can be opened with the master keys of the vault. Err: `Vault`.
    pub async fn check_keys(&self) -> Result<(), Error> {
        let stored = self.shared.store.platform().master_keys().await?;
        stored.iter().try_for_each(|id| self.shared.vault.master(id).map(drop).map_err(Error::Vault))
    }

    fn options(&self) -> &EffectOptions {
        &self.shared.options
    }

    fn now(&self) -> Timestamp {
        (self.shared.options.now)()
    }
}
