//! Writing a secret.

use quantum_core::id::PrincipalId;
use quantum_core::manifest::{HostPattern, is_secret_name};
use quantum_core::problem::Finding;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Environment;
use quantum_store::SecretRow;

use super::{SecretInfo, SecretValue, Secrets, binding};
use crate::Error;

/// Bytes of a value: a certificate with its chain and key fits. Over it: `invalid-secret`.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Hosts of one secret, which are shown to people. Over it: `invalid-secret`.
const HOSTS_MAX: usize = 100;
/// Bytes of one host pattern. Over it: `invalid-secret`.
const HOST_BYTES_MAX: usize = 512;

/// A value for one environment. Another environment needs a secret of its own, with another value as a rule.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// Upper-case letters, digits and `_`.
    pub name: String,
    pub environment: Environment,
    /// 1 byte to 64 KiB.
    pub value: SecretValue,
    pub reach: Reach,
    /// In the future. None: it does not expire.
    pub expires_at: Option<Timestamp>,
}

/// Where a secret may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// In requests toward these hosts, at least one, and not `*`.
    Hosts(Vec<HostPattern>),
    /// Into no request: for plugins that may have the value itself.
    Reveal,
}

impl Secrets<'_> {
    /// Writes the secret, over the one of this name and environment when there is one. Durable once it returns. Err:
    /// `InvalidSecret`, `Quota`, `Vault`.
    pub async fn set(&self, secret: NewSecret, by: &PrincipalId, at: Timestamp) -> Result<SecretInfo, Error> {
        let findings = check(&secret, at);
        if !findings.is_empty() {
            return Err(Error::InvalidSecret { name: secret.name.chars().take(80).collect(), findings });
        }
        match self.write(&secret, by, at).await {
            // A rotation has removed the key between; the next one is there.
            Err(Error::NotFound { kind: "tenant key", .. }) => self.write(&secret, by, at).await,
            other => other,
        }
    }

    async fn write(&self, secret: &NewSecret, by: &PrincipalId, at: Timestamp) -> Result<SecretInfo, Error> {
        let hosts: &[HostPattern] = match &secret.reach {
            Reach::Hosts(hosts) => hosts,
            Reach::Reveal => &[],
        };
        let row = SecretRow {
            tenant: self.scope.tenant().clone(),
            name: secret.name.clone(),
            environment: secret.environment,
            hosts: serde_json::json!(hosts).to_string(),
            expires_at: secret.expires_at,
            version: 1,
            created_at: at,
            created_by: by.clone(),
            updated_at: at,
            updated_by: by.clone(),
        };
        let key = self.current_key(at).await?;
        let sealed = key.seal(&binding(&row), secret.value.as_str())?;
        let rows_max = self.effects.options().secrets_max;
        SecretInfo::read(self.stored().put(row, sealed, rows_max).await?)
    }
}

/// Everything that is wrong, with pointers into a document of the same fields.
fn check(secret: &NewSecret, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_secret_name(&secret.name) {
        let finding = Finding::error("/name", "invalid-secret", "it is not a secret's name");
        findings
            .push(finding.hint("names are upper-case letters, digits and _, for example REGISTRY_PASSWORD"));
    }
    let bytes = secret.value.as_str().len();
    if !(1..=VALUE_BYTES_MAX).contains(&bytes) {
        let message = format!("a value has 1 to {VALUE_BYTES_MAX} bytes, this one has {bytes}");
        findings.push(Finding::error("/value", "invalid-secret", message));
    }
    if let Reach::Hosts(hosts) = &secret.reach {
        findings.extend(check_hosts(hosts));
    }
    if secret.expires_at.is_some_and(|at| at <= now) {
        let finding = Finding::error("/expires_at", "invalid-secret", "it would have expired already");
        findings.push(finding.hint("write a time in the future, or leave it out"));
    }
    findings
}

fn check_hosts(hosts: &[HostPattern]) -> Option<Finding> {
    let finding = |message: &str, hint: &str| {
        Some(Finding::error("/hosts", "invalid-secret", message.to_owned()).hint(hint))
    };
    if hosts.is_empty() {
        let hint = "name the hosts that it is for, for example https://api.example.com; without any it can only be \
                    revealed, which must be said";
        return finding("it is bound to no host", hint);
    }
    if hosts.iter().any(|host| host.as_str().split(' ').next_back() == Some("*")) {
        let hint = "name the hosts that it is for, for example https://*.example.com";
        return finding("a secret is bound to hosts, and * is every host", hint);
    }
    if hosts.len() > HOSTS_MAX || hosts.iter().any(|host| host.as_str().len() > HOST_BYTES_MAX) {
        let hint = "use one pattern for several hosts, for example https://*.example.com";
        return finding("a secret has at most 100 hosts of 512 bytes each", hint);
    }
    None
}
