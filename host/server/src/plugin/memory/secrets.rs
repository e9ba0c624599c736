//! Secrets in memory, in the clear: those of cases, which are no secrets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quantum_core::id::TenantId;
use quantum_core::port::{BoxFuture, EffectError, OpenSecret, SecretSource};
use quantum_core::vocabulary::Environment;

#[derive(Default)]
pub(in crate::plugin) struct MemorySecrets {
    known: Mutex<HashMap<(TenantId, String), Vec<OpenSecret>>>,
}

impl MemorySecrets {
    /// In place of the one of that name and environment.
    pub fn put(&self, tenant: &TenantId, secret: OpenSecret) {
        let mut known = self.lock();
        let same_name = known.entry((tenant.clone(), secret.name.clone())).or_default();
        same_name.retain(|other| other.environment != secret.environment);
        same_name.push(secret);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, String), Vec<OpenSecret>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With those that there are: a name is easily misspelt.
fn missing(known: &HashMap<(TenantId, String), Vec<OpenSecret>>, tenant: &TenantId, name: &str) -> String {
    let theirs = known.keys().filter(|(owner, _)| owner == tenant);
    let mut theirs: Vec<&str> = theirs.map(|(_, name)| name.as_str()).collect();
    theirs.sort_unstable();
    let has = if theirs.is_empty() { "nothing".to_owned() } else { theirs.join(", ") };
    format!("the secret {name} is not stored: secrets.json has {has}")
}

impl SecretSource for MemorySecrets {
    fn open(
        &self,
        tenant: &TenantId,
        name: &str,
        environment: Environment,
    ) -> BoxFuture<'static, Result<OpenSecret, EffectError>> {
        let known = self.lock();
        let opened = match known.get(&(tenant.clone(), name.to_owned())) {
            None => Err(EffectError::new("missing", missing(&known, tenant, name))),
            Some(same_name) => {
                same_name.iter().find(|secret| secret.environment == environment).cloned().ok_or_else(|| {
                    let message = format!("the secret {name} is stored for other environments only");
                    EffectError::new("denied", message)
                })
            }
        };
        Box::pin(async { opened })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_is_opened_in_its_tenant_and_environment_only() {
        let (store, tenant) = (MemorySecrets::default(), TenantId::new("t").unwrap());
        let secret = |value: &str| OpenSecret {
            name: "TOKEN".to_owned(),
            environment: Environment::Test,
            value: value.to_owned(),
            hosts: Vec::new(),
            expires_at: None,
        };
        store.put(&tenant, secret("old"));
        store.put(&tenant, secret("new"));
        let open = async |tenant: &str, name: &str, environment| {
            let opened = store.open(&TenantId::new(tenant).unwrap(), name, environment).await;
            opened.map(|secret| secret.value).map_err(|error| error.code)
        };
        assert_eq!(open("t", "TOKEN", Environment::Test).await.as_deref(), Ok("new"));
        assert_eq!(open("t", "TOKEN", Environment::Production).await, Err("denied"));
        assert_eq!(open("t", "OTHER", Environment::Test).await, Err("missing"));
        assert_eq!(open("u", "TOKEN", Environment::Test).await, Err("missing"));
    }
}
