//! Bounds of what a tenant's steps may store.

use std::sync::Arc;

use quantum_core::time::Timestamp;
use quantum_store::{ArtifactQuota, KeyValueQuota};

/// Where the ports read the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

const MIB: u64 = 1024 * 1024;

/// An operator may set each of them.
#[derive(Clone)]
pub struct EffectOptions {
    /// Bytes of one artifact; a container image of usual size fits. Over it: `too-large`.
    pub artifact_bytes_max: u64,
    /// Of a tenant: its bytes and artifacts, and the names of one execution or of the tenant itself. Over them:
    /// `quota`.
    pub artifacts: ArtifactQuota,
    /// Bytes of a tenant's artifacts that are being written at one time, which no quota sees yet: a disk is not filled
    /// by artifacts that are never finished. Over it: `quota`, and trying again may help.
    pub unfinished_bytes_max: u64,
    /// Of one plugin in one tenant. Over them: `quota`.
    pub key_value: KeyValueQuota,
    /// Secrets of a tenant, each environment counted. Over it: `quota`.
    pub secrets_max: u64,
    pub now: Now,
}

impl EffectOptions {
    pub fn new(now: Now) -> Self {
        Self {
            artifact_bytes_max: 1024 * MIB,
            artifacts: ArtifactQuota {
                bytes_max: 20 * 1024 * MIB,
                artifacts_max: 100_000,
                names_max: 10_000,
            },
            unfinished_bytes_max: 4 * 1024 * MIB,
            key_value: KeyValueQuota { entries_max: 10_000, bytes_max: 64 * MIB },
            secrets_max: 1_000,
            now,
        }
    }
}
