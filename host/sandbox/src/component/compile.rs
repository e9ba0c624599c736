//! Bytes to machine code, on threads that may block.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quantum_core::id::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::cwasm::CompiledCache;
use crate::error::Error;
use crate::options::SandboxOptions;

/// The compiler and the cache of what it made. Cheap to copy.
#[derive(Clone)]
pub(crate) struct Compiler {
    engine: Engine,
    cache: Option<Arc<CompiledCache>>,
    bytes_max: usize,
}

impl Compiler {
    pub fn new(engine: &Engine, options: &SandboxOptions) -> Result<Self, Error> {
        let open = |dir| CompiledCache::open(dir, &options.cache_key, engine).map(Arc::new);
        let cache = options.cache_dir.as_deref().map(open).transpose()?;
        Ok(Self { engine: engine.clone(), cache, bytes_max: options.component_bytes_max })
    }

    /// Compiles, and stores nothing.
    pub async fn compile(&self, bytes: Vec<u8>) -> Result<Component, Error> {
        let compiler = self.clone();
        blocking(move || compiler.compile_here(&bytes)).await
    }

    /// Compiles and stores the result. The cache is an optimisation: a failure to write is only logged.
    pub async fn compile_and_store(&self, digest: Digest, bytes: Vec<u8>) -> Result<Component, Error> {
        let compiler = self.clone();
        blocking(move || {
            let component = compiler.compile_here(&bytes)?;
            if let Some(cache) = &compiler.cache
                && let Err(error) = cache.write(&digest, &component)
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

    fn compile_here(&self, bytes: &[u8]) -> Result<Component, Error> {
        if bytes.len() > self.bytes_max {
            return Err(Error::TooLarge { bytes: bytes.len(), bytes_max: self.bytes_max });
        }
        Component::from_binary(&self.engine, bytes).map_err(|error| Error::compile(&error))
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
