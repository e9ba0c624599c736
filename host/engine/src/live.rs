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

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
