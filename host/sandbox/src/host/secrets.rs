//! `quantum:secrets`: placeholders and signatures, and, as a capability of its own, the values.

use std::sync::Arc;

use quantum_core::port::EffectError;
use quantum_core::vocabulary::Capability;

use super::bindings::effects::quantum::secrets::{reveal, secrets};
use crate::attempt::{CapabilityMissing, Guest};
use crate::secret::Vault;

type Answer<T> = wasmtime::Result<Result<T, secrets::SecretError>>;

impl secrets::Host for Guest {
    async fn placeholder(&mut self, name: String) -> Answer<String> {
        Ok(vault(self, Capability::SecretsUse)?.placeholder(&name).await.map_err(told))
    }

    async fn basic(&mut self, user: String, name: String) -> Answer<String> {
        Ok(vault(self, Capability::SecretsUse)?.basic(&user, &name).await.map_err(told))
    }

    async fn hmac_sha256(&mut self, name: String, data: Vec<u8>) -> Answer<Vec<u8>> {
        Ok(vault(self, Capability::SecretsUse)?.hmac_sha256(&name, &data).await.map_err(told))
    }
}

impl reveal::Host for Guest {
    async fn reveal(&mut self, name: String) -> wasmtime::Result<Result<String, reveal::RevealError>> {
        let shown = vault(self, Capability::SecretsReveal)?.reveal(&name).await;
        Ok(shown.map_err(|error| reveal::RevealError { code: error.code.to_owned(), message: error.message }))
    }
}

fn vault(guest: &mut Guest, capability: Capability) -> Result<Arc<Vault>, CapabilityMissing> {
    Ok(guest.effects(capability)?.vault.clone())
}

fn told(error: EffectError) -> secrets::SecretError {
    secrets::SecretError { code: error.code.to_owned(), message: error.message }
}
