//! Components in memory, linked, by digest. The one unused longest makes place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quantum_core::id::Digest;
use tokio::sync::OnceCell;

use crate::attempt::Guest;
use crate::host::RunnerPre;
use crate::places::Weight;

/// A component that can be instantiated.
#[derive(Clone)]
pub(crate) struct Linked {
    pub runner: RunnerPre<Guest>,
    pub weight: Weight,
}

pub(super) struct Entries<C = Linked> {
    entries: Mutex<HashMap<Digest, Entry<C>>>,
    entries_max: usize,
    uses: AtomicU64,
}

struct Entry<C> {
    /// Filled by the first who needs it; others wait for him.
    component: Arc<OnceCell<C>>,
    last_use: u64,
}

impl<C: Clone> Entries<C> {
    pub fn new(entries_max: usize) -> Self {
        Self { entries: Mutex::default(), entries_max: entries_max.max(1), uses: AtomicU64::new(0) }
    }

    /// The place of this component, which may be empty still. It is used now.
    pub fn cell(&self, digest: &Digest) -> Arc<OnceCell<C>> {
        let last_use = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut entries = self.lock();
        if !entries.contains_key(digest) && entries.len() >= self.entries_max {
            let oldest =
                entries.iter().min_by_key(|(_, entry)| entry.last_use).map(|(digest, _)| digest.clone());
            oldest.and_then(|digest| entries.remove(&digest));
        }
        let entry =
            entries.entry(digest.clone()).or_insert_with(|| Entry { component: Arc::default(), last_use });
        entry.last_use = last_use;
        entry.component.clone()
    }

    /// From here on attempts of this component get this one, when it is in memory at all. Those that run keep theirs.
    pub fn replace(&self, digest: &Digest, component: C) {
        if let Some(entry) = self.lock().get_mut(digest) {
            entry.component = Arc::new(OnceCell::new_with(Some(component)));
        }
    }

    /// What is in memory, whoever used it last.
    pub fn digests(&self) -> Vec<Digest> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Entry<C>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(letter: char) -> Digest {
        Digest::new(format!("sha256:{}", letter.to_string().repeat(64))).unwrap()
    }

    #[test]
    fn whoever_comes_after_a_replacement_gets_it_and_others_keep_theirs() {
        let entries = Entries::new(2);
        let running = entries.cell(&digest('a'));
        running.set("baseline").unwrap();
        entries.replace(&digest('a'), "optimized");
        assert_eq!(running.get(), Some(&"baseline"));
        assert_eq!(entries.cell(&digest('a')).get(), Some(&"optimized"));
        entries.replace(&digest('b'), "optimized");
        assert_eq!(entries.digests(), [digest('a')], "what is not in memory is not brought there");
    }

    #[test]
    fn the_one_unused_longest_makes_place() {
        let entries = Entries::new(2);
        for letter in ['a', 'b', 'a', 'c'] {
            drop(entries.cell(&digest(letter)).set(letter));
        }
        let mut kept = entries.digests();
        kept.sort();
        assert_eq!(kept, [digest('a'), digest('c')]);
    }
}
