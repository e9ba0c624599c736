//! Who may make tokens for this host, and with which key. Each key has exactly one algorithm.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};
use quantum_core::vocabulary::AuthMethod;

/// Bytes of a shared secret at least: a shorter one can be guessed from a single token.
const SECRET_BYTES_MIN: usize = 32;

/// The issuer of this host itself. It provisions: whoever can use its key is on this machine.
#[derive(Debug, Clone)]
pub struct EmbeddedIssuer {
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` of its tokens: this host.
    pub audience: String,
    pub kid: String,
    /// 32 bytes.
    pub public_key: Vec<u8>,
}

/// An issuer that shares a secret with this host (HS256).
#[derive(Clone)]
pub struct SharedSecretIssuer {
    /// None: its tokens carry no `iss`. Only one issuer can be like that.
    pub issuer: Option<String>,
    /// None: its tokens carry no `aud`.
    pub audience: Option<String>,
    /// None: its tokens carry no `kid`.
    pub kid: Option<String>,
    /// At least 32 bytes.
    pub secret: Vec<u8>,
    /// Whether its tokens make their subject a member of the tenant that they name.
    pub provision: bool,
}

/// Why issuers cannot be used together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    #[error(
        "the secret of issuer \"{issuer}\" has {bytes} bytes; use {SECRET_BYTES_MIN} random bytes or more"
    )]
    ShortSecret { issuer: String, bytes: usize },
    #[error("the issuer \"{issuer}\" is configured twice; give each issuer one key")]
    Twice { issuer: String },
    #[error("the public key of issuer \"{issuer}\" has not 32 bytes")]
    PublicKey { issuer: String },
}

/// All issuers of this host, checked.
#[derive(Clone, Debug)]
pub struct Issuers(Arc<[Key]>);

/// One issuer's key and what holds for its tokens.
pub(crate) struct Key {
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub kid: Option<String>,
    pub algorithm: Algorithm,
    pub decoding: DecodingKey,
    pub method: AuthMethod,
    pub provision: bool,
    /// The issuer of this host itself: it alone makes platform administrators.
    pub embedded: bool,
}

impl Issuers {
    pub fn new(
        embedded: Option<EmbeddedIssuer>,
        shared: Vec<SharedSecretIssuer>,
    ) -> Result<Self, IssuerError> {
        let mut names = HashSet::new();
        let mut keys = Vec::new();
        if let Some(embedded) = embedded {
            names.insert(Some(embedded.issuer.clone()));
            keys.push(embedded_key(embedded)?);
        }
        for one in shared {
            if !names.insert(one.issuer.clone()) {
                return Err(IssuerError::Twice { issuer: name(one.issuer.as_ref()) });
            }
            keys.push(shared_key(one)?);
        }
        Ok(Self(keys.into()))
    }

    /// By the `iss` that a token claims, before it is believed.
    pub(crate) fn find(&self, issuer: Option<&str>) -> Option<&Key> {
        self.0.iter().find(|key| key.issuer.as_deref() == issuer)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("issuer", &self.issuer).field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl fmt::Debug for SharedSecretIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecretIssuer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn embedded_key(embedded: EmbeddedIssuer) -> Result<Key, IssuerError> {
    if embedded.public_key.len() != 32 {
        return Err(IssuerError::PublicKey { issuer: embedded.issuer });
    }
    Ok(Key {
        issuer: Some(embedded.issuer),
        audience: Some(embedded.audience),
        kid: Some(embedded.kid),
        algorithm: Algorithm::EdDSA,
        decoding: DecodingKey::from_ed_der(&embedded.public_key),
        method: AuthMethod::Local,
        provision: true,
        embedded: true,
    })
}

fn shared_key(shared: SharedSecretIssuer) -> Result<Key, IssuerError> {
    if shared.secret.len() < SECRET_BYTES_MIN {
        return Err(IssuerError::ShortSecret {
            issuer: name(shared.issuer.as_ref()),
            bytes: shared.secret.len(),
        });
    }
    Ok(Key {
        decoding: DecodingKey::from_secret(&shared.secret),
        issuer: shared.issuer,
        audience: shared.audience,
        kid: shared.kid,
        algorithm: Algorithm::HS256,
        method: AuthMethod::Jwt,
        provision: shared.provision,
        embedded: false,
    })
}

fn name(issuer: Option<&String>) -> String {
    issuer.cloned().unwrap_or_else(|| "(without iss)".to_owned())
}
