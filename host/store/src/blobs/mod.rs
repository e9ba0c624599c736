//! Files by digest. A blob is complete or absent: it is written as a draft, synced, and renamed.
//!
//! Who may see a blob is not decided here: whoever asks for one has found its digest in a row.

mod draft;
mod lock;
mod place;
mod read;
mod sweep;
mod write;

use std::fs;
use std::io;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use quantum_core::id::Digest;
use quantum_core::port::{BoxFuture, ComponentSource};

use crate::{Error, draft_file};
use draft::Draft;
pub use place::blob_file;
use place::{DRAFTS, place, text};
pub use read::BlobReader;
pub use write::BlobWriter;

/// Blobs below one folder: `sha256/ab/cdef…`, and `drafts` of those that are not complete.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    /// Components, in `data_dir/blobs`. Several processes may have it open, on several machines too where their file
    /// system locks files. What one that is gone for a day left unfinished is removed. Err: `Folder`.
    pub fn open(data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::below(data_dir.into().join("blobs"))
    }

    /// Artifacts, in `data_dir/artifacts`; otherwise as `open`.
    pub fn open_artifacts(data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::below(data_dir.into().join("artifacts"))
    }

    fn below(root: PathBuf) -> Result<Self, Error> {
        let made = fs::create_dir_all(root.join("sha256"))
            .and_then(|()| lock::check(&root))
            .and_then(|()| draft_file::clear(&root.join(DRAFTS)));
        match made {
            Ok(()) => Ok(Self { root }),
            Err(source) => Err(Error::Folder { path: root, source }),
        }
    }

    /// `sha256:…` of some bytes.
    pub fn digest(bytes: &[u8]) -> Digest {
        text(&digest(&SHA256, bytes))
    }

    /// Writes the bytes; those that are there already are written as of now. After it returned, they survive a crash;
    /// before, they are whole or absent.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        let root = self.root.clone();
        self.blocking(move || {
            let digest = Self::digest(&bytes);
            if !write::renew(&root, &digest)? {
                let mut draft = Draft::new(&root.join(DRAFTS))?;
                draft.write(&bytes)?;
                draft.keep(&root, None)?;
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
