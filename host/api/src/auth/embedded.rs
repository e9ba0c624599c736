//! The issuer that lives in this host: an Ed25519 key, and tokens for people on its machine.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Role;
use serde_json::{Map, json};

use super::issuer::EmbeddedIssuer;

/// Milliseconds that a token may live: a day. A longer one is refused when it is made, and when it is shown.
pub const LIFETIME_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// Signs tokens of the embedded issuer.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    kid: String,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub subject: PrincipalId,
    pub kind: PrincipalKind,
    /// None: for the platform, not for a tenant.
    pub tenant: Option<TenantId>,
    /// What the member becomes when there is no such member yet.
    pub roles: Vec<Role>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// Unique; for logs.
    pub token_id: String,
}

/// Why there is no key, or no token. Fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("make an Ed25519 key")]
    Generate,
    #[error(
        "read the Ed25519 key: it is not PKCS#8; remove the file to have a new one made, which ends all tokens"
    )]
    Read,
    #[error(
        "issue a token: it would live longer than 24 hours, or end before it starts; ask for a shorter time"
    )]
    Lifetime,
}

impl SigningKey {
    /// A new key, and its PKCS#8 bytes to keep with mode 0600.
    pub fn generate() -> Result<(Self, Vec<u8>), SigningError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| SigningError::Generate)?;
        let kept: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| SigningError::Generate)?;
        let kept = kept.as_ref().to_vec();
        Ok((Self::from_pkcs8(&kept)?, kept))
    }

    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, SigningError> {
        let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| SigningError::Read)?;
        let kid = thumbprint(pair.public_key().as_ref());
        Ok(Self { pair, kid })
    }

    /// Thumbprint of the key (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What a host needs to take this key's tokens.
    pub fn issuer(&self, issuer: impl Into<String>, audience: impl Into<String>) -> EmbeddedIssuer {
        EmbeddedIssuer {
            issuer: issuer.into(),
            audience: audience.into(),
            kid: self.kid.clone(),
            public_key: self.pair.public_key().as_ref().to_vec(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// A signed token.
pub fn issue(key: &SigningKey, issuer: &EmbeddedIssuer, grant: &Grant) -> Result<String, SigningError> {
    let lifetime = grant.expires_at.millis_since(grant.issued_at);
    if lifetime == 0 || lifetime > LIFETIME_MS_MAX {
        return Err(SigningError::Lifetime);
    }
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": key.kid });
    let mut claims = Map::new();
    claims.insert("iss".into(), issuer.issuer.clone().into());
    claims.insert("aud".into(), issuer.audience.clone().into());
    claims.insert("sub".into(), grant.subject.as_str().into());
    claims.insert("kind".into(), json!(grant.kind));
    if let Some(tenant) = &grant.tenant {
        claims.insert("tenant_id".into(), tenant.as_str().into());
    }
    claims.insert("roles".into(), json!(grant.roles));
    claims.insert("iat".into(), seconds(grant.issued_at).into());
    claims.insert("exp".into(), seconds(grant.expires_at).into());
    claims.insert("jti".into(), grant.token_id.clone().into());
    let message = format!("{}.{}", encode(header.to_string()), encode(json!(claims).to_string()));
    let signature = encode(key.pair.sign(message.as_bytes()));
    Ok(format!("{message}.{signature}"))
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn thumbprint(public_key: &[u8]) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(public_key));
    encode(digest(&SHA256, canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_is_the_thumbprint_of_rfc_8037() {
        let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_that_was_kept_signs_as_before() {
        let (key, kept) = SigningKey::generate().unwrap();
        assert_eq!(SigningKey::from_pkcs8(&kept).unwrap().kid(), key.kid());
        assert!(SigningKey::from_pkcs8(b"no key").is_err());
    }
}
