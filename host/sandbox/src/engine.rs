//! The engine's configuration and its clock. One engine serves all tenants.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails,
};

use crate::error::Error;
use crate::limits::{
    CORE_INSTANCES_PER_COMPONENT_MAX, KEEP_RESIDENT_BYTES, MEMORIES_PER_COMPONENT_MAX, SMALLER_POOL,
    STACK_BYTES_MAX, TABLE_ELEMENTS_MAX, TABLES_PER_COMPONENT_MAX,
};
use crate::options::SandboxOptions;
use crate::places;

/// Time between two epochs: how long a guest keeps a thread before others get their turn.
const TICK: Duration = Duration::from_millis(10);

/// The engine, and how many attempts it has room for.
pub(crate) struct Built {
    pub engine: Engine,
    pub attempts_max: u32,
}

/// The largest pool that this machine's address space allows; without any, memory is mapped for each attempt.
pub(crate) fn build(options: &SandboxOptions) -> Result<Built, Error> {
    let attempts_max = options.attempts_max.max(1);
    for attempts in [attempts_max, attempts_max.div_ceil(SMALLER_POOL)] {
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(attempts, options)));
        match Engine::new(&config) {
            Ok(engine) => return Ok(Built { engine, attempts_max: attempts }),
            Err(error) => tracing::warn!(attempts, "no address space for a pool of instances: {error:#}"),
        }
    }
    let engine = Engine::new(&config()).map_err(Error::engine)?;
    Ok(Built { engine, attempts_max })
}

/// For a process that only compiles, in the very same way.
pub(crate) fn compiling() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_memory64(false)
        // The code between two components inside of one reads the memories of both; JavaScript's are made of several.
        // A module still defines at most one: the pool says so, and the limit sums what all of them have.
        .wasm_multi_memory(true)
        .max_wasm_stack(STACK_BYTES_MAX)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .concurrency_support(false)
        .memory_init_cow(true);
    config
}

/// Core instances are only counted: there are so many that the largest components in all places have theirs. Memories
/// and tables are waited for: see `places`.
fn pool(attempts: u32, options: &SandboxOptions) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(attempts)
        .total_core_instances(attempts.saturating_mul(CORE_INSTANCES_PER_COMPONENT_MAX))
        .total_memories(places::memories(attempts))
        .total_tables(places::tables(attempts))
        .table_elements(TABLE_ELEMENTS_MAX)
        .total_stacks(attempts)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT_MAX)
        .max_memories_per_component(MEMORIES_PER_COMPONENT_MAX)
        .max_tables_per_component(TABLES_PER_COMPONENT_MAX)
        .max_memory_size(usize::try_from(options.memory_bytes_ceiling).unwrap_or(usize::MAX))
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(if cfg!(target_os = "linux") { Enabled::Auto } else { Enabled::No });
    pool
}

/// Moves the engine's epoch on. A thread of its own, because a busy runtime must not stop it.
pub(crate) struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub fn start(engine: &Engine) -> Result<Self, Error> {
        let engine = engine.weak();
        let (stop, stopped) = channel::<()>();
        let tick = move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        };
        let thread = std::thread::Builder::new().name("sandbox-epoch".to_owned()).spawn(tick);
        let thread = thread.map_err(|error| Error::Engine(error.into()))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
