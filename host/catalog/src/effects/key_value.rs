//! The port of values that plugins keep.

use quantum_core::port::{BoxFuture, EffectError, KeyValueEntry, KeyValueSpace, KeyValueStore};
use quantum_store::{Expected, KeyValueWrite, TenantScope};

use super::Effects;
use super::refusal::refusal;

/// Bytes of a key, with what the installation puts before it. Over it: `invalid-key`.
const KEY_BYTES_MAX: usize = 512;
/// Bytes of a value; what is larger belongs into an artifact. Over it: `too-large`.
const VALUE_BYTES_MAX: usize = 64 * 1024;

impl KeyValueStore for Effects {
    fn get(
        &self,
        space: &KeyValueSpace,
        key: &str,
    ) -> BoxFuture<'static, Result<Option<KeyValueEntry>, EffectError>> {
        let (effects, space, key) = (self.clone(), space.clone(), key.to_owned());
        Box::pin(async move {
            check_key(&key)?;
            let scope = TenantScope::effect(space.tenant);
            let values = effects.shared.store.key_value(&scope);
            let found = values.get(&space.plugin, &key, effects.now()).await;
            let found = found.map_err(|error| refusal(error.into()))?;
            Ok(found.map(|found| KeyValueEntry { value: found.value, revision: found.revision }))
        })
    }

    fn set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<u64, EffectError>> {
        let written = self.write(space, key, (value, ttl_ms), Expected::Anything);
        Box::pin(async move {
            // Nothing is expected, so that nothing can differ.
            written.await?.ok_or_else(|| EffectError::unavailable("the value was not written; try again"))
        })
    }

    fn compare_and_set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<Option<u64>, EffectError>> {
        let expected = expected.map_or(Expected::Absent, Expected::Revision);
        self.write(space, key, (value, ttl_ms), expected)
    }

    fn delete(&self, space: &KeyValueSpace, key: &str) -> BoxFuture<'static, Result<(), EffectError>> {
        let (effects, space, key) = (self.clone(), space.clone(), key.to_owned());
        Box::pin(async move {
            check_key(&key)?;
            let scope = TenantScope::effect(space.tenant);
            let deleted = effects.shared.store.key_value(&scope).delete(&space.plugin, &key).await;
            deleted.map(drop).map_err(|error| refusal(error.into()))
        })
    }
}

impl Effects {
    fn write(
        &self,
        space: &KeyValueSpace,
        key: &str,
        (value, ttl_ms): (Vec<u8>, Option<u64>),
        expected: Expected,
    ) -> BoxFuture<'static, Result<Option<u64>, EffectError>> {
        let (effects, space, key) = (self.clone(), space.clone(), key.to_owned());
        Box::pin(async move {
            check_key(&key)?;
            check_value(&value)?;
            let now = effects.now();
            let write = KeyValueWrite {
                plugin: space.plugin,
                key,
                value,
                expires_at: ttl_ms.map(|ttl_ms| now.plus_millis(ttl_ms)),
                expected,
                now,
                quota: effects.options().key_value,
            };
            let scope = TenantScope::effect(space.tenant);
            let written = effects.shared.store.key_value(&scope).write(write).await;
            written.map_err(|error| refusal(error.into()))
        })
    }
}

fn check_key(key: &str) -> Result<(), EffectError> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(());
    }
    let message = format!(
        "a key has 1 to {KEY_BYTES_MAX} bytes, this one has {}; put a digest of what is long into it",
        key.len()
    );
    Err(EffectError::new("invalid-key", message))
}

fn check_value(value: &[u8]) -> Result<(), EffectError> {
    if value.len() <= VALUE_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "a value has at most {VALUE_BYTES_MAX} bytes, this one has {}; put what is large into an artifact, and keep \
         its digest",
        value.len()
    );
    Err(EffectError::new("too-large", message))
}
