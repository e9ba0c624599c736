//! Key-value data, from inside a component.

use super::Host;
use crate::bindings::quantum::kv::kv;
use crate::kv::{Entry, Error};

impl Host {
    pub fn kv_get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let entry = |entry: kv::Entry| Entry { value: entry.value, revision: entry.revision };
        kv::get(key).map(|stored| stored.map(entry)).map_err(error)
    }

    pub fn kv_set(&self, key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<u64, Error> {
        kv::set(key, value, ttl_ms).map_err(error)
    }

    pub fn kv_compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: &[u8],
        ttl_ms: Option<u64>,
    ) -> Result<Option<u64>, Error> {
        kv::compare_and_set(key, expected, value, ttl_ms).map_err(error)
    }

    pub fn kv_delete(&self, key: &str) -> Result<(), Error> {
        kv::delete(key).map_err(error)
    }
}

fn error(error: kv::KvError) -> Error {
    Error { code: error.code, message: error.message, retryable: error.retryable }
}
