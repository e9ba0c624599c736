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

    pub fn remove(&self, id: &ExecutionId) {
        self.lock().remove(id);
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
