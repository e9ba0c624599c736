//! Key-value data in memory, on the scripted clock.

use std::collections::BTreeMap;

use super::host::Host;
use crate::kv::{Entry, Error};

/// What is stored.
#[derive(Debug, Default)]
pub(super) struct Table {
    values: BTreeMap<String, Value>,
    revision: u64,
}

#[derive(Debug)]
struct Value {
    entry: Entry,
    ends_at_ms: Option<u64>,
}

impl Table {
    fn get(&self, key: &str, now_ms: u64) -> Option<&Entry> {
        let value = self.values.get(key)?;
        let over = value.ends_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        (!over).then_some(&value.entry)
    }

    fn set(&mut self, key: &str, value: &[u8], ends_at_ms: Option<u64>) -> u64 {
        self.revision += 1;
        let entry = Entry { value: value.to_vec(), revision: self.revision };
        self.values.insert(key.to_owned(), Value { entry, ends_at_ms });
        self.revision
    }
}

/// Scripting and looking.
impl Host {
    /// A value that is stored before the action runs.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().kv_entry("last", "v1");
    /// assert_eq!(host.context().kv().get("last").unwrap().unwrap().value, b"v1");
    /// ```
    #[must_use]
    pub fn kv_entry(self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.change().kv.set(key, value.as_ref(), None);
        self
    }

    /// The stored value of a key; none when there is none, or its time is over.
    ///
    /// ```
    /// assert_eq!(quantum_sdk::testing::Host::new().kv("last"), None);
    /// ```
    pub fn kv(&self, key: &str) -> Option<Vec<u8>> {
        let state = self.look();
        state.kv.get(key, state.now_ms).map(|entry| entry.value.clone())
    }
}

/// What the context calls.
impl Host {
    pub(crate) fn kv_get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let state = self.look();
        Ok(state.kv.get(key, state.now_ms).cloned())
    }

    pub(crate) fn kv_set(&self, key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<u64, Error> {
        let mut state = self.change();
        let ends_at_ms = ttl_ms.map(|ttl_ms| state.now_ms.saturating_add(ttl_ms));
        Ok(state.kv.set(key, value, ends_at_ms))
    }

    pub(crate) fn kv_compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: &[u8],
        ttl_ms: Option<u64>,
    ) -> Result<Option<u64>, Error> {
        if self.kv_get(key)?.map(|entry| entry.revision) != expected {
            return Ok(None);
        }
        self.kv_set(key, value, ttl_ms).map(Some)
    }

    pub(crate) fn kv_delete(&self, key: &str) -> Result<(), Error> {
        self.change().kv.values.remove(key);
        Ok(())
    }
}
