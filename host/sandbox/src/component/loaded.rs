//! Linked components by digest: found in memory, in the cache, or compiled once however many attempts wait for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quantum_core::id::Digest;
use quantum_core::port::ComponentSource;
use tokio::sync::OnceCell;
use wasmtime::component::{Component, Linker};

use super::compile::{Compiler, digest_of};
use crate::attempt::Guest;
use crate::error::Error;
use crate::fit;
use crate::host::RunnerPre;
use crate::limits::REFUSED_MS;
use crate::places::{Weight, weigh};

/// A component that can be instantiated.
#[derive(Clone)]
pub(crate) struct Linked {
    pub runner: RunnerPre<Guest>,
    pub weight: Weight,
}

/// Why an attempt gets no component.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not installed any more, or this host cannot use it.
    #[error("{0}")]
    Unavailable(String),
    /// The host could not do its own part.
    #[error("{0}")]
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
    found: Arc<OnceCell<Found>>,
    last_use: u64,
}

/// The component, or why this host cannot use it, which takes as long to find out each time.
type Found = Result<Linked, Refused>;

#[derive(Debug, Clone)]
struct Refused {
    reason: Arc<str>,
    at: Instant,
}

impl Refused {
    /// A machine that was busy may compile it in time when it is tried again.
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.at) >= Duration::from_millis(REFUSED_MS)
    }
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
        let mut entries = self.entries();
        let entry = entries.get_mut(digest)?;
        entry.last_use = self.uses.fetch_add(1, Ordering::Relaxed);
        entry.found.get()?.as_ref().ok().cloned()
    }

    /// The component of this digest, linked. Whoever waits for it may have no time left: it is looked for to the end, and
    /// the next one finds what came of it.
    pub async fn load(self: &Arc<Self>, digest: &Digest) -> Result<Linked, LoadError> {
        let (components, digest) = (self.clone(), digest.clone());
        let looking = async move {
            let cell = components.entry(&digest);
            cell.get_or_try_init(|| components.find_or_refuse(&digest)).await.cloned()
        };
        let found = tokio::spawn(looking).await;
        let found =
            found.unwrap_or_else(|error| Err(LoadError::Host(format!("loading it stopped: {error}"))))?;
        found.map_err(|refused| LoadError::Unavailable(refused.reason.to_string()))
    }

    /// Makes sure that it is compiled.
    pub async fn prepare(self: &Arc<Self>, digest: &Digest) -> Result<(), LoadError> {
        if self.compiler.has_stored(digest) {
            return Ok(());
        }
        self.load(digest).await.map(drop)
    }

    /// Keeps what was just compiled.
    pub fn keep(&self, digest: &Digest, linked: Linked) {
        let entry = self.entry_that(digest, |refused| refused.is_none());
        // An older one holds the same component: the digest says so.
        drop(entry.set(Ok(linked)));
    }

    pub fn link(&self, component: &Component) -> Result<Linked, Error> {
        let runner = fit::link(&self.linker, component)?;
        let weight = weigh(component).map_err(|reason| Error::Compile { reason })?;
        Ok(Linked { runner, weight })
    }

    async fn find_or_refuse(&self, digest: &Digest) -> Result<Found, LoadError> {
        match self.find(digest).await {
            Ok(linked) => Ok(Ok(linked)),
            Err(error) if error.is_components() => {
                Ok(Err(Refused { reason: full_text(&error).into(), at: Instant::now() }))
            }
            Err(error) if error.is_hosts() => Err(LoadError::Host(full_text(&error))),
            Err(error) => Err(LoadError::Unavailable(full_text(&error))),
        }
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
        let component = self.compiler.compile_and_store(digest, bytes, self.in_use()).await?;
        self.link(&component)
    }

    /// What is in memory, whoever used it last.
    pub fn in_use(&self) -> Vec<Digest> {
        self.entries().keys().cloned().collect()
    }

    fn entry(&self, digest: &Digest) -> Arc<OnceCell<Found>> {
        self.entry_that(digest, |refused| refused.is_none_or(|refused| !refused.is_over(Instant::now())))
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Digest, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is there when it holds, and an empty one otherwise.
    fn entry_that(
        &self,
        digest: &Digest,
        holds: impl FnOnce(Option<&Refused>) -> bool,
    ) -> Arc<OnceCell<Found>> {
        let last_use = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut entries = self.entries();
        if !entries.contains_key(digest) && entries.len() >= self.entries_max {
            let oldest =
                entries.iter().min_by_key(|(_, entry)| entry.last_use).map(|(digest, _)| digest.clone());
            oldest.and_then(|digest| entries.remove(&digest));
        }
        let entry =
            entries.entry(digest.clone()).or_insert_with(|| Entry { found: Arc::default(), last_use });
        entry.last_use = last_use;
        if !holds(entry.found.get().and_then(|found| found.as_ref().err())) {
            entry.found = Arc::default();
        }
        entry.found.clone()
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

#[cfg(test)]
mod tests {
    use quantum_core::port::BoxFuture;
    use wasmtime::Engine;

    use super::*;
    use crate::options::SandboxOptions;

    struct Empty;

    impl ComponentSource for Empty {
        fn read(&self, _: &Digest) -> BoxFuture<'static, std::io::Result<Option<Vec<u8>>>> {
            Box::pin(async { Ok(None) })
        }
    }

    fn refused(ms_ago: u64) -> Components {
        let engine = Engine::default();
        let compiler = Compiler::new(&engine, &SandboxOptions::default()).unwrap();
        let components = Components::new(Linker::new(&engine), compiler, Arc::new(Empty), 2);
        let at = Instant::now().checked_sub(Duration::from_millis(ms_ago)).unwrap();
        drop(components.entry(&digest_of(b"")).set(Err(Refused { reason: "no component".into(), at })));
        components
    }

    #[test]
    fn a_refused_component_is_tried_again_after_its_time() {
        let is_kept = |components: Components| components.entry(&digest_of(b"")).get().is_some();
        assert!(is_kept(refused(0)));
        assert!(is_kept(refused(REFUSED_MS - 1_000)));
        assert!(!is_kept(refused(REFUSED_MS)));
    }

    #[test]
    fn who_compiled_it_anew_finds_no_refusal_in_the_way() {
        let components = refused(0);
        assert!(components.entry_that(&digest_of(b""), |refused| refused.is_none()).get().is_none());
        assert!(components.entry(&digest_of(b"")).get().is_none(), "from now on for all");
    }
}
