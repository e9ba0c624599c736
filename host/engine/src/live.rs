//! The executions in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quantum_core::id::ExecutionId;

use crate::entry::Entry;

/// By id; an execution leaves when its end is durable.
#[derive(Default)]
pub(crate) struct Live {
    entries: Mutex<HashMap<ExecutionId, Arc<Entry>>>,
}

impl Live {
    pub fn get(&self, id: &ExecutionId) -> Option<Arc<Entry>> {
        self.lock().get(id).cloned()
    }

    /// Keeps the one that was there first.
    pub fn insert(&self, entry: Arc<Entry>) -> Arc<Entry> {
        self.lock().entry(entry.id).or_insert(entry).clone()
    }

    /// Another entry of the same execution stays.
    pub fn remove(&self, entry: &Arc<Entry>) {
        let mut entries = self.lock();
        if entries.get(&entry.id).is_some_and(|known| Arc::ptr_eq(known, entry)) {
            entries.remove(&entry.id);
        }
    }

    /// Forgets an execution that only waits, unless somebody else is about to use it. `held`: references that the
    /// caller has.
    pub fn evict(&self, entry: &Arc<Entry>, held: usize) -> bool {
        let mut entries = self.lock();
        let known = entries.get(&entry.id).is_some_and(|known| Arc::ptr_eq(known, entry));
        // INVARIANT: new references are only made through this map, whose lock is held.
        let evict = known && Arc::strong_count(entry) <= held + 1;
        if evict {
            entries.remove(&entry.id);
        }
        evict
    }

    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.lock().values().cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
