//! A bounded map whose entries end: verified tokens, and memberships.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quantum_core::time::Timestamp;

/// Entries at most. Over it those that ended are removed, and if that does not help, all.
const ENTRIES_MAX: usize = 10_000;

pub(super) struct Cache<K, V> {
    entries: Mutex<HashMap<K, (V, Timestamp)>>,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub fn new() -> Self {
        Self { entries: Mutex::default() }
    }

    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        self.lock().get(key).filter(|(_, until)| now < *until).map(|(value, _)| value.clone())
    }

    pub fn put(&self, key: K, value: V, until: Timestamp, now: Timestamp) {
        let mut entries = self.lock();
        if entries.len() >= ENTRIES_MAX {
            entries.retain(|_, (_, until)| now < *until);
        }
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(key, (value, until));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (V, Timestamp)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_ends_and_the_map_stays_bounded() {
        let cache = Cache::new();
        let at = Timestamp::from_millis;
        for key in 0..ENTRIES_MAX + 1 {
            cache.put(key, key, at(10), at(0));
        }
        assert_eq!(cache.lock().len(), 1);
        assert_eq!(cache.get(&ENTRIES_MAX, at(9)), Some(ENTRIES_MAX));
        assert_eq!(cache.get(&ENTRIES_MAX, at(10)), None);
    }
}
