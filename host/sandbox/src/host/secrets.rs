//! `quantum:secrets`: placeholders and signatures, and, as a capability of its own, the values.

use std::sync::Arc;

use quantum_core::port::EffectError;
use quantum_core::recording::{Asked, Data, Refusal};
use quantum_core::vocabulary::Capability;
use tokio::task::JoinSet;

use super::bindings::effects::quantum::secrets::{reveal, secrets};
use crate::attempt::{CapabilityMissing, CpuMeter, Guest};
use crate::secret::Vault;

type Answer<T> = wasmtime::Result<Result<T, secrets::SecretError>>;

impl secrets::Host for Guest {
    async fn placeholder(&mut self, name: String) -> Answer<String> {
        let (vault, meter) = (vault(self, Capability::SecretsUse)?, self.meter.clone());
        let asked = self.tape.asks(|| Asked::SecretPlaceholder { name: name.clone() });
        let work = on_own_stack(meter, async move { vault.placeholder(&name).await });
        Ok(self.tape.effect(asked, work).await?.map_err(refused))
    }

    async fn basic(&mut self, user: String, name: String) -> Answer<String> {
        let (vault, meter) = (vault(self, Capability::SecretsUse)?, self.meter.clone());
        let asked = self.tape.asks(|| Asked::SecretBasic { user: user.clone(), name: name.clone() });
        let work = on_own_stack(meter, async move { vault.basic(&user, &name).await });
        Ok(self.tape.effect(asked, work).await?.map_err(refused))
    }

    async fn hmac_sha256(&mut self, name: String, data: Vec<u8>) -> Answer<Vec<u8>> {
        let (vault, meter) = (vault(self, Capability::SecretsUse)?, self.meter.clone());
        let asked = self.tape.asks(|| Asked::SecretHmac { name: name.clone(), data: Data(data.clone()) });
        let work = on_own_stack(meter, async move { vault.hmac_sha256(&name, &data).await.map(Data) });
        Ok(self.tape.effect(asked, work).await?.map(|signature| signature.0).map_err(refused))
    }
}

impl reveal::Host for Guest {
    async fn reveal(&mut self, name: String) -> wasmtime::Result<Result<String, reveal::RevealError>> {
        let (vault, meter) = (vault(self, Capability::SecretsReveal)?, self.meter.clone());
        let asked = self.tape.asks(|| Asked::SecretReveal { name: name.clone() });
        let work = on_own_stack(meter, async move { vault.reveal(&name).await });
        let shown = self.tape.effect(asked, work).await?;
        Ok(shown.map_err(|refusal| reveal::RevealError { code: refusal.code, message: refusal.message }))
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

fn refused(refusal: Refusal) -> secrets::SecretError {
    secrets::SecretError { code: refusal.code, message: refusal.message }
}
