//! Files by digest. A blob is complete or absent: it is written as a draft, synced, and renamed.
//!
//! Who may see a blob is not decided here: whoever asks for one has found its digest in a row.

mod draft;
mod place;
mod read;
mod sweep;
mod write;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use quantum_core::id::Digest;
use quantum_core::port::{BoxFuture, ComponentSource};

use crate::Error;
use draft::Draft;
pub use place::blob_file;
use place::{DRAFTS, place, text};
pub use read::BlobReader;
pub use write::BlobWriter;

/// Blobs below one folder: `sha256/ab/cdef…`, and `drafts` of those that are not complete.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
    /// Held while a file gets its place or loses it, so that none is removed that was just written again.
    places: Arc<Mutex<()>>,
}

impl Blobs {
    /// Components, in `data_dir/blobs`. One process at a time may have it open: what another one left unfinished is
    /// removed. Err: `Folder`.
    pub fn open(data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::below(data_dir.into().join("blobs"))
    }

    /// Artifacts, in `data_dir/artifacts`; otherwise as `open`.
    pub fn open_artifacts(data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::below(data_dir.into().join("artifacts"))
    }

    fn below(root: PathBuf) -> Result<Self, Error> {
        let made = fs::create_dir_all(root.join("sha256")).and_then(|()| draft::clear(&root.join(DRAFTS)));
        match made {
            Ok(()) => Ok(Self { root, places: Arc::default() }),
            Err(source) => Err(Error::Folder { path: root, source }),
        }
    }

    /// `sha256:…` of some bytes.
    pub fn digest(bytes: &[u8]) -> Digest {
        text(&digest(&SHA256, bytes))
    }

    /// Writes the bytes unless they are there. After it returned, they survive a crash; before, they are whole or
    /// absent.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        let blobs = self.clone();
        self.blocking(move || {
            let digest = Self::digest(&bytes);
            if read::whole(&place(&blobs.root, &digest), &digest).ok().flatten().is_none() {
                let mut draft = Draft::new(&blobs.root)?;
                draft.write(&bytes)?;
                draft.keep(&blobs, None)?;
            }
            Ok(digest)
        })
        .await
    }

    /// None: no such blob. Err when the bytes do not have the digest.
    pub async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let (place, digest) = (place(&self.root, digest), digest.clone());
        self.blocking(move || read::whole(&place, &digest)).await
    }

    /// Away from the async threads: a disk can be slow.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        blocking(work).await.map_err(|source| Error::Blob { path: self.root.clone(), source })
    }
}

impl ComponentSource for Blobs {
    fn read(&self, component: &Digest) -> BoxFuture<'static, io::Result<Option<Vec<u8>>>> {
        let (place, digest) = (place(&self.root, component), component.clone());
        Box::pin(blocking(move || read::whole(&place, &digest)))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
