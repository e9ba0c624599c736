//! Keys of one data directory, made at the first start. Nobody but the owner of the files can read them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;

/// Bytes of the host's secret.
const SECRET_BYTES: usize = 32;

/// Why the keys could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("open the key folder {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("read or make the key {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the key {} can be read by others (mode {mode:o}); type: chmod 600 {}", path.display(), path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("the key {} is damaged; restore it from a backup, or remove it: tokens made with it stop working", path.display())]
    Damaged { path: PathBuf },
    #[error("there is no key in {}; start the host once with: quantum serve --data-dir {}", path.display(), path.display())]
    Missing { path: PathBuf },
    #[error("{MASTER_KEY} is not a key: it is 64 hex digits, for example what `openssl rand -hex 32` prints")]
    MasterKey,
    #[error("make random bytes")]
    Random,
}

/// Where a master key may be given, in hex: a host whose disk is copied does not give its tenants' secrets away then.
const MASTER_KEY: &str = "QUANTUM_MASTER_KEY";

/// What the host signs and seals with.
pub struct Keys {
    /// PKCS#8 of the Ed25519 key that signs tokens.
    pub token_pkcs8: Vec<u8>,
    secret: [u8; SECRET_BYTES],
}

impl Keys {
    /// Reads the keys, making those that are not there.
    pub fn open(data_dir: &Path) -> Result<Self, KeyError> {
        let folder = folder(data_dir);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| KeyError::Folder { path: folder.clone(), source })?;
        make_once(&folder.join("token.key"), || {
            let random = aws_lc_rs::rand::SystemRandom::new();
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| KeyError::Random)?;
            Ok(pkcs8.as_ref().to_vec())
        })?;
        make_once(&folder.join("host.key"), random_secret)?;
        Self::read(data_dir)
    }

    /// Reads the keys of a data directory that a host has used.
    pub fn read(data_dir: &Path) -> Result<Self, KeyError> {
        let folder = folder(data_dir);
        if !folder.join("token.key").exists() {
            return Err(KeyError::Missing { path: data_dir.to_owned() });
        }
        let token_pkcs8 = read_private(&folder.join("token.key"))?;
        let path = folder.join("host.key");
        let secret = read_private(&path)?.try_into().map_err(|_| KeyError::Damaged { path })?;
        Ok(Self { token_pkcs8, secret })
    }

    /// What tenants' secrets are encrypted under: of the environment, else of the file that the first start made.
    pub fn master(data_dir: &Path) -> Result<[u8; SECRET_BYTES], KeyError> {
        if let Ok(text) = std::env::var(MASTER_KEY) {
            return read_hex(text.trim()).ok_or(KeyError::MasterKey);
        }
        secret(&folder(data_dir).join("master.key"))
    }

    /// A secret for one purpose; secrets of different purposes tell nothing of each other.
    pub fn derive(&self, purpose: &str) -> [u8; SECRET_BYTES] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        let tag = hmac::sign(&key, purpose.as_bytes());
        let mut derived = [0; SECRET_BYTES];
        derived.copy_from_slice(tag.as_ref());
        derived
    }
}

/// A secret of its own, read from this file or made there.
pub(crate) fn secret(path: &Path) -> Result<[u8; SECRET_BYTES], KeyError> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| KeyError::Folder { path: folder.to_owned(), source })?;
    }
    make_once(path, random_secret)?;
    read_private(path)?.try_into().map_err(|_| KeyError::Damaged { path: path.to_owned() })
}

fn random_secret() -> Result<Vec<u8>, KeyError> {
    let mut secret = [0; SECRET_BYTES];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| KeyError::Random)?;
    Ok(secret.to_vec())
}

fn read_hex(text: &str) -> Option<[u8; SECRET_BYTES]> {
    if text.len() != 2 * SECRET_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; SECRET_BYTES];
    for (byte, at) in key.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(key)
}

fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("keys")
}

/// A crash in the middle leaves no half key: the file gets its name when its bytes are on the disk.
fn make_once(path: &Path, make: impl FnOnce() -> Result<Vec<u8>, KeyError>) -> Result<(), KeyError> {
    if path.exists() {
        return Ok(());
    }
    let bytes = make()?;
    let draft = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|source| KeyError::File { path: path.to_owned(), source })
}

fn read_private(path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => KeyError::Damaged { path: path.to_owned() },
        _ => KeyError::File { path: path.to_owned(), source },
    };
    let mut file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Open { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_only_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::open(folder.path()).unwrap();
        let second = Keys::open(folder.path()).unwrap();
        assert_eq!(first.token_pkcs8, second.token_pkcs8);
        assert_eq!(first.derive("pages"), second.derive("pages"));
        assert_ne!(first.derive("pages"), first.derive("cache"));
        let mode = fs::metadata(folder.path().join("keys/token.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_master_key_is_made_once_or_written_in_hex() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path()).unwrap();
        assert_eq!(Keys::master(folder.path()).unwrap(), Keys::master(folder.path()).unwrap());
        assert_eq!(read_hex(&"0f".repeat(32)), Some([15; 32]));
        for bad in ["", "0f", &"0g".repeat(32), &"+1".repeat(32)] {
            assert_eq!(read_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path()).unwrap();
        let path = folder.path().join("keys/host.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Keys::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
