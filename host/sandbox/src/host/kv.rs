//! `quantum:kv/kv`: small values of the plugin in the tenant.

use quantum_core::port::EffectError;
use quantum_core::recording::{Asked, Data, RecordedEntry, Refusal};
use quantum_core::vocabulary::Capability;

use super::bindings::effects::quantum::kv::kv::{Entry, Host, KvError};
use super::effects::Effects;
use crate::attempt::Guest;
use crate::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

type Answer<T> = wasmtime::Result<Result<T, KvError>>;

impl Host for Guest {
    async fn get(&mut self, key: String) -> Answer<Option<Entry>> {
        let (effects, tape) = self.taped_effects(Capability::Kv)?;
        let asked = tape.asks(|| Asked::KvGet { key: key.clone() });
        let told = tape.effect(asked, get(effects, &key)).await?;
        let entry = |entry: RecordedEntry| Entry { value: entry.value.0, revision: entry.revision };
        Ok(told.map(|found| found.map(entry)).map_err(refused))
    }

    async fn set(&mut self, key: String, value: Vec<u8>, ttl: Option<u64>) -> Answer<u64> {
        let (effects, tape) = self.taped_effects(Capability::Kv)?;
        let asked = tape.asks(|| Asked::KvSet { key: key.clone(), value: Data(value.clone()), ttl_ms: ttl });
        Ok(tape.effect(asked, set(effects, &key, value, ttl)).await?.map_err(refused))
    }

    async fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl: Option<u64>,
    ) -> Answer<Option<u64>> {
        let (effects, tape) = self.taped_effects(Capability::Kv)?;
        let asked = tape.asks(|| {
            let (key, value) = (key.clone(), Data(value.clone()));
            Asked::KvCompareAndSet { key, expected, value, ttl_ms: ttl }
        });
        let work = compare_and_set(effects, &key, expected, value, ttl);
        Ok(tape.effect(asked, work).await?.map_err(refused))
    }

    async fn delete(&mut self, key: String) -> Answer<()> {
        let (effects, tape) = self.taped_effects(Capability::Kv)?;
        let asked = tape.asks(|| Asked::KvDelete { key: key.clone() });
        Ok(tape.effect(asked, delete(effects, &key)).await?.map_err(refused))
    }
}

async fn get(effects: &mut Effects, key: &str) -> Result<Option<RecordedEntry>, EffectError> {
    let key = stored_key(effects, key)?;
    let entry = effects.key_values.get(&effects.space, &key).await?;
    effects.moved.load(entry.as_ref().map_or(0, |entry| entry.value.len()));
    Ok(entry.map(|entry| RecordedEntry { value: Data(entry.value), revision: entry.revision }))
}

async fn set(effects: &mut Effects, key: &str, value: Vec<u8>, ttl: Option<u64>) -> Result<u64, EffectError> {
    let key = stored_key(effects, key)?;
    admit(effects, &value)?;
    effects.key_values.set(&effects.space, &key, value, ttl).await
}

async fn compare_and_set(
    effects: &mut Effects,
    key: &str,
    expected: Option<u64>,
    value: Vec<u8>,
    ttl: Option<u64>,
) -> Result<Option<u64>, EffectError> {
    let key = stored_key(effects, key)?;
    admit(effects, &value)?;
    effects.key_values.compare_and_set(&effects.space, &key, expected, value, ttl).await
}

async fn delete(effects: &mut Effects, key: &str) -> Result<(), EffectError> {
    let key = stored_key(effects, key)?;
    effects.key_values.delete(&effects.space, &key).await
}

/// The installation's prefix and the plugin's key.
fn stored_key(effects: &Effects, key: &str) -> Result<String, EffectError> {
    effects.check_installed()?;
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        let message = format!("a key has 1 to {KEY_BYTES_MAX} bytes, this one {}", key.len());
        return Err(EffectError::new("invalid-key", message));
    }
    Ok(format!("{}{key}", effects.key_prefix))
}

fn admit(effects: &mut Effects, value: &[u8]) -> Result<(), EffectError> {
    if value.len() > VALUE_BYTES_MAX {
        let message = format!(
            "a value has at most {VALUE_BYTES_MAX} bytes, this one {}; keep large data as artifacts",
            value.len()
        );
        return Err(EffectError::new("too-large", message));
    }
    effects.moved.store(value.len());
    Ok(())
}

fn refused(refusal: Refusal) -> KvError {
    KvError { code: refusal.code, message: refusal.message, retryable: refusal.retryable }
}
