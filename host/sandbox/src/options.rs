//! Settings of the sandbox and the ports that it is given.

use std::path::PathBuf;
use std::sync::Arc;

use quantum_core::limits::COMPONENT_BYTES_MAX;
use quantum_core::port::{ArtifactStore, ComponentSource, EffectGate, KeyValueStore, LogSink, SecretSource};

use crate::egress::EgressOptions;
use crate::limits::{
    ATTEMPTS_MAX, BROKEN_IN_A_ROW_MAX, CACHE_BYTES_MAX, CODE_BYTES_OF_COMPONENT_MAX, COMPILE_CPU_MS_MAX,
    COMPILE_MEMORY_BYTES_MAX, COMPILE_MS_MAX, COMPILES_MAX, COMPONENTS_MAX, CPU_MS_MAX, MEMORY_BYTES_CEILING,
    MEMORY_BYTES_DEFAULT,
};

/// Where components become machine code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compilation {
    /// In this process: a component that makes the compiler burn time or memory burns this process's. For tests, and
    /// where all components are trusted.
    #[default]
    InProcess,
    /// In a process for each component: `program compile-component …`, whose first act must be
    /// [`compile_as_child`](crate::compile_as_child).
    Child { program: PathBuf, limits: CompileLimits },
}

/// Bounds of one compilation in a child process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileLimits {
    /// Milliseconds in all. Over it: `compile-timeout`.
    pub ms_max: u64,
    /// Milliseconds of processor time of all its threads, in whole seconds. Over it the same.
    pub cpu_ms_max: u64,
    /// Bytes of memory that it may write to. Over it: `compile-memory`.
    pub memory_bytes_max: u64,
    /// Bytes of the machine code. Over it the same.
    pub code_bytes_max: usize,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            ms_max: COMPILE_MS_MAX,
            cpu_ms_max: COMPILE_CPU_MS_MAX,
            memory_bytes_max: COMPILE_MEMORY_BYTES_MAX,
            code_bytes_max: CODE_BYTES_OF_COMPONENT_MAX,
        }
    }
}

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
    pub compilation: Compilation,
    /// Components that are compiled at once; others wait.
    pub compiles_max: usize,
    /// Directory of compiled components; none: they are compiled again after each start.
    pub cache_dir: Option<PathBuf>,
    /// Bytes in that directory; what was used longest ago makes place.
    pub cache_bytes_max: u64,
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
            compilation: Compilation::default(),
            compiles_max: COMPILES_MAX,
            cache_dir: None,
            cache_bytes_max: CACHE_BYTES_MAX,
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
