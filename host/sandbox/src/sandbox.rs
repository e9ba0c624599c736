//! The sandbox as others see it: take a component in, run attempts of it.

use std::sync::Arc;

use quantum_core::id::Digest;
use quantum_core::port::{Attempt, AttemptReport, BoxFuture, StepRunner};
use quantum_core::recording::Recording;
use wasmtime::Engine;

use crate::attempt;
use crate::breaker::Breakers;
use crate::component::{Compiler, Components, Linked, LoadError, digest_of};
use crate::egress::Egress;
use crate::engine::{self, Ticker};
use crate::error::Error;
use crate::host::{self, DescriberPre};
use crate::options::{Ports, SandboxOptions};
use crate::places::Places;
use crate::recording::Replayed;

/// Runs attempts of all tenants. Dropping it stops the engine's clock once the last attempt ended.
pub struct Sandbox {
    shared: Arc<Shared>,
}

/// What attempts share.
pub(crate) struct Shared {
    pub options: SandboxOptions,
    pub ports: Ports,
    pub engine: Engine,
    pub components: Arc<Components>,
    pub egress: Arc<Egress>,
    pub places: Places,
    pub breakers: Arc<Breakers>,
    _ticker: Ticker,
}

impl Sandbox {
    pub fn new(options: SandboxOptions, ports: Ports) -> Result<Arc<Self>, Error> {
        let built = engine::build(&options)?;
        let engine = built.engine;
        let linker = host::linker(&engine).map_err(Error::engine)?;
        let compiler = Compiler::new(&engine, &options)?;
        let components = Components::new(linker, compiler, ports.components.clone(), options.components_max);
        let components = Arc::new(components);
        let egress = Arc::new(Egress::new(options.egress.clone(), ports.gate.clone())?);
        let places = Places::new(built.attempts_max);
        let breakers = Breakers::new(options.broken_in_a_row_max);
        let ticker = Ticker::start(&engine)?;
        let shared = Shared { options, ports, engine, components, egress, places, breakers, _ticker: ticker };
        Ok(Arc::new(Self { shared: Arc::new(shared) }))
    }

    /// Refuses what an install of it would refuse; keeps nothing.
    pub async fn check(&self, bytes: Vec<u8>, memory_bytes_max: Option<u64>) -> Result<(), Error> {
        let components = &self.shared.components;
        let component = components.compiler().compile(bytes).await?;
        self.start(&components.link(&component)?, memory_bytes_max).await
    }

    /// `install_asking` for a plugin that asks for no memory of its own.
    pub async fn install(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        self.install_asking(bytes, None).await
    }

    /// Compiles what the cache does not have, checks the fit, starts it once as an attempt would, with as much memory
    /// as the plugin asks for and without any grant, and keeps the result in memory and in the cache. The bytes
    /// themselves are the caller's to store.
    pub async fn install_asking(
        &self,
        bytes: Vec<u8>,
        memory_bytes_max: Option<u64>,
    ) -> Result<Digest, Error> {
        let digest = digest_of(&bytes);
        let components = &self.shared.components;
        let compiler = components.compiler();
        let component = match compiler.stored(&digest).await {
            Some(component) => component,
            None => compiler.compile_and_store(&digest, bytes, components.in_use()).await?,
        };
        let linked = components.link(&component)?;
        self.start(&linked, memory_bytes_max).await?;
        components.keep(&digest, linked);
        Ok(digest)
    }

    async fn start(&self, linked: &Linked, memory_bytes_max: Option<u64>) -> Result<(), Error> {
        let started = attempt::start(&self.shared, linked, memory_bytes_max).await;
        started.map_err(|problem| Error::DoesNotStart(Box::new(problem)))
    }

    /// Compiles it when that was not done yet. What is only to be read again is not held in memory for it.
    pub async fn prepare(&self, digest: &Digest) -> Result<(), LoadError> {
        self.shared.components.prepare(digest).await
    }

    /// The manifest, JSON text, of a describing build (`quantum:plugin/describe`).
    pub async fn describe(&self, bytes: Vec<u8>) -> Result<String, Error> {
        let failed = |error: wasmtime::Error| Error::Describe { reason: format!("{error:#}") };
        let components = &self.shared.components;
        let component = components.compiler().compile(bytes).await?;
        let weight = components.link(&component)?.weight;
        let linked =
            components.linker().instantiate_pre(&component).and_then(DescriberPre::new).map_err(failed)?;
        attempt::describe(&self.shared, &linked, weight).await.map_err(failed)
    }

    /// Makes an attempt again from its recording, with the component and the grant of this one: what the guest is told
    /// is what it was told then, and nothing of the outside is reached.
    pub async fn replay(&self, attempt: Attempt, recording: Recording) -> Replayed {
        attempt::replay(self.shared.clone(), attempt, recording).await
    }

    /// Instances that exist now; none when this machine has no pool.
    pub fn instances(&self) -> Option<u64> {
        self.shared.engine.pooling_allocator_metrics().map(|metrics| metrics.component_instances())
    }
}

impl StepRunner for Sandbox {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        Box::pin(attempt::run(self.shared.clone(), attempt))
    }
}
