//! Settings of the sandbox and the ports that it is given.

use std::path::PathBuf;
use std::sync::Arc;

use quantum_core::port::{ArtifactStore, ComponentSource, EffectGate, KeyValueStore, LogSink, SecretSource};

use crate::egress::EgressOptions;

/// Bytes of all memories and tables of an attempt, where the grant names none.
const MEMORY_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// Bytes that a grant can raise it to: what a Python or JavaScript component needs. More is cut to this.
const MEMORY_BYTES_CEILING: u64 = 256 * 1024 * 1024;
/// Milliseconds of processor time of an attempt. Over it: `cpu-limit`.
const CPU_MS_MAX: u64 = 30_000;
/// Attempts that run at once; others wait for a place. Bounds the address space that the pool reserves.
const ATTEMPTS_MAX: u32 = 1_000;
/// Compiled components kept in memory; the one unused longest makes place.
const COMPONENTS_MAX: usize = 256;
/// Bytes of a component that is compiled: Python's are 18 MB. Over it the install is refused.
const COMPONENT_BYTES_MAX: usize = 64 * 1024 * 1024;

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
