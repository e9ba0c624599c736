//! Values of plugins in memory. Revisions come from one counter, so that none comes back for a key.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use quantum_core::id::TenantId;
use quantum_core::port::{BoxFuture, EffectError, KeyValueEntry, KeyValueSpace, KeyValueStore};
use quantum_core::time::Timestamp;
use quantum_engine::{Clock, SystemClock};

/// Values of one space. Over it: `quota`.
const ENTRIES_MAX: usize = 10_000;
/// Bytes of a value, as in the host's own store. Over it: `too-large`.
const VALUE_BYTES_MAX: usize = 64 * 1024;

#[derive(Default)]
pub(in crate::plugin) struct MemoryKeyValues {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    revision: u64,
    spaces: HashMap<KeyValueSpace, BTreeMap<String, Kept>>,
}

struct Kept {
    entry: KeyValueEntry,
    expires_at: Option<Timestamp>,
}

/// What must be there for a write to happen.
enum Expected {
    Anything,
    /// None: nothing.
    Revision(Option<u64>),
}

/// One write.
struct Write {
    key: String,
    value: Vec<u8>,
    ttl_ms: Option<u64>,
    expected: Expected,
}

impl MemoryKeyValues {
    pub fn put(&self, space: &KeyValueSpace, key: &str, value: Vec<u8>) -> Result<u64, EffectError> {
        let write = Write { key: key.to_owned(), value, ttl_ms: None, expected: Expected::Anything };
        self.lock().write(space, write, SystemClock.now()).map(Option::unwrap_or_default)
    }

    /// What all plugins of the tenant keep now, by key.
    pub fn stored(&self, tenant: &TenantId) -> BTreeMap<String, Vec<u8>> {
        let now = SystemClock.now();
        let state = self.lock();
        let spaces = state.spaces.iter().filter(|(space, _)| space.tenant == *tenant);
        let kept = spaces.flat_map(|(_, values)| values).filter(|(_, kept)| kept.is_live(now));
        kept.map(|(key, kept)| (key.clone(), kept.entry.value.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyValueStore for MemoryKeyValues {
    fn get(
        &self,
        space: &KeyValueSpace,
        key: &str,
    ) -> BoxFuture<'static, Result<Option<KeyValueEntry>, EffectError>> {
        let state = self.lock();
        let found = state.live(space, key, SystemClock.now()).cloned();
        Box::pin(async { Ok(found) })
    }

    fn set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<u64, EffectError>> {
        let write = Write { key: key.to_owned(), value, ttl_ms, expected: Expected::Anything };
        let written = self.lock().write(space, write, SystemClock.now());
        Box::pin(async { written.map(Option::unwrap_or_default) })
    }

    fn compare_and_set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<Option<u64>, EffectError>> {
        let write = Write { key: key.to_owned(), value, ttl_ms, expected: Expected::Revision(expected) };
        let written = self.lock().write(space, write, SystemClock.now());
        Box::pin(async { written })
    }

    fn delete(&self, space: &KeyValueSpace, key: &str) -> BoxFuture<'static, Result<(), EffectError>> {
        if let Some(values) = self.lock().spaces.get_mut(space) {
            values.remove(key);
        }
        Box::pin(async { Ok(()) })
    }
}

impl State {
    fn live(&self, space: &KeyValueSpace, key: &str, now: Timestamp) -> Option<&KeyValueEntry> {
        let kept = self.spaces.get(space)?.get(key)?;
        kept.is_live(now).then_some(&kept.entry)
    }

    /// None: something else was there than expected.
    fn write(
        &mut self,
        space: &KeyValueSpace,
        write: Write,
        now: Timestamp,
    ) -> Result<Option<u64>, EffectError> {
        if write.value.len() > VALUE_BYTES_MAX {
            let message =
                format!("a value has at most {VALUE_BYTES_MAX} bytes; put what is large into an artifact");
            return Err(EffectError::new("too-large", message));
        }
        let before = self.live(space, &write.key, now).map(|entry| entry.revision);
        if let Expected::Revision(expected) = write.expected
            && expected != before
        {
            return Ok(None);
        }
        let values = self.spaces.entry(space.clone()).or_default();
        values.retain(|_, kept| kept.is_live(now));
        if before.is_none() && values.len() >= ENTRIES_MAX {
            let message = format!("the plugin keeps {ENTRIES_MAX} values already");
            return Err(EffectError::new("quota", message));
        }
        self.revision += 1;
        let entry = KeyValueEntry { value: write.value, revision: self.revision };
        let expires_at = write.ttl_ms.map(|ttl_ms| now.plus_millis(ttl_ms));
        values.insert(write.key, Kept { entry, expires_at });
        Ok(Some(self.revision))
    }
}

impl Kept {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(plugin: &str) -> KeyValueSpace {
        KeyValueSpace { tenant: TenantId::new("t").unwrap(), plugin: plugin.to_owned() }
    }

    async fn text(store: &MemoryKeyValues, plugin: &str, key: &str) -> Option<String> {
        let entry = store.get(&space(plugin), key).await.unwrap();
        entry.map(|entry| String::from_utf8(entry.value).unwrap())
    }

    #[tokio::test]
    async fn a_write_that_expects_something_else_changes_nothing() {
        let store = MemoryKeyValues::default();
        let set = async |expected, value: &str| {
            store.compare_and_set(&space("a"), "k", expected, value.into(), None).await.unwrap()
        };
        let first = set(None, "one").await.unwrap();
        assert_eq!(set(None, "two").await, None);
        let second = set(Some(first), "two").await.unwrap();
        assert_eq!((set(Some(first), "three").await, second > first), (None, true));
        assert_eq!(text(&store, "a", "k").await.as_deref(), Some("two"));
        store.delete(&space("a"), "k").await.unwrap();
        assert_eq!(set(Some(second), "four").await, None);
        assert!(set(None, "five").await.unwrap() > second);
    }

    #[tokio::test]
    async fn a_value_that_the_host_would_not_keep_is_refused() {
        let store = MemoryKeyValues::default();
        assert!(store.put(&space("a"), "k", vec![0; VALUE_BYTES_MAX]).is_ok());
        assert_eq!(store.put(&space("a"), "k", vec![0; VALUE_BYTES_MAX + 1]).unwrap_err().code, "too-large");
    }

    #[tokio::test]
    async fn plugins_do_not_see_each_other_and_a_value_over_its_time_is_gone() {
        let store = MemoryKeyValues::default();
        store.put(&space("a"), "k", b"a".to_vec()).unwrap();
        store.set(&space("a"), "gone", b"x".to_vec(), Some(0)).await.unwrap();
        assert_eq!(text(&store, "b", "k").await, None);
        assert_eq!(text(&store, "a", "gone").await, None);
        let stored = store.stored(&TenantId::new("t").unwrap());
        assert_eq!(stored, BTreeMap::from([("k".to_owned(), b"a".to_vec())]));
    }
}
