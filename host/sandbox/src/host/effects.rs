//! What a guest reaches of stored data: whose it is, where it is kept, and what was moved of it.

use std::sync::Arc;

use quantum_core::port::{ArtifactScope, ArtifactStore, Attempt, EffectError, KeyValueSpace, KeyValueStore};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::OPEN_ARTIFACTS_MAX;
use crate::sandbox::Shared;
use crate::secret::Vault;

/// What the effects of one attempt are made of when its guest asks for the first.
pub(crate) struct Sources {
    pub attempt: Arc<Attempt>,
    pub shared: Arc<Shared>,
    pub vault: Arc<Vault>,
}

/// The stored data of one attempt.
pub(crate) struct Effects {
    pub key_values: Arc<dyn KeyValueStore>,
    pub space: KeyValueSpace,
    /// Of the installation; in front of each key.
    pub key_prefix: String,
    pub artifacts: Arc<dyn ArtifactStore>,
    pub scope: ArtifactScope,
    pub vault: Arc<Vault>,
    pub moved: Moved,
    open: Arc<Semaphore>,
    /// Readers and writers so far.
    readers: u64,
    writers: u64,
}

/// Bytes between the guest and the stores, for the bill.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moved {
    pub stored_bytes: u64,
    pub loaded_bytes: u64,
}

impl Effects {
    pub fn new(sources: &Sources) -> Self {
        let Sources { attempt, shared, vault } = sources;
        let (subject, ports) = (&attempt.subject, &shared.ports);
        let settings = subject.action.settings.of(subject.environment);
        Self {
            key_values: ports.key_values.clone(),
            space: KeyValueSpace { tenant: subject.tenant.clone(), plugin: subject.action.plugin.clone() },
            key_prefix: settings.key_prefix.clone().unwrap_or_default(),
            artifacts: ports.artifacts.clone(),
            scope: ArtifactScope {
                tenant: subject.tenant.clone(),
                execution: subject.execution,
                name_prefixes: settings.artifact_prefixes.clone(),
            },
            vault: vault.clone(),
            moved: Moved::default(),
            open: Arc::new(Semaphore::new(OPEN_ARTIFACTS_MAX)),
            readers: 0,
            writers: 0,
        }
    }

    pub fn check_installed(&self) -> Result<(), EffectError> {
        self.vault.installed("what is stored").map(drop)
    }

    /// The number of one more, from 0.
    pub const fn next_reader(&mut self) -> u64 {
        self.readers += 1;
        self.readers - 1
    }

    pub const fn next_writer(&mut self) -> u64 {
        self.writers += 1;
        self.writers - 1
    }

    /// A place for one more reader or writer, held as long as it is open.
    pub fn place(&self) -> Result<OwnedSemaphorePermit, EffectError> {
        self.open.clone().try_acquire_owned().map_err(|_| {
            let message = format!(
                "an attempt has at most {OPEN_ARTIFACTS_MAX} readers and writers of artifacts open at once"
            );
            EffectError::new("quota", message)
        })
    }
}

impl Moved {
    pub fn store(&mut self, bytes: usize) {
        self.stored_bytes += bytes as u64;
    }

    pub fn load(&mut self, bytes: usize) {
        self.loaded_bytes += bytes as u64;
    }
}
