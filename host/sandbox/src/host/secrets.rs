//! `quantum:secrets`: placeholders and signatures, and, as a capability of its own, the values.

use std::sync::Arc;

use quantum_core::port::EffectError;
use quantum_core::vocabulary::Capability;
use tokio::task::JoinSet;

use super::bindings::effects::quantum::secrets::{reveal, secrets};
use crate::attempt::{CapabilityMissing, CpuMeter, Guest};
use crate::secret::Vault;

type Answer<T> = wasmtime::Result<Result<T, secrets::SecretError>>;

impl secrets::Host for Guest {
    async fn placeholder(&mut self, name: String) -> Answer<String> {
        let (vault, meter) = (vault(self, Capability::SecretsUse)?, self.meter.clone());
        Ok(on_own_stack(meter, async move { vault.placeholder(&name).await }).await.map_err(told))
    }

    async fn basic(&mut self, user: String, name: String) -> Answer<String> {
        let (vault, meter) = (vault(self, Capability::SecretsUse)?, self.meter.clone());
        Ok(on_own_stack(meter, async move { vault.basic(&user, &name).await }).await.map_err(told))
    }

    async fn hmac_sha256(&mut self, name: String, data: Vec<u8>) -> Answer<Vec<u8>> {
        let (vault, meter) = (vault(self, Capability::SecretsUse)?, self.meter.clone());
        Ok(on_own_stack(meter, async move { vault.hmac_sha256(&name, &data).await }).await.map_err(told))
    }
}

impl reveal::Host for Guest {
    async fn reveal(&mut self, name: String) -> wasmtime::Result<Result<String, reveal::RevealError>> {
        let (vault, meter) = (vault(self, Capability::SecretsReveal)?, self.meter.clone());
        let shown = on_own_stack(meter, async move { vault.reveal(&name).await }).await;
        Ok(shown.map_err(|error| reveal::RevealError { code: error.code.to_owned(), message: error.message }))
    }
}

fn vault(guest: &mut Guest, capability: Capability) -> Result<Arc<Vault>, CapabilityMissing> {
    Ok(guest.effects(capability)?.vault.clone())
}

/// A guest's call runs on the guest's stack, whose end nobody but the engine knows: policies that look how much of
/// their stack is left would refuse everything there. A call that is given up ends its work.
async fn on_own_stack<T: Send + 'static>(
    meter: Arc<CpuMeter>,
    work: impl Future<Output = Result<T, EffectError>> + Send + 'static,
) -> Result<T, EffectError> {
    let mut tasks = JoinSet::new();
    tasks.spawn(meter.measure_beside(work));
    match tasks.join_next().await {
        Some(Ok(done)) => done,
        _ => Err(EffectError::unavailable("the host could not look at the secret")),
    }
}

fn told(error: EffectError) -> secrets::SecretError {
    secrets::SecretError { code: error.code.to_owned(), message: error.message }
}
