//! Opening a secret for the host's own hands: what goes wrong is said as an effect of the attempt that asked.

use quantum_core::port::{EffectError, OpenSecret};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Environment;
use quantum_store::StoredSecret;
use zeroize::Zeroizing;

use super::vault::VaultError;
use super::{Secrets, binding, hosts_of};
use crate::Error;
use crate::effects::refusal::refusal;

impl Secrets<'_> {
    /// Err: `missing` (also when it has expired), `denied` when there are some of this name for other environments
    /// only, `unavailable`.
    pub async fn open(
        &self,
        name: &str,
        environment: Environment,
        now: Timestamp,
    ) -> Result<OpenSecret, EffectError> {
        let found = self.stored().get(name, environment).await.map_err(|error| refusal(error.into()))?;
        let Some(found) = found else { return Err(self.absent(name, environment).await) };
        if let Some(expired) = found.row.expires_at.filter(|at| *at <= now) {
            let message =
                format!("the secret \"{name}\" has expired at {expired}; {}", set_it(name, environment));
            return Err(EffectError::new("missing", message));
        }
        let mut value = self.unseal(&found).map_err(refusal)?;
        let row = found.row;
        Ok(OpenSecret {
            hosts: hosts_of(&row).map_err(refusal)?,
            name: row.name,
            environment: row.environment,
            value: std::mem::take(&mut *value),
            expires_at: row.expires_at,
        })
    }

    /// Err: `Vault`.
    pub(super) fn unseal(&self, stored: &StoredSecret) -> Result<Zeroizing<String>, Error> {
        let StoredSecret { row, sealed, key } = stored;
        let value = self.effects.shared.vault.unwrap(key)?.open(&binding(row), sealed);
        let what = || format!("the secret {} of tenant {} ({})", row.name, row.tenant, row.environment);
        value.ok_or_else(|| VaultError::Damaged { what: what() }.into())
    }

    async fn absent(&self, name: &str, environment: Environment) -> EffectError {
        let others = match self.stored().environments(name).await {
            Ok(others) => others,
            Err(error) => return refusal(error.into()),
        };
        let set_it = set_it(name, environment);
        if others.is_empty() {
            let message = format!("there is no secret \"{name}\" for {environment}; {set_it}");
            return EffectError::new("missing", message);
        }
        let mut others: Vec<&str> = others.iter().map(|other| other.as_str()).collect();
        others.sort_unstable();
        let message = format!(
            "the secret \"{name}\" is for {}, and this execution runs in {environment}; {set_it}",
            others.join(" and ")
        );
        EffectError::new("denied", message)
    }
}

fn set_it(name: &str, environment: Environment) -> String {
    format!("set it with: quantum secret set {name} --environment {environment} --host URL")
}
