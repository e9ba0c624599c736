//! The least that wasmtime can do: a pooled instance of a linked component, one call, and the instance is gone. No
//! limits, no clock, no policies, no bill.

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use bindings::quantum::log::log::{self, Level};
use bindings::{Runner, RunnerPre};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package quantum:bench;
            world runner {
                import quantum:log/log@1.0.0;
                export quantum:plugin/actions@1.0.0;
            }
        ",
        world: "quantum:bench/runner",
    });
}

/// Bytes of a used memory that stay mapped. As in the sandbox, of them only those that were written are cleared, where
/// the system can tell which.
const KEEP_RESIDENT_BYTES: usize = 256 * 1024;

pub struct Bare {
    engine: Engine,
    component: RunnerPre<Deaf>,
}

/// Takes log lines and forgets them.
struct Deaf;

impl log::Host for Deaf {
    fn write(&mut self, _: Level, _: String, _: Vec<(String, String)>) {}
    fn progress(&mut self, _: u8, _: String) {}
    fn panicked(&mut self, _: String, _: String) {}
}

impl Bare {
    pub fn new(bytes: &[u8]) -> Self {
        let mut pool = PoolingAllocationConfig::new();
        pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES).table_keep_resident(KEEP_RESIDENT_BYTES);
        pool.pagemap_scan(if cfg!(target_os = "linux") { Enabled::Auto } else { Enabled::No });
        let mut config = Config::new();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).expect("the machine has room for a pool");
        let component = Component::from_binary(&engine, bytes).expect("the component compiles");
        let mut linker = Linker::new(&engine);
        log::add_to_linker::<_, HasSelf<Deaf>>(&mut linker, |deaf| deaf).expect("the linker is empty");
        let mut seed = linker.instance("wasi:random/insecure-seed@0.2.12").expect("the linker has none yet");
        seed.func_wrap("insecure-seed", |_, ()| Ok(((1_u64, 2_u64),))).expect("it has one function");
        // The rest is imported by the standard library and not called by these components.
        linker.define_unknown_imports_as_traps(&component).expect("the imports are known");
        let linked = linker.instantiate_pre(&component).and_then(RunnerPre::new).expect("the component fits");
        Self { engine, component: linked }
    }

    pub fn call(&self) -> String {
        let mut store = Store::new(&self.engine, Deaf);
        let instance: Runner = self.component.instantiate(&mut store).expect("the pool has room");
        let called =
            instance.quantum_plugin_actions().call_run(&mut store, "hello", super::attempt::PARAMETERS);
        called.expect("it does not trap").expect("the parameters are good")
    }
}
