//! Compiled components on disk. A file is machine code that the host will run: it is read whole, its MAC is verified,
//! and only then it is used, from memory. Never fill this directory from outside.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use quantum_core::id::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::Error;

/// Bytes of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

pub(crate) struct CompiledCache {
    dir: PathBuf,
    key: hmac::Key,
    /// Version and settings of the compiler; another one's files are not looked at.
    compiler: String,
}

impl CompiledCache {
    pub fn open(dir: &Path, key: &[u8; 32], engine: &Engine) -> Result<Self, Error> {
        prepare(dir).map_err(|source| Error::Cache { path: dir.display().to_string(), source })?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let compiler = format!("{:016x}", hasher.finish());
        Ok(Self { dir: dir.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, key), compiler })
    }

    /// None when there is no file, or one that this host did not write.
    pub fn read(&self, digest: &Digest, engine: &Engine) -> Option<Component> {
        let path = self.path(digest);
        let file = std::fs::read(&path).ok()?;
        let code = self.verified(digest, &file)?;
        // SAFETY: the MAC proves that this host wrote these bytes for this component and this compiler, and they are
        // used from memory, so nobody can change them in between.
        let component = unsafe { Component::deserialize(engine, code) };
        component.inspect_err(|error| tracing::warn!(path = %path.display(), "recompiling: {error:#}")).ok()
    }

    /// After a crash the file is there whole or not at all.
    pub fn write(&self, digest: &Digest, component: &Component) -> wasmtime::Result<()> {
        let code = component.serialize()?;
        let path = self.path(digest);
        let new = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = self.mac(digest, &code).as_ref().to_vec();
        file.extend_from_slice(&code);
        write_private(&new, &file)?;
        std::fs::rename(&new, &path)?;
        Ok(())
    }

    fn verified<'a>(&self, digest: &Digest, file: &'a [u8]) -> Option<&'a [u8]> {
        let (mac, code) = file.split_at_checked(MAC_BYTES)?;
        if hmac::verify(&self.key, &self.message(digest, code), mac).is_err() {
            tracing::warn!(%digest, "a compiled component has a wrong MAC and is not used");
            return None;
        }
        Some(code)
    }

    fn mac(&self, digest: &Digest, code: &[u8]) -> hmac::Tag {
        hmac::sign(&self.key, &self.message(digest, code))
    }

    /// The name is part of what is signed: a file moved to another component's name does not verify.
    fn message(&self, digest: &Digest, code: &[u8]) -> Vec<u8> {
        let mut message = format!("{}\n{}\n", self.compiler, digest).into_bytes();
        message.extend_from_slice(code);
        message
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.as_str().trim_start_matches("sha256:");
        self.dir.join(format!("{hex}-{}.cwasm", self.compiler))
    }
}

fn prepare(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}
