//! Content by digest, in a folder or in a bucket. A blob is complete or absent: in a folder it is written as a draft,
//! synced, and renamed; for a bucket the draft lies on the node's own disk, and is sent once its digest is known.
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

use crate::bucket::Bucket;
use crate::{Error, draft_file};
use draft::Draft;
pub use place::blob_file;
use place::{DRAFTS, place, text};
pub use read::BlobReader;
pub use write::BlobWriter;

/// Blobs of one kind: `sha256/ab/cdef…` below their place. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// With `drafts` of those that are not complete beside them.
    Folder(PathBuf),
    Bucket(InBucket),
}

#[derive(Debug, Clone)]
struct InBucket {
    bucket: Bucket,
    /// Of the objects' paths.
    kind: &'static str,
    /// A folder of this node.
    drafts: PathBuf,
}

const COMPONENTS: &str = "blobs";
const ARTIFACTS: &str = "artifacts";

impl Blobs {
    /// Components, in `data_dir/blobs`. Several processes may have it open, on several machines too where their file
    /// system locks files. What one that is gone for a day left unfinished is removed. Err: `Folder`.
    pub fn open(data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::below(data_dir.into().join(COMPONENTS))
    }

    /// Artifacts, in `data_dir/artifacts`; otherwise as `open`.
    pub fn open_artifacts(data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::below(data_dir.into().join(ARTIFACTS))
    }

    /// Components, in `blobs` of the bucket. Their drafts are in `data_dir`, which is this node's alone. Err: `Folder`.
    pub fn in_bucket(bucket: &Bucket, data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::kept(bucket, COMPONENTS, data_dir.into())
    }

    /// Artifacts, in `artifacts` of the bucket; otherwise as `in_bucket`.
    pub fn artifacts_in_bucket(bucket: &Bucket, data_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::kept(bucket, ARTIFACTS, data_dir.into())
    }

    fn below(root: PathBuf) -> Result<Self, Error> {
        let made = fs::create_dir_all(root.join("sha256"))
            .and_then(|()| lock::check(&root))
            .and_then(|()| draft_file::clear(&root.join(DRAFTS)));
        match made {
            Ok(()) => Ok(Self { place: Place::Folder(root) }),
            Err(source) => Err(Error::Folder { path: root, source }),
        }
    }

    fn kept(bucket: &Bucket, kind: &'static str, data_dir: PathBuf) -> Result<Self, Error> {
        let drafts = data_dir.join(kind).join(DRAFTS);
        match draft_file::clear(&drafts) {
            Ok(()) => Ok(Self { place: Place::Bucket(InBucket { bucket: bucket.clone(), kind, drafts }) }),
            Err(source) => Err(Error::Folder { path: drafts, source }),
        }
    }

    /// `sha256:…` of some bytes.
    pub fn digest(bytes: &[u8]) -> Digest {
        text(&digest(&SHA256, bytes))
    }

    /// Writes the bytes; those that are there already are written as of now. After it returned, they survive a crash;
    /// before, they are whole or absent.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        let Place::Folder(root) = self.place.clone() else { return self.write_whole(bytes).await };
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
        let Place::Folder(root) = &self.place else { return self.read_whole(digest).await };
        let (place, digest) = (place(root, digest), digest.clone());
        self.blocking(move || read::whole(&place, &digest)).await
    }

    /// As errors name it: a folder, or `s3://bucket/prefix/kind`.
    fn name(&self) -> PathBuf {
        match &self.place {
            Place::Folder(root) => root.clone(),
            Place::Bucket(InBucket { bucket, kind, .. }) => format!("{}/{kind}", bucket.address()).into(),
        }
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Blob { path: self.name(), source }
    }

    /// Away from the async threads: a disk can be slow.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        blocking(work).await.map_err(|source| self.error(source))
    }
}

impl InBucket {
    fn path(&self, digest: &Digest) -> String {
        format!("{}/{}", self.kind, blob_file(digest).display())
    }
}

impl ComponentSource for Blobs {
    fn read(&self, component: &Digest) -> BoxFuture<'static, io::Result<Option<Vec<u8>>>> {
        let (blobs, digest) = (self.clone(), component.clone());
        Box::pin(async move {
            blobs.get(&digest).await.map_err(|error| match error {
                Error::Blob { source, .. } => source,
                other => io::Error::other(other),
            })
        })
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
