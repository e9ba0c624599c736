//! The secrets of one attempt: each is declared, opened, and decided, before anything of it can be used.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use quantum_core::manifest::{SecretDeclaration, SecretPlace};
use quantum_core::port::{
    ActionEntry, Attempt, Decision, EffectError, EffectGate, OpenSecret, SecretCall, SecretSource,
    StepSubject, Verdict,
};

use super::lines::use_line;
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
#[derive(Clone)]
pub(crate) struct Stand {
    /// The plugin's name of the secret.
    pub name: String,
    pub secret: Arc<OpenSecret>,
    /// What is put in: the value, or what the host made of it.
    pub value: String,
    /// Where in a request.
    pub places: Vec<SecretPlace>,
    /// Why it stands for nothing any more.
    pub lost: Option<String>,
}

pub(crate) struct Vault {
    attempt: Arc<Attempt>,
    gate: Arc<dyn EffectGate>,
    source: Arc<dyn SecretSource>,
    redactions: Arc<Redactions>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    stands: HashMap<String, Arc<Stand>>,
    /// The placeholder of a secret, and of a secret with a user: asked for again, it is the same.
    given: HashMap<What, String>,
}

/// The plugin's name of a secret, and the user whose basic authentication it is made into.
type What = (String, Option<String>);

impl Kept {
    /// What all placeholders of this secret stand for from now on.
    fn renew(&mut self, name: &str, opened: &Result<Arc<OpenSecret>, EffectError>) {
        let of_secret = self.given.iter().filter(|((known, _), _)| known == name);
        for ((_, user), placeholder) in of_secret {
            let Some(stand) = self.stands.get_mut(placeholder) else { continue };
            let before = Stand::clone(stand);
            *stand = Arc::new(match opened {
                Ok(secret) => Stand {
                    value: value_of(secret, user.as_deref()),
                    secret: Arc::clone(secret),
                    lost: None,
                    ..before
                },
                Err(error) => Stand { lost: Some(error.message.clone()), ..before },
            });
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Use,
    Reveal,
}

impl Vault {
    pub fn new(attempt: Arc<Attempt>, gate: Arc<dyn EffectGate>, source: Arc<dyn SecretSource>) -> Self {
        Self { attempt, gate, source, redactions: Arc::default(), kept: Mutex::default() }
    }

    fn subject(&self) -> &StepSubject {
        &self.attempt.subject
    }

    pub fn redactions(&self) -> &Arc<Redactions> {
        &self.redactions
    }

    /// Stands for the value itself.
    pub async fn placeholder(&self, name: &str) -> Result<String, EffectError> {
        let secret = self.usable(name).await?;
        self.give((name.to_owned(), None), secret)
    }

    /// Stands for the whole `Basic …` of an `Authorization` header (RFC 7617).
    pub async fn basic(&self, user: &str, name: &str) -> Result<String, EffectError> {
        if user.len() > USER_BYTES_MAX || user.contains(|c: char| c == ':' || c.is_control()) {
            let message = "a user name has at most 1024 bytes, no colon and no control character";
            return Err(EffectError::new("invalid-user", message));
        }
        let secret = self.usable(name).await?;
        self.give((name.to_owned(), Some(user.to_owned())), secret)
    }

    /// HMAC-SHA256 (RFC 2104) of the data under the secret.
    pub async fn hmac_sha256(&self, name: &str, data: &[u8]) -> Result<Vec<u8>, EffectError> {
        let secret = self.usable(name).await?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key_bytes(&secret)?);
        Ok(hmac::sign(&key, data).as_ref().to_vec())
    }

    /// The value itself. Who was shown what is written to the host's log, and who was refused.
    pub async fn reveal(&self, name: &str) -> Result<String, EffectError> {
        if !self.subject().action.grant.reveal.iter().any(|known| known == name) {
            return Err(undeclared(name, "capabilities.reveal"));
        }
        let secret = self.open(name).await?;
        let verdict = self.decide(&secret, Purpose::Reveal);
        self.audit(&secret, &verdict);
        self.allowed(&secret, &verdict)?;
        Ok(secret.value.clone())
    }

    /// Looks again at what its placeholders stand for, so that a secret which was deleted, or is for other hosts now,
    /// or has another value, is that for the next request. Err: nobody knows.
    pub async fn look_again(&self) -> Result<(), EffectError> {
        let names: BTreeSet<String> = self.kept().given.keys().map(|(name, _)| name.clone()).collect();
        for name in names {
            let opened = match self.open(&name).await {
                Err(error) if error.retryable => return Err(error),
                opened => opened,
            };
            self.kept().renew(&name, &opened);
        }
        Ok(())
    }

    /// None: no placeholder of this attempt.
    pub fn find(&self, placeholder: &str) -> Option<Arc<Stand>> {
        self.kept().stands.get(placeholder).cloned()
    }

    /// Asks the policies, as they are now.
    pub fn ask(&self, secret: &OpenSecret) -> Verdict {
        self.decide(secret, Purpose::Use)
    }

    /// What would let the policies allow it.
    pub fn allowing_line(&self, secret: &OpenSecret, verdict: &Verdict) -> Option<String> {
        use_line(self.subject().tenant.as_str(), secret, &verdict.decision)
    }

    /// Some secret of the plugin may stand here.
    pub fn has_place(&self, place: SecretPlace) -> bool {
        self.subject().action.grant.secrets.iter().any(|declared| declared.places.contains(&place))
    }

    /// No request of the plugin can hold a placeholder.
    pub fn is_empty(&self) -> bool {
        self.subject().action.grant.secrets.is_empty()
    }

    /// The step's action as it is installed now. Err: the plugin was uninstalled while it runs, and what went with it
    /// (`lost`) is not reached any more.
    pub fn installed(&self, lost: &str) -> Result<Arc<ActionEntry>, EffectError> {
        self.gate.in_force(self.subject()).ok_or_else(|| {
            let plugin = &self.subject().action.plugin;
            let message = format!(
                "{plugin} is not installed any more, and {lost} with it; install it again with: quantum plugin install FILE"
            );
            EffectError::new("denied", message)
        })
    }

    async fn usable(&self, name: &str) -> Result<Arc<OpenSecret>, EffectError> {
        self.declared(name).ok_or_else(|| undeclared(name, "capabilities.secrets"))?;
        let secret = self.open(name).await?;
        self.allowed(&secret, &self.decide(&secret, Purpose::Use))?;
        Ok(secret)
    }

    fn allowed(&self, secret: &OpenSecret, verdict: &Verdict) -> Result<(), EffectError> {
        if verdict.allowed {
            return Ok(());
        }
        let Decision { policies, reason, .. } = &verdict.decision;
        let rule = if policies.is_empty() { "default-deny".to_owned() } else { policies.join(", ") };
        let reason = reason.as_deref().unwrap_or("no policy allows it").trim_end_matches('.');
        let line = self.allowing_line(secret, verdict).map(|line| format!("; allow it with: {line}"));
        Err(EffectError::new("denied", format!("{reason} ({rule}){}", line.unwrap_or_default())))
    }

    fn declared(&self, name: &str) -> Option<&SecretDeclaration> {
        self.subject().action.grant.secrets.iter().find(|declared| declared.name == name)
    }

    /// Opened anew for each use, and under the name that it has in the installation now; from then on the value is taken
    /// out of what the guest says.
    async fn open(&self, name: &str) -> Result<Arc<OpenSecret>, EffectError> {
        let environment = self.subject().environment;
        let action = self.installed("its secrets")?;
        let theirs = action.settings.of(environment).secret(name);
        let opened = self.source.open(&self.subject().tenant, theirs, environment).await?;
        if opened.value.len() > VALUE_BYTES_MAX {
            let message = format!("the secret {theirs} has more than {VALUE_BYTES_MAX} bytes");
            return Err(EffectError::new("too-large", message));
        }
        self.redactions.add(&opened.name, &opened.value);
        Ok(Arc::new(opened))
    }

    fn decide(&self, secret: &OpenSecret, purpose: Purpose) -> Verdict {
        let call = SecretCall {
            name: &secret.name,
            environment: secret.environment,
            expires_at: secret.expires_at,
            reveal: purpose == Purpose::Reveal,
            attempt: self.attempt.number,
        };
        self.gate.secret(self.subject(), &call, now())
    }

    fn give(&self, what: What, secret: Arc<OpenSecret>) -> Result<String, EffectError> {
        let mut kept = self.kept();
        if let Some(given) = kept.given.get(&what).cloned() {
            kept.renew(&what.0, &Ok(secret));
            return Ok(given);
        }
        if kept.given.len() >= PLACEHOLDERS_MAX {
            let message = format!("an attempt is given at most {PLACEHOLDERS_MAX} placeholders");
            return Err(EffectError::new("quota", message));
        }
        let placeholder =
            placeholder().map_err(|_| EffectError::unavailable("the host has no randomness now"))?;
        let places = self.declared(&what.0).map(|declared| declared.places.clone()).unwrap_or_default();
        let value = value_of(&secret, what.1.as_deref());
        let stand = Stand { name: what.0.clone(), secret, value, places, lost: None };
        kept.stands.insert(placeholder.clone(), Arc::new(stand));
        kept.given.insert(what, placeholder.clone());
        Ok(placeholder)
    }

    fn audit(&self, secret: &OpenSecret, verdict: &Verdict) {
        let (subject, attempt) = (self.subject(), self.attempt.number);
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

/// The value itself, or the whole `Basic …` of a user.
fn value_of(secret: &OpenSecret, user: Option<&str>) -> String {
    match user {
        None => secret.value.clone(),
        Some(user) => format!("Basic {}", STANDARD.encode(format!("{user}:{}", secret.value))),
    }
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
