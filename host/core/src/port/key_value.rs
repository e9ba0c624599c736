//! Small values that a plugin keeps between executions.

use super::{BoxFuture, EffectError};
use crate::id::TenantId;

/// One plugin's values in one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyValueSpace {
    pub tenant: TenantId,
    /// `namespace:name`: all versions of a plugin share their values.
    pub plugin: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValueEntry {
    pub value: Vec<u8>,
    /// Changes with every write, and never comes back for the same key.
    pub revision: u64,
}

/// Keeps values. Durable once a write returns. Errors: `invalid-key`, `too-large`, `quota`, `unavailable`.
pub trait KeyValueStore: Send + Sync + 'static {
    /// None: never written, deleted, or over its time.
    fn get(
        &self,
        space: &KeyValueSpace,
        key: &str,
    ) -> BoxFuture<'static, Result<Option<KeyValueEntry>, EffectError>>;

    /// `ttl_ms`: milliseconds after which the value is gone. Gives the new revision.
    fn set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<u64, EffectError>>;

    /// Writes only when the stored revision is `expected` (none: only when absent). Gives the new revision, or none
    /// when it did not match.
    fn compare_and_set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<Option<u64>, EffectError>>;

    /// A key that is not there is deleted already.
    fn delete(&self, space: &KeyValueSpace, key: &str) -> BoxFuture<'static, Result<(), EffectError>>;
}
