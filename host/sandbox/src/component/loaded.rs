//! Linked components by digest: found in memory, in the cache, or compiled once however many attempts wait for it.

use std::sync::Arc;

use quantum_core::id::Digest;
use quantum_core::port::ComponentSource;
use wasmtime::component::{Component, Linker};

use super::compile::{Compiler, Made, digest_of};
use super::entries::{Entries, Linked};
use super::optimizer::Optimizer;
use super::tier::Tier;
use crate::attempt::Guest;
use crate::error::Error;
use crate::fit;
use crate::places::weigh;

/// Why an attempt gets no component.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// Not installed any more, or it does not fit this host. The text is for people.
    Unavailable(String),
    /// The host could not read what it stored.
    Host(String),
}

pub(crate) struct Components {
    linker: Linker<Guest>,
    compiler: Compiler,
    source: Arc<dyn ComponentSource>,
    entries: Arc<Entries>,
    /// None: what runs baseline code goes on to.
    optimizer: Option<Arc<Optimizer>>,
}

impl Components {
    pub fn new(
        linker: Linker<Guest>,
        compiler: Compiler,
        source: Arc<dyn ComponentSource>,
        entries_max: usize,
        optimizes: bool,
    ) -> Self {
        let entries = Arc::new(Entries::new(entries_max));
        let optimizer = Optimizer::new(linker.clone(), compiler.clone(), source.clone(), entries.clone());
        let optimizer = optimizes.then(|| Arc::new(optimizer));
        Self { linker, compiler, source, entries, optimizer }
    }

    pub fn linker(&self) -> &Linker<Guest> {
        &self.linker
    }

    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// One that is there already.
    pub fn loaded(&self, digest: &Digest) -> Option<Linked> {
        self.entries.cell(digest).get().cloned()
    }

    /// The component of this digest, linked.
    pub async fn load(&self, digest: &Digest) -> Result<Linked, LoadError> {
        let linked = self.fetch(digest).await;
        linked.map_err(|error| match error {
            Error::Read { .. } | Error::CompilerStart { .. } | Error::CompilerPipe(_) => {
                LoadError::Host(full_text(&error))
            }
            _ => LoadError::Unavailable(full_text(&error)),
        })
    }

    pub async fn fetch(&self, digest: &Digest) -> Result<Linked, Error> {
        let cell = self.entries.cell(digest);
        cell.get_or_try_init(|| self.find(digest)).await.cloned()
    }

    /// What is to be installed, from the cache or compiled.
    pub async fn make(&self, digest: &Digest, bytes: &[u8]) -> Result<Made, Error> {
        match self.compiler.stored(digest).await {
            Some(made) => Ok(made),
            None => self.compiler.compile_first(digest, bytes.to_vec(), self.entries.digests()).await,
        }
    }

    /// Keeps what was just installed. `bytes`: of the component, which nobody may have stored yet.
    pub fn keep(&self, digest: &Digest, linked: Linked, tier: Tier, bytes: Vec<u8>) {
        // An older entry holds the same component: the digest says so.
        drop(self.entries.cell(digest).set(linked));
        self.optimize(digest, tier, Some(bytes));
    }

    pub fn link(&self, component: &Component) -> Result<Linked, Error> {
        link(&self.linker, component)
    }

    async fn find(&self, digest: &Digest) -> Result<Linked, Error> {
        let made = match self.compiler.stored(digest).await {
            Some(made) => made,
            None => {
                let bytes = stored_bytes(&*self.source, digest).await?;
                self.compile_to_the_end(digest, bytes).await?
            }
        };
        let linked = self.link(&made.component)?;
        self.optimize(digest, made.tier, None);
        Ok(linked)
    }

    /// Whoever waited for it may have no time left: the next one finds it in the cache.
    async fn compile_to_the_end(&self, digest: &Digest, bytes: Vec<u8>) -> Result<Made, Error> {
        let (compiler, digest, in_use) = (self.compiler.clone(), digest.clone(), self.entries.digests());
        let compiling = async move { compiler.compile_first(&digest, bytes, in_use).await };
        let done = tokio::spawn(compiling).await;
        done.unwrap_or_else(|error| Err(Error::Compile { reason: format!("the compiler stopped: {error}") }))
    }

    fn optimize(&self, digest: &Digest, tier: Tier, bytes: Option<Vec<u8>>) {
        if let (Tier::Baseline, Some(optimizer)) = (tier, &self.optimizer) {
            optimizer.begin(digest, bytes);
        }
    }
}

pub(super) fn link(linker: &Linker<Guest>, component: &Component) -> Result<Linked, Error> {
    let runner = fit::link(linker, component)?;
    let weight = weigh(component).map_err(|reason| Error::Compile { reason })?;
    Ok(Linked { runner, weight })
}

/// The bytes that were stored under this digest, and no others.
pub(super) async fn stored_bytes(source: &dyn ComponentSource, digest: &Digest) -> Result<Vec<u8>, Error> {
    let read = source.read(digest).await;
    let read = read.map_err(|source| Error::Read { component: digest.clone(), source })?;
    let bytes = read.ok_or_else(|| Error::NotStored { component: digest.clone() })?;
    if digest_of(&bytes) != *digest {
        return Err(Error::Altered { component: digest.clone() });
    }
    Ok(bytes)
}

/// The error and what caused it, in one line.
pub(super) fn full_text(error: &Error) -> String {
    let mut text = format!("failed to {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
