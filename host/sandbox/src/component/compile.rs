//! Bytes to machine code, here or in a child process, and no more of it at once than may be.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quantum_core::id::Digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::child;
use super::cwasm::{CompiledCache, load};
use crate::error::Error;
use crate::options::{Compilation, SandboxOptions};

/// The compiler and the cache of what it made. Cheap to copy.
#[derive(Clone)]
pub(crate) struct Compiler {
    engine: Engine,
    cache: Option<Arc<CompiledCache>>,
    compilation: Compilation,
    places: Arc<Semaphore>,
    bytes_max: usize,
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
            bytes_max: options.component_bytes_max,
        })
    }

    /// Compiles, and stores nothing. Who does not wait any longer ends it.
    pub async fn compile(&self, bytes: Vec<u8>) -> Result<Component, Error> {
        let code = self.code(bytes).await?;
        let engine = self.engine.clone();
        blocking(move || load(&engine, &code).map_err(|error| Error::compile(&error))).await
    }

    /// Compiles and stores the result. The cache is an optimisation: a failure to write is only logged. `in_use`: what
    /// makes no place in the cache.
    pub async fn compile_and_store(
        &self,
        digest: &Digest,
        bytes: Vec<u8>,
        in_use: Vec<Digest>,
    ) -> Result<Component, Error> {
        let code = self.code(bytes).await?;
        let (engine, cache, digest) = (self.engine.clone(), self.cache.clone(), digest.clone());
        blocking(move || {
            let component = load(&engine, &code).map_err(|error| Error::compile(&error))?;
            if let Some(cache) = cache
                && let Err(error) = cache.write(&digest, &code, &in_use)
            {
                tracing::warn!(%digest, "could not store a compiled component: {error:#}");
            }
            Ok(component)
        })
        .await
    }

    /// What an earlier compilation stored. None: nothing, or nothing that may be run.
    pub async fn stored(&self, digest: &Digest) -> Option<Component> {
        let (cache, engine, digest) = (self.cache.clone()?, self.engine.clone(), digest.clone());
        let read = move || Ok(cache.read(&digest, &engine));
        blocking(read).await.ok().flatten()
    }

    /// Whether there is a file; whether it may be run is seen when it is read.
    pub fn has_stored(&self, digest: &Digest) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.has(digest))
    }

    async fn code(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        if bytes.len() > self.bytes_max {
            return Err(Error::TooLarge { bytes: bytes.len(), bytes_max: self.bytes_max });
        }
        let place = self.places.clone().acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        match &self.compilation {
            Compilation::InProcess => self.compile_here(bytes, place).await,
            Compilation::Child { program, limits } => child::compile(program, limits, bytes).await,
        }
    }

    /// A thread cannot be ended: it keeps its place until it is done, whoever waits for it.
    async fn compile_here(&self, bytes: Vec<u8>, place: OwnedSemaphorePermit) -> Result<Vec<u8>, Error> {
        let engine = self.engine.clone();
        blocking(move || {
            let _place = place;
            engine.precompile_component(&bytes).map_err(|error| Error::compile(&error))
        })
        .await
    }
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
