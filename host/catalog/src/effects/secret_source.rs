//! The port of secrets: the one way by which a value leaves this room.

use quantum_core::id::TenantId;
use quantum_core::port::{BoxFuture, EffectError, OpenSecret, SecretSource};
use quantum_core::vocabulary::Environment;
use quantum_store::TenantScope;

use super::Effects;

impl SecretSource for Effects {
    fn open(
        &self,
        tenant: &TenantId,
        name: &str,
        environment: Environment,
    ) -> BoxFuture<'static, Result<OpenSecret, EffectError>> {
        let (effects, tenant, name) = (self.clone(), tenant.clone(), name.to_owned());
        Box::pin(async move {
            let scope = TenantScope::effect(tenant);
            effects.secrets(&scope).open(&name, environment, effects.now()).await
        })
    }
}
