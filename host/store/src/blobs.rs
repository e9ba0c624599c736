//! Files by digest. A blob is complete or absent: it is written beside its place, synced, and renamed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use quantum_core::id::Digest;
use quantum_core::port::{BoxFuture, ComponentSource};

use crate::Error;

/// Blobs below one folder: `sha256/ab/cdef…`.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    /// `data_dir/blobs`, made when it is not there. Err: `Folder`.
    pub fn open(data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = data_dir.into().join("blobs");
        match fs::create_dir_all(root.join("sha256")) {
            Ok(()) => Ok(Self { root }),
            Err(source) => Err(Error::Folder { path: root, source }),
        }
    }

    /// `sha256:…` of some bytes.
    pub fn digest(bytes: &[u8]) -> Digest {
        let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest::new(format!("sha256:{hex}")).expect("64 lowercase hex digits")
    }

    /// Writes the bytes unless they are there. After it returned, they survive a crash; before, they are whole or
    /// absent.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        let root = self.root.clone();
        blocking(move || {
            let digest = Self::digest(&bytes);
            let place = place(&root, &digest);
            if read_verified(&place, &digest).ok().flatten().is_none() {
                write(&place, &bytes)?;
            }
            Ok(digest)
        })
        .await
        .map_err(|source| Error::Blob { path: self.root.clone(), source })
    }

    /// None: no such blob. Err when the bytes do not have the digest.
    pub async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.read(digest).await.map_err(|source| Error::Blob { path: place(&self.root, digest), source })
    }
}

impl ComponentSource for Blobs {
    fn read(&self, component: &Digest) -> BoxFuture<'static, io::Result<Option<Vec<u8>>>> {
        let (place, digest) = (place(&self.root, component), component.clone());
        Box::pin(blocking(move || read_verified(&place, &digest)))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn place(root: &Path, digest: &Digest) -> PathBuf {
    // INVARIANT of `Digest`: `sha256:` and 64 hex digits, so no part of it leaves the folder.
    let hex = digest.as_str().trim_start_matches("sha256:");
    let (head, tail) = hex.split_at_checked(2).unwrap_or((hex, "-"));
    root.join("sha256").join(head).join(tail)
}

fn read_verified(place: &Path, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
    let bytes = match fs::read(place) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = Blobs::digest(&bytes);
    if found == *digest {
        return Ok(Some(bytes));
    }
    let message = format!("blob {digest} is damaged: its bytes have the digest {found}; put it again");
    Err(io::Error::new(ErrorKind::InvalidData, message))
}

fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    /// Two writers of the same blob must not share a file.
    static WRITES: AtomicU64 = AtomicU64::new(0);

    let folder = place.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let beside = place.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let written = write_synced(&beside, bytes).and_then(|()| fs::rename(&beside, place));
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written?;
    File::open(folder)?.sync_all()?;
    // The folder itself may be new.
    folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
