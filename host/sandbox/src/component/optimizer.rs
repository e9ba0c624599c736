//! Makes optimised code of components that run baseline code, one after another, beside everything else.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quantum_core::id::Digest;
use quantum_core::port::ComponentSource;
use wasmtime::component::Linker;

use super::compile::Compiler;
use super::entries::Entries;
use super::loaded::{full_text, link, stored_bytes};
use super::tier::Tier;
use crate::attempt::Guest;
use crate::error::Error;
use crate::limits::OPTIMIZED_FROM_MEMORY_MAX;

pub(super) struct Optimizer {
    linker: Linker<Guest>,
    compiler: Compiler,
    source: Arc<dyn ComponentSource>,
    entries: Arc<Entries>,
    under_way: Mutex<HashSet<Digest>>,
}

impl Optimizer {
    pub fn new(
        linker: Linker<Guest>,
        compiler: Compiler,
        source: Arc<dyn ComponentSource>,
        entries: Arc<Entries>,
    ) -> Self {
        Self { linker, compiler, source, entries, under_way: Mutex::default() }
    }

    /// In a task of its own, which ends with the runtime: the next start of the host begins anew. `bytes`: of somebody who
    /// has them already, perhaps before they are stored.
    pub fn begin(self: &Arc<Self>, digest: &Digest, bytes: Option<Vec<u8>>) {
        let bytes = {
            let mut under_way = self.lock();
            if !under_way.insert(digest.clone()) {
                return;
            }
            bytes.filter(|_| under_way.len() <= OPTIMIZED_FROM_MEMORY_MAX)
        };
        let (optimizer, digest) = (self.clone(), digest.clone());
        tokio::spawn(async move {
            match optimizer.optimize(&digest, bytes).await {
                Ok(()) => tracing::info!(%digest, "attempts of this component run optimised code now"),
                Err(error) => {
                    tracing::warn!(%digest, "a component runs on without optimisation: {}", full_text(&error));
                }
            }
            optimizer.lock().remove(&digest);
        });
    }

    async fn optimize(&self, digest: &Digest, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let turn = self.compiler.turn_beside().await;
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => stored_bytes(&*self.source, digest).await?,
        };
        let compiled =
            self.compiler.compile_and_store(digest, bytes, self.entries.digests(), Tier::Optimized, turn);
        self.entries.replace(digest, link(&self.linker, &compiled.await?)?);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
