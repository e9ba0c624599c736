//! AES-256-GCM: a data key a tenant, itself encrypted under the host's master key, which is never stored with them.
//!
//! Nothing here says a key or a value in an error or in `Debug`.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use quantum_core::id::TenantId;
use quantum_core::time::Timestamp;
use quantum_store::{SealedSecret, TenantKey};
use zeroize::Zeroizing;

/// Bytes of a key of AES-256.
const KEY_BYTES: usize = 32;
/// Bytes of what GCM adds to a text.
const TAG_BYTES: usize = 16;
/// Bytes that name a master key: enough to tell the few apart that one host ever has.
const ID_BYTES: usize = 8;

/// Why something could not be encrypted or decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error(
        "secrets are encrypted under the master key {stored}, and this host has {}; start it with that master key, or \
         restore the file it was in from a backup",
        given.join(", ")
    )]
    MasterKey { stored: String, given: Vec<String> },
    /// Its row was changed, or copied from another one, or the file is damaged.
    #[error("{what} does not open: its row is not as this host wrote it; set the secret again")]
    Damaged { what: String },
    #[error("the system gives no random bytes")]
    Random,
}

/// The host's master keys.
pub struct Vault {
    current: Master,
    former: Vec<Master>,
}

pub(crate) struct Master {
    id: String,
    key: RandomizedNonceKey,
}

/// A tenant's key, ready for use.
pub(super) struct DataKey {
    pub version: u32,
    key: RandomizedNonceKey,
}

impl Vault {
    /// `former` are master keys that were used before, so that keys of tenants which they wrapped can be read until
    /// `Secrets::rotate` has replaced them.
    pub fn new(current: &[u8; KEY_BYTES], former: &[[u8; KEY_BYTES]]) -> Self {
        Self { current: Master::new(current), former: former.iter().map(Master::new).collect() }
    }

    /// By the name that a row has. Err: `MasterKey`.
    pub(crate) fn master(&self, id: &str) -> Result<&Master, VaultError> {
        let mut known = std::iter::once(&self.current).chain(&self.former);
        known.find(|master| master.id == id).ok_or_else(|| VaultError::MasterKey {
            stored: id.to_owned(),
            given: std::iter::once(&self.current).chain(&self.former).map(|it| it.id.clone()).collect(),
        })
    }

    /// A new key of this version, as it is stored.
    pub(super) fn make(
        &self,
        tenant: TenantId,
        version: u32,
        at: Timestamp,
    ) -> Result<TenantKey, VaultError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| VaultError::Random)?;
        let (mut wrapped, ciphertext) =
            seal(&self.current.key, &key_binding(&tenant, version), bytes.as_ref())?;
        wrapped.extend(ciphertext);
        Ok(TenantKey { tenant, version, master: self.current.id.clone(), wrapped, created_at: at })
    }

    /// Err: `MasterKey`, `Damaged`.
    pub(super) fn unwrap(&self, key: &TenantKey) -> Result<DataKey, VaultError> {
        let master = self.master(&key.master)?;
        let damaged =
            || VaultError::Damaged { what: format!("key {} of tenant {}", key.version, key.tenant) };
        let (nonce, ciphertext) = key.wrapped.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let bytes = open(&master.key, &key_binding(&key.tenant, key.version), nonce, ciphertext);
        let bytes = bytes.ok_or_else(damaged)?;
        let key_of_tenant = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| damaged())?;
        Ok(DataKey { version: key.version, key: key_of_tenant })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("current", &self.current.id).finish_non_exhaustive()
    }
}

impl Master {
    fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"name of a master key");
        let id = tag.as_ref().iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("32 bytes are a key of AES-256");
        Self { id, key }
    }
}

impl DataKey {
    pub fn seal(&self, binding: &[u8], value: &str) -> Result<SealedSecret, VaultError> {
        let (nonce, ciphertext) = seal(&self.key, binding, value.as_bytes())?;
        Ok(SealedSecret { key_version: self.version, nonce, ciphertext })
    }

    /// None: it is not what was sealed with this key and binding.
    pub fn open(&self, binding: &[u8], sealed: &SealedSecret) -> Option<Zeroizing<String>> {
        let mut bytes = open(&self.key, binding, &sealed.nonce, &sealed.ciphertext)?;
        String::from_utf8(std::mem::take(&mut *bytes)).ok().map(Zeroizing::new)
    }
}

fn key_binding(tenant: &TenantId, version: u32) -> Vec<u8> {
    binding(&["tenant key", tenant.as_str(), &version.to_string()])
}

/// The parts with their lengths, so that no two lists of parts give the same bytes.
pub(super) fn binding(parts: &[&str]) -> Vec<u8> {
    let mut bytes = b"quantum secrets 1".to_vec();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// The nonce is random: a key encrypts far fewer than the 2^32 texts that it may.
fn seal(key: &RandomizedNonceKey, binding: &[u8], text: &[u8]) -> Result<(Vec<u8>, Vec<u8>), VaultError> {
    // With room for the tag: a buffer that moves would leave the text behind.
    let mut buffer = Vec::with_capacity(text.len() + TAG_BYTES);
    buffer.extend_from_slice(text);
    let nonce =
        key.seal_in_place_append_tag(Aad::from(binding), &mut buffer).map_err(|_| VaultError::Random)?;
    Ok((nonce.as_ref().to_vec(), buffer))
}

fn open(
    key: &RandomizedNonceKey,
    binding: &[u8],
    nonce: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = key.open_in_place(nonce, Aad::from(binding), &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_763_892_000_000);

    fn tenant(id: &str) -> TenantId {
        TenantId::new(id).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_under_the_same_key_and_binding_only() {
        let vault = Vault::new(&[7; 32], &[]);
        let key = vault.unwrap(&vault.make(tenant("a"), 1, AT).unwrap()).unwrap();
        let other = vault.unwrap(&vault.make(tenant("a"), 1, AT).unwrap()).unwrap();
        let here = binding(&["a", "bc"]);
        let sealed = key.seal(&here, "geheim ü").unwrap();
        assert_eq!(key.open(&here, &sealed).unwrap().as_str(), "geheim ü");
        assert_ne!(key.seal(&here, "geheim ü").unwrap(), sealed, "another nonce each time");
        assert!(key.open(&binding(&["ab", "c"]), &sealed).is_none());
        assert!(other.open(&here, &sealed).is_none());
        for at in [0, sealed.ciphertext.len() - 1] {
            let mut changed = sealed.clone();
            changed.ciphertext[at] ^= 1;
            assert!(key.open(&here, &changed).is_none(), "byte {at}");
        }
        let short = SealedSecret { nonce: vec![1], ciphertext: vec![1], ..sealed };
        assert!(key.open(&here, &short).is_none());
    }

    #[test]
    fn a_key_opens_under_its_master_key_for_its_tenant_and_version() {
        let vault = Vault::new(&[7; 32], &[]);
        let key = vault.make(tenant("a"), 1, AT).unwrap();
        assert_eq!(key.wrapped.len(), NONCE_LEN + KEY_BYTES + TAG_BYTES);
        for moved in
            [TenantKey { tenant: tenant("b"), ..key.clone() }, TenantKey { version: 2, ..key.clone() }]
        {
            assert!(matches!(vault.unwrap(&moved), Err(VaultError::Damaged { .. })));
        }
        let later = Vault::new(&[8; 32], &[[7; 32]]);
        assert!(later.unwrap(&key).is_ok(), "a former master key still opens it");
        let Err(error) = Vault::new(&[8; 32], &[]).unwrap(&key) else { panic!("another master key") };
        assert!(error.to_string().contains(&key.master), "{error}");
        assert!(error.to_string().contains("start it with that master key"), "{error}");
        let shown = format!("{vault:?}{error:?}");
        assert!(!shown.contains("7, 7") && !shown.contains("0707"), "{shown}");
    }
}
