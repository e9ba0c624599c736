//! Settings of the sandbox and the ports that it is given.

use std::path::PathBuf;
use std::sync::Arc;

use quantum_core::port::{ArtifactStore, ComponentSource, EffectGate, KeyValueStore, LogSink, SecretSource};

use crate::egress::EgressOptions;
use crate::limits::{
    ATTEMPTS_MAX, BROKEN_IN_A_ROW_MAX, COMPONENT_BYTES_MAX, COMPONENTS_MAX, CPU_MS_MAX, MEMORY_BYTES_CEILING,
    MEMORY_BYTES_DEFAULT,
};

/// Bounds of attempts, and where compiled components are kept.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Bytes of all memories and tables of an attempt, where the grant names none.
    pub memory_bytes_default: u64,
    /// The most that a grant can ask for.
    pub memory_bytes_ceiling: u64,
    /// Milliseconds of processor time of one attempt.
    pub cpu_ms_max: u64,
    /// Attempts that run at once.
    pub attempts_max: u32,
    /// Attempts of a component in a tenant that break one after another, and then it is suspended.
    pub broken_in_a_row_max: u32,
    /// Compiled components kept in memory.
    pub components_max: usize,
    /// Bytes of one component.
    pub component_bytes_max: usize,
    /// Directory of compiled components; none: they are compiled again after each start.
    pub cache_dir: Option<PathBuf>,
    /// Secret of this host: a cache file without its MAC is never run.
    pub cache_key: [u8; 32],
    pub egress: EgressOptions,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            memory_bytes_default: MEMORY_BYTES_DEFAULT,
            memory_bytes_ceiling: MEMORY_BYTES_CEILING,
            cpu_ms_max: CPU_MS_MAX,
            attempts_max: ATTEMPTS_MAX,
            broken_in_a_row_max: BROKEN_IN_A_ROW_MAX,
            components_max: COMPONENTS_MAX,
            component_bytes_max: COMPONENT_BYTES_MAX,
            cache_dir: None,
            cache_key: [0; 32],
            egress: EgressOptions::default(),
        }
    }
}

/// What the sandbox needs of others.
#[derive(Clone)]
pub struct Ports {
    pub gate: Arc<dyn EffectGate>,
    pub logs: Arc<dyn LogSink>,
    pub components: Arc<dyn ComponentSource>,
    pub key_values: Arc<dyn KeyValueStore>,
    pub artifacts: Arc<dyn ArtifactStore>,
    pub secrets: Arc<dyn SecretSource>,
}
