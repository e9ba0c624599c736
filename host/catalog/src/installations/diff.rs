//! What a version of a plugin may do that the one before might not, and the other way round.

use quantum_core::manifest::{HostPattern, Manifest};
use quantum_core::port::Grant;
use quantum_core::vocabulary::Capability;
use serde::Serialize;

/// Empty lists: nothing changes. For a first installation everything is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapabilityDiff {
    /// Of the version that is in force before. None: the plugin is new to the tenant.
    pub from_version: Option<String>,
    pub capabilities_added: Vec<Capability>,
    pub capabilities_removed: Vec<Capability>,
    pub hosts_added: Vec<HostPattern>,
    pub hosts_removed: Vec<HostPattern>,
    /// Names of secrets, used through placeholders or revealed.
    pub secrets_added: Vec<String>,
    pub secrets_removed: Vec<String>,
    /// Bytes that an attempt may use now, when they are more than before.
    pub memory_bytes_raised: Option<u64>,
}

impl CapabilityDiff {
    pub(super) fn between(before: Option<(&Manifest, &Grant)>, manifest: &Manifest, grant: &Grant) -> Self {
        let nothing = Grant::default();
        let old = before.map_or(&nothing, |(_, grant)| grant);
        let old_secrets = before.map(|(manifest, _)| secrets(manifest)).unwrap_or_default();
        let new_secrets = secrets(manifest);
        Self {
            from_version: before.map(|(manifest, _)| manifest.version.clone()),
            capabilities_added: missing(&grant.capabilities, &old.capabilities),
            capabilities_removed: missing(&old.capabilities, &grant.capabilities),
            hosts_added: missing(&grant.hosts, &old.hosts),
            hosts_removed: missing(&old.hosts, &grant.hosts),
            secrets_added: missing(&new_secrets, &old_secrets),
            secrets_removed: missing(&old_secrets, &new_secrets),
            memory_bytes_raised: grant
                .memory_bytes_max
                .filter(|new| old.memory_bytes_max.is_none_or(|old| *new > old)),
        }
    }

    /// It may do something that it might not do before.
    pub fn gains_power(&self) -> bool {
        !self.gains().is_empty()
    }

    /// What is new, for people.
    pub fn gains(&self) -> Vec<String> {
        let capabilities =
            self.capabilities_added.iter().map(|capability| format!("capability {capability}"));
        let hosts = self.hosts_added.iter().map(|host| format!("host {host}"));
        let secrets = self.secrets_added.iter().map(|secret| format!("secret {secret}"));
        let memory = self.memory_bytes_raised.map(|bytes| format!("{bytes} bytes of memory"));
        capabilities.chain(hosts).chain(secrets).chain(memory).collect()
    }

    /// What an upgrade gains beyond the hosts that the installer typed.
    pub(super) fn silent_gains(&self, typed: &[HostPattern]) -> Option<Self> {
        self.from_version.as_ref()?;
        let hosts_added = missing(&self.hosts_added, typed);
        let silent = Self { hosts_added, ..self.clone() };
        silent.gains_power().then_some(silent)
    }
}

/// A secret that is revealed is more than one that is used.
fn secrets(manifest: &Manifest) -> Vec<String> {
    let revealed = manifest.capabilities.reveal.iter().map(|name| format!("{name} (revealed)"));
    let used = manifest.capabilities.secrets.iter().map(|secret| secret.name.clone());
    used.chain(revealed).collect()
}

/// What is in `these` and not in `those`.
fn missing<T: Clone + PartialEq>(these: &[T], those: &[T]) -> Vec<T> {
    these.iter().filter(|one| !those.contains(one)).cloned().collect()
}
