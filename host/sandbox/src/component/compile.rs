//! Bytes to machine code, here or in a child process, and no more of it at once than may be.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quantum_core::id::Digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::child;
use super::cwasm::{CompiledCache, load};
use super::tier::Tier;
use crate::engine;
use crate::error::Error;
use crate::options::{Compilation, SandboxOptions};

/// The compiler and the cache of what it made. Cheap to copy.
#[derive(Clone)]
pub(crate) struct Compiler {
    engine: Engine,
    cache: Option<Arc<CompiledCache>>,
    compilation: Compilation,
    places: Arc<Semaphore>,
    /// Of those for which nobody waits.
    beside: Arc<Semaphore>,
    bytes_max: usize,
    baseline_bytes_min: usize,
}

/// A component, and what its code is like.
pub(crate) struct Made {
    pub component: Component,
    pub tier: Tier,
}

impl Compiler {
    pub fn new(engine: &Engine, options: &SandboxOptions) -> Result<Self, Error> {
        let open = |dir| CompiledCache::open(dir, options, engine).map(Arc::new);
        let cache = options.cache_dir.as_deref().map(open).transpose()?;
        Ok(Self {
            engine: engine.clone(),
            cache,
            compilation: options.compilation.clone(),
            places: Arc::new(Semaphore::new(options.compiles_max.max(1))),
            beside: Arc::new(Semaphore::new(1)),
            bytes_max: options.component_bytes_max,
            baseline_bytes_min: options.baseline_bytes_min,
        })
    }

    /// Compiles what is used once, and stores nothing. Who does not wait any longer ends it.
    pub async fn compile(&self, bytes: Vec<u8>) -> Result<Component, Error> {
        self.check_size(&bytes)?;
        let code = self.code(bytes, Tier::Baseline, place(&self.places).await).await?;
        let engine = self.engine.clone();
        blocking(move || load(&engine, &code).map_err(|error| Error::compile(&error))).await
    }

    /// Compiles what somebody waits for: a large component without optimisation.
    pub async fn compile_first(
        &self,
        digest: &Digest,
        bytes: Vec<u8>,
        in_use: Vec<Digest>,
    ) -> Result<Made, Error> {
        self.check_size(&bytes)?;
        let is_large = bytes.len() >= self.baseline_bytes_min;
        let tier = if is_large { Tier::Baseline } else { Tier::Optimized };
        let place = place(&self.places).await;
        let component = self.compile_and_store(digest, bytes, in_use, tier, place).await?;
        Ok(Made { component, tier })
    }

    /// Compiles and stores the result. The cache is an optimisation: a failure to write is only logged. `in_use`: what
    /// makes no place in the cache.
    pub async fn compile_and_store(
        &self,
        digest: &Digest,
        bytes: Vec<u8>,
        in_use: Vec<Digest>,
        tier: Tier,
        place: OwnedSemaphorePermit,
    ) -> Result<Component, Error> {
        let code = self.code(bytes, tier, place).await?;
        let (engine, cache, digest) = (self.engine.clone(), self.cache.clone(), digest.clone());
        blocking(move || {
            let component = load(&engine, &code).map_err(|error| Error::compile(&error))?;
            if let Some(cache) = cache
                && let Err(error) = cache.write(&digest, tier, &code, &in_use)
            {
                tracing::warn!(%digest, "could not store a compiled component: {error:#}");
            }
            Ok(component)
        })
        .await
    }

    /// The turn to compile something for which nobody waits.
    pub async fn turn_beside(&self) -> OwnedSemaphorePermit {
        place(&self.beside).await
    }

    /// What an earlier compilation stored. None: nothing, or nothing that may be run.
    pub async fn stored(&self, digest: &Digest) -> Option<Made> {
        let (cache, engine, digest) = (self.cache.clone()?, self.engine.clone(), digest.clone());
        let read = move || Ok(cache.read(&digest, &engine));
        blocking(read).await.ok().flatten()
    }

    fn check_size(&self, bytes: &[u8]) -> Result<(), Error> {
        match bytes.len() {
            bytes if bytes > self.bytes_max => Err(Error::TooLarge { bytes, bytes_max: self.bytes_max }),
            _ => Ok(()),
        }
    }

    async fn code(&self, bytes: Vec<u8>, tier: Tier, place: OwnedSemaphorePermit) -> Result<Vec<u8>, Error> {
        match &self.compilation {
            // A thread cannot be ended: it keeps its place until it is done, whoever waits for it.
            Compilation::InProcess => blocking(move || compile_here(&bytes, tier, place)).await,
            Compilation::Child { program, limits } => child::compile(program, limits, tier, bytes).await,
        }
    }
}

fn compile_here(bytes: &[u8], tier: Tier, _place: OwnedSemaphorePermit) -> Result<Vec<u8>, Error> {
    let engine = engine::compiling(tier).map_err(Error::engine)?;
    engine.precompile_component(bytes).map_err(|error| Error::compile(&error))
}

async fn place(of: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    of.clone().acquire_owned().await.expect("the semaphore is never closed")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::Compile { reason: format!("the compiler stopped: {error}") }))
}

/// The digest that names these bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    let hash = digest(&SHA256, bytes);
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::new(format!("sha256:{hex}")).expect("64 lowercase hex digits are a digest")
}
