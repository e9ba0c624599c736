//! Linked components by digest: found in memory, in the cache, or compiled once however many attempts wait for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::Digest;
use quantum_core::port::ComponentSource;
use tokio::sync::OnceCell;
use wasmtime::component::{Component, Linker};

use super::compile::{Compiler, digest_of};
use crate::attempt::Guest;
use crate::error::Error;
use crate::fit;
use crate::host::RunnerPre;
use crate::places::{Weight, weigh};

/// A component that can be instantiated.
#[derive(Clone)]
pub(crate) struct Linked {
    pub runner: RunnerPre<Guest>,
    pub weight: Weight,
}

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
    entries: Mutex<HashMap<Digest, Entry>>,
    entries_max: usize,
    uses: AtomicU64,
}

struct Entry {
    /// Filled by the first who needs it; others wait for him.
    linked: Arc<OnceCell<Linked>>,
    last_use: u64,
}

impl Components {
    pub fn new(
        linker: Linker<Guest>,
        compiler: Compiler,
        source: Arc<dyn ComponentSource>,
        entries_max: usize,
    ) -> Self {
        let entries = Mutex::default();
        Self { linker, compiler, source, entries, entries_max: entries_max.max(1), uses: AtomicU64::new(0) }
    }

    pub fn linker(&self) -> &Linker<Guest> {
        &self.linker
    }

    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// One that is there already.
    pub fn loaded(&self, digest: &Digest) -> Option<Linked> {
        self.entry(digest).get().cloned()
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
        let cell = self.entry(digest);
        cell.get_or_try_init(|| self.find(digest)).await.cloned()
    }

    /// Keeps what was just compiled.
    pub fn keep(&self, digest: &Digest, linked: Linked) {
        // An older entry holds the same component: the digest says so.
        drop(self.entry(digest).set(linked));
    }

    pub fn link(&self, component: &Component) -> Result<Linked, Error> {
        let runner = fit::link(&self.linker, component)?;
        let weight = weigh(component).map_err(|reason| Error::Compile { reason })?;
        Ok(Linked { runner, weight })
    }

    async fn find(&self, digest: &Digest) -> Result<Linked, Error> {
        if let Some(component) = self.compiler.stored(digest).await {
            return self.link(&component);
        }
        let read = self.source.read(digest).await;
        let read = read.map_err(|source| Error::Read { component: digest.clone(), source })?;
        let bytes = read.ok_or_else(|| Error::NotStored { component: digest.clone() })?;
        if digest_of(&bytes) != *digest {
            return Err(Error::Altered { component: digest.clone() });
        }
        let component = self.compile_to_the_end(digest, bytes).await?;
        self.link(&component)
    }

    /// Whoever waited for it may have no time left: the next one finds it in the cache.
    async fn compile_to_the_end(&self, digest: &Digest, bytes: Vec<u8>) -> Result<Component, Error> {
        let (compiler, digest, in_use) = (self.compiler.clone(), digest.clone(), self.in_use());
        let compiling = async move { compiler.compile_and_store(&digest, bytes, in_use).await };
        let done = tokio::spawn(compiling).await;
        done.unwrap_or_else(|error| Err(Error::Compile { reason: format!("the compiler stopped: {error}") }))
    }

    /// What is in memory, whoever used it last.
    pub fn in_use(&self) -> Vec<Digest> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.keys().cloned().collect()
    }

    fn entry(&self, digest: &Digest) -> Arc<OnceCell<Linked>> {
        let last_use = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.contains_key(digest) && entries.len() >= self.entries_max {
            let oldest =
                entries.iter().min_by_key(|(_, entry)| entry.last_use).map(|(digest, _)| digest.clone());
            oldest.and_then(|digest| entries.remove(&digest));
        }
        let entry =
            entries.entry(digest.clone()).or_insert_with(|| Entry { linked: Arc::default(), last_use });
        entry.last_use = last_use;
        entry.linked.clone()
    }
}

/// The error and what caused it, in one line.
fn full_text(error: &Error) -> String {
    let mut text = format!("failed to {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
