//! The secrets of one attempt: each is declared, opened, and decided, before anything of it can be used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use quantum_core::manifest::{SecretDeclaration, SecretPlace};
use quantum_core::port::{
    Attempt, Decision, EffectError, EffectGate, OpenSecret, SecretCall, SecretSource, StepSubject, Verdict,
};

use super::placeholder::placeholder;
use super::redaction::Redactions;
use crate::host::now;

/// Placeholders that one attempt is given. Over it: `quota`.
const PLACEHOLDERS_MAX: usize = 256;
/// Bytes of a value that is used. Over it: `too-large`; what is put into requests stays small.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a user name for basic authentication. Over it: `invalid-user`.
const USER_BYTES_MAX: usize = 1024;
/// Characters of a name that are repeated to who asked for it: no secret has a longer one.
const NAME_CHARS_MAX: usize = 63;
/// What a value begins with when the rest is its key in base64.
const ENCODED_KEYS: [&str; 2] = ["whsec_", "base64:"];

/// What a placeholder stands for.
pub(crate) struct Stand {
    /// The plugin's name of the secret.
    pub name: String,
    pub secret: Arc<OpenSecret>,
    /// What is put in: the value, or what the host made of it.
    pub value: String,
    /// Where in a request.
    pub places: Vec<SecretPlace>,
}

pub(crate) struct Vault {
    subject: StepSubject,
    attempt: u32,
    gate: Arc<dyn EffectGate>,
    source: Arc<dyn SecretSource>,
    redactions: Arc<Redactions>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By the tenant's names.
    opened: HashMap<String, Arc<OpenSecret>>,
    stands: HashMap<String, Arc<Stand>>,
    /// The placeholder of a secret, and of a secret with a user: asked for again, it is the same.
    given: HashMap<(String, Option<String>), String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Use,
    Reveal,
}

impl Vault {
    pub fn new(attempt: &Attempt, gate: Arc<dyn EffectGate>, source: Arc<dyn SecretSource>) -> Self {
        let (subject, attempt) = (attempt.subject.clone(), attempt.number);
        Self { subject, attempt, gate, source, redactions: Arc::default(), kept: Mutex::default() }
    }

    pub fn redactions(&self) -> &Arc<Redactions> {
        &self.redactions
    }

    /// Stands for the value itself.
    pub async fn placeholder(&self, name: &str) -> Result<String, EffectError> {
        let secret = self.usable(name).await?;
        let value = secret.value.clone();
        self.give((name.to_owned(), None), secret, value)
    }

    /// Stands for the whole `Basic …` of an `Authorization` header (RFC 7617).
    pub async fn basic(&self, user: &str, name: &str) -> Result<String, EffectError> {
        if user.len() > USER_BYTES_MAX || user.contains(|c: char| c == ':' || c.is_control()) {
            let message = "a user name has at most 1024 bytes, no colon and no control character";
            return Err(EffectError::new("invalid-user", message));
        }
        let secret = self.usable(name).await?;
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{}", secret.value)));
        self.give((name.to_owned(), Some(user.to_owned())), secret, value)
    }

    /// HMAC-SHA256 (RFC 2104) of the data under the secret.
    pub async fn hmac_sha256(&self, name: &str, data: &[u8]) -> Result<Vec<u8>, EffectError> {
        let secret = self.usable(name).await?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key_bytes(&secret)?);
        Ok(hmac::sign(&key, data).as_ref().to_vec())
    }

    /// The value itself. Who was shown what is written to the host's log, and who was refused.
    pub async fn reveal(&self, name: &str) -> Result<String, EffectError> {
        if !self.subject.action.grant.reveal.iter().any(|known| known == name) {
            return Err(undeclared(name, "capabilities.reveal"));
        }
        let secret = self.open(name).await?;
        let verdict = self.decide(&secret, Purpose::Reveal);
        self.audit(&secret, &verdict);
        allowed(&verdict)?;
        Ok(secret.value.clone())
    }

    /// None: no placeholder of this attempt.
    pub fn find(&self, placeholder: &str) -> Option<Arc<Stand>> {
        self.kept().stands.get(placeholder).cloned()
    }

    /// Asks the policies, as they are now.
    pub fn ask(&self, secret: &OpenSecret) -> Verdict {
        self.decide(secret, Purpose::Use)
    }

    /// Some secret of the plugin may stand here.
    pub fn has_place(&self, place: SecretPlace) -> bool {
        self.subject.action.grant.secrets.iter().any(|declared| declared.places.contains(&place))
    }

    /// No request of the plugin can hold a placeholder.
    pub fn is_empty(&self) -> bool {
        self.subject.action.grant.secrets.is_empty()
    }

    async fn usable(&self, name: &str) -> Result<Arc<OpenSecret>, EffectError> {
        self.declared(name).ok_or_else(|| undeclared(name, "capabilities.secrets"))?;
        let secret = self.open(name).await?;
        allowed(&self.decide(&secret, Purpose::Use))?;
        Ok(secret)
    }

    fn declared(&self, name: &str) -> Option<&SecretDeclaration> {
        self.subject.action.grant.secrets.iter().find(|declared| declared.name == name)
    }

    /// Opened once an attempt; from then on the value is taken out of what the guest says.
    async fn open(&self, name: &str) -> Result<Arc<OpenSecret>, EffectError> {
        let environment = self.subject.environment;
        let theirs = self.subject.action.settings.of(environment).secret(name);
        let known = self.kept().opened.get(theirs).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let opened = self.source.open(&self.subject.tenant, theirs, environment).await?;
        if opened.value.len() > VALUE_BYTES_MAX {
            let message = format!("the secret {theirs} has more than {VALUE_BYTES_MAX} bytes");
            return Err(EffectError::new("too-large", message));
        }
        self.redactions.add(&opened.name, &opened.value);
        let opened = Arc::new(opened);
        self.kept().opened.insert(theirs.to_owned(), opened.clone());
        Ok(opened)
    }

    fn decide(&self, secret: &OpenSecret, purpose: Purpose) -> Verdict {
        let call = SecretCall {
            name: &secret.name,
            environment: secret.environment,
            expires_at: secret.expires_at,
            reveal: purpose == Purpose::Reveal,
            attempt: self.attempt,
        };
        self.gate.secret(&self.subject, &call, now())
    }

    fn give(
        &self,
        what: (String, Option<String>),
        secret: Arc<OpenSecret>,
        value: String,
    ) -> Result<String, EffectError> {
        let mut kept = self.kept();
        if let Some(given) = kept.given.get(&what) {
            return Ok(given.clone());
        }
        if kept.given.len() >= PLACEHOLDERS_MAX {
            let message = format!("an attempt is given at most {PLACEHOLDERS_MAX} placeholders");
            return Err(EffectError::new("quota", message));
        }
        let placeholder =
            placeholder().map_err(|_| EffectError::unavailable("the host has no randomness now"))?;
        let places = self.declared(&what.0).map(|declared| declared.places.clone()).unwrap_or_default();
        let stand = Stand { name: what.0.clone(), secret, value, places };
        kept.stands.insert(placeholder.clone(), Arc::new(stand));
        kept.given.insert(what, placeholder.clone());
        Ok(placeholder)
    }

    fn audit(&self, secret: &OpenSecret, verdict: &Verdict) {
        let Self { subject, attempt, .. } = self;
        tracing::info!(
            target: "quantum::audit",
            tenant = %subject.tenant,
            execution = %subject.execution,
            step = %subject.step,
            attempt,
            plugin = subject.action.plugin,
            secret = secret.name,
            environment = %secret.environment,
            allowed = verdict.allowed,
            decision = %verdict.decision.id,
            "a plugin asked to see a secret"
        );
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn undeclared(name: &str, list: &str) -> EffectError {
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let message = format!(
        "the secret {name:?} is not in the plugin's grant; name it in {list} of the plugin's manifest and install the \
         plugin again"
    );
    EffectError::new("undeclared", message)
}

fn allowed(verdict: &Verdict) -> Result<(), EffectError> {
    if verdict.allowed {
        return Ok(());
    }
    let Decision { policies, reason, .. } = &verdict.decision;
    let rule = if policies.is_empty() { "default-deny".to_owned() } else { policies.join(", ") };
    let reason = reason.as_deref().unwrap_or("no policy allows it");
    Err(EffectError::new("denied", format!("{} ({rule})", reason.trim_end_matches('.'))))
}

/// The value's bytes, or the key that it holds in base64.
fn key_bytes(secret: &OpenSecret) -> Result<Vec<u8>, EffectError> {
    let encoded = ENCODED_KEYS.iter().find_map(|prefix| secret.value.strip_prefix(prefix));
    let Some(encoded) = encoded else { return Ok(secret.value.clone().into_bytes()) };
    STANDARD_NO_PAD.decode(encoded.trim().trim_end_matches('=')).map_err(|_| {
        let message = format!("the secret {} does not hold base64 behind its prefix", secret.name);
        EffectError::new("invalid-secret", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_text_or_what_it_encodes() {
        let key = |value: &str| {
            let value = value.to_owned();
            let environment = quantum_core::vocabulary::Environment::Test;
            key_bytes(&OpenSecret {
                name: "KEY".to_owned(),
                environment,
                value,
                hosts: vec![],
                expires_at: None,
            })
        };
        assert_eq!(key("plain").unwrap(), b"plain");
        assert_eq!(key("whsec_AAEC").unwrap(), [0, 1, 2]);
        assert_eq!(key("base64:AAE=").unwrap(), [0, 1]);
        assert_eq!(key("base64:?").unwrap_err().code, "invalid-secret");
    }
}
