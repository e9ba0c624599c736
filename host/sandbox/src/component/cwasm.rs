//! Compiled components on disk. A file is machine code that the host will run: it is read whole, its MAC is verified,
//! and only then it is used, from memory. Never fill this directory from outside.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use aws_lc_rs::hmac;
use quantum_core::id::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::Error;
use crate::options::SandboxOptions;

/// Bytes of an HMAC-SHA256.
const MAC_BYTES: usize = 32;
const EXTENSION: &str = "cwasm";
/// Of a file that is being written. A crash leaves it, and the next start removes it.
const DRAFT: &str = "new";
/// Numbers them: a component can be compiled twice at once.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

pub(crate) struct CompiledCache {
    dir: PathBuf,
    key: hmac::Key,
    /// Version and settings of the compiler; another one's files are removed.
    compiler: String,
    bytes_max: u64,
}

/// Makes a component of code that a compiler of this host has made.
pub(super) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the code comes from this host's own compiler: just now, out of this process or its child; or earlier, and
    // then the MAC proves that this host wrote it for this component and this compiler. It is used from memory, so
    // nobody can change it in between. Of another compiler's version it is refused.
    unsafe { Component::deserialize(engine, code) }
}

impl CompiledCache {
    pub fn open(dir: &Path, options: &SandboxOptions, engine: &Engine) -> Result<Self, Error> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Self {
            dir: dir.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &options.cache_key),
            compiler: format!("{:016x}", hasher.finish()),
            bytes_max: options.cache_bytes_max,
        };
        let prepared = prepare(dir).and_then(|()| cache.tidy());
        prepared.map_err(|source| Error::Cache { path: dir.display().to_string(), source })?;
        Ok(cache)
    }

    pub fn has(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    /// None when there is no file, or one that this host did not write.
    pub fn read(&self, digest: &Digest, engine: &Engine) -> Option<Component> {
        let path = self.path(digest);
        let file = std::fs::read(&path).ok()?;
        let refused = |reason: &str| {
            tracing::warn!(%digest, path = %path.display(), "a compiled component is not used and is made anew: {reason}");
        };
        let Some(code) = self.verified(digest, &file) else {
            refused("its MAC is wrong, so this host did not write it as it is");
            return None;
        };
        let component = load(engine, code).inspect_err(|error| refused(&format!("{error:#}"))).ok()?;
        self.touch(&path);
        Some(component)
    }

    /// After a crash the file is there whole or not at all. What was used longest ago makes place, and what is `in_use`
    /// is used now.
    pub fn write(&self, digest: &Digest, code: &[u8], in_use: &[Digest]) -> io::Result<()> {
        let path = self.path(digest);
        let draft = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let new = path.with_extension(format!("{draft}.{DRAFT}"));
        let mut file = self.mac(digest, code).as_ref().to_vec();
        file.extend_from_slice(code);
        write_private(&new, &file)?;
        std::fs::rename(&new, &path)?;
        in_use.iter().for_each(|digest| self.touch(&self.path(digest)));
        self.make_room()
    }

    fn verified<'a>(&self, digest: &Digest, file: &'a [u8]) -> Option<&'a [u8]> {
        let (mac, code) = file.split_at_checked(MAC_BYTES)?;
        hmac::verify(&self.key, &self.message(digest, code), mac).ok()?;
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
        self.dir.join(format!("{hex}-{}.{EXTENSION}", self.compiler))
    }

    /// The time of its last change is that of its last use. Losing it costs a compilation at most.
    #[expect(
        clippy::disallowed_methods,
        reason = "held against other files' times, which the system's clock made"
    )]
    fn touch(&self, path: &Path) {
        let file = File::options().append(true).open(path);
        drop(file.and_then(|file| file.set_modified(SystemTime::now())));
    }

    /// Removes what another compiler made, and what a crash left.
    fn tidy(&self) -> io::Result<()> {
        let ours = format!("-{}.{EXTENSION}", self.compiler);
        for file in files(&self.dir)? {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy();
            let compiled = name.ends_with(&format!(".{EXTENSION}")) && !name.ends_with(&ours);
            if compiled || name.ends_with(&format!(".{DRAFT}")) {
                remove(&file.path)?;
            }
        }
        self.make_room()
    }

    fn make_room(&self) -> io::Result<()> {
        let extension = |file: &Stored| file.path.extension().is_some_and(|found| found == EXTENSION);
        let mut files: Vec<Stored> = files(&self.dir)?.into_iter().filter(extension).collect();
        files.sort_by_key(|file| file.used);
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            if bytes <= self.bytes_max {
                break;
            }
            tracing::debug!(path = %file.path.display(), "a compiled component makes place for others");
            remove(&file.path)?;
            bytes -= file.bytes;
        }
        Ok(())
    }
}

struct Stored {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn files(dir: &Path) -> io::Result<Vec<Stored>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => {
                files.push(Stored { path: entry.path(), bytes: metadata.len(), used: metadata.modified()? });
            }
            Ok(_) => {}
            // Another thread has just made place.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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
