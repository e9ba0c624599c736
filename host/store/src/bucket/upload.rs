//! Writing an object: at once, or in parts of which nobody sees anything before the last one is there.

use std::fs::File;
use std::io::{self, Read, Seek};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions};

use super::Bucket;
use crate::Error;

/// Bytes of a part, and of what goes in one request. A store takes 10 000 parts of an object, of 5 MiB or more: 78 GiB,
/// above the largest artifact.
const PART_BYTES: usize = 8 * 1024 * 1024;
const WRITE: &str = "write to";

impl Bucket {
    /// In the place of what has the path. Once it returns, the store has confirmed it; before, the object is whole or
    /// absent. The client signs the digest of what it sends, so that a store does not take other bytes.
    pub(crate) async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let stored = self.shared.store.put(&self.path(path), bytes.into()).await;
        stored.map(drop).map_err(|source| self.error(WRITE, source).into())
    }

    /// As `put`, of a file from its beginning. Dropped in the middle, or when it fails, nothing is left of it; a process
    /// that ends in the middle leaves parts that only a rule of the bucket removes.
    pub async fn put_file(&self, path: &str, mut file: File) -> Result<(), Error> {
        let unreadable = |source| Error::Blob { path: self.address().to_string().into(), source };
        file.rewind().map_err(unreadable)?;
        let (file, first) = part(file).await.map_err(unreadable)?;
        if first.len() < PART_BYTES {
            let stored = self.shared.store.put(&self.path(path), first.into()).await;
            return stored.map(drop).map_err(|source| self.error(WRITE, source).into());
        }
        // In a task of its own: an upload that the store has begun is known here then, and aborted, in whichever moment
        // the caller goes away.
        let (bucket, path) = (self.clone(), self.path(path));
        let begun = tokio::spawn(async move { Parts::begin(&bucket, path).await }).await;
        let mut parts = begun.map_err(|error| unreadable(io::Error::other(error)))??;
        match parts.send(self, file, first).await {
            Ok(()) => Ok(()),
            Err(error) => {
                parts.abort().await;
                Err(error)
            }
        }
    }

    /// None was there: nothing is to do then.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Error> {
        match self.shared.store.delete(&self.path(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.error("delete in", source).into()),
        }
    }
}

/// An upload that is not complete. Dropped, it is aborted.
struct Parts {
    /// None: it is complete, or aborted.
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Parts {
    async fn begin(bucket: &Bucket, path: Path) -> Result<Self, Error> {
        let begun = bucket.shared.store.put_multipart_opts(&path, PutMultipartOptions::default()).await;
        Ok(Self { upload: Some(begun.map_err(|source| bucket.error(WRITE, source))?) })
    }

    async fn send(&mut self, bucket: &Bucket, mut file: File, mut next: Bytes) -> Result<(), Error> {
        let unreadable = |source| Error::Blob { path: bucket.address().to_string().into(), source };
        let Some(upload) = &mut self.upload else { return Ok(()) };
        while !next.is_empty() {
            upload.put_part(next.into()).await.map_err(|source| bucket.error(WRITE, source))?;
            (file, next) = part(file).await.map_err(unreadable)?;
        }
        upload.complete().await.map_err(|source| bucket.error(WRITE, source))?;
        self.upload = None;
        Ok(())
    }

    async fn abort(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        if let Err(error) = upload.abort().await {
            tracing::warn!(%error, "parts of an upload that failed are left in the bucket; a rule of the bucket for incomplete uploads removes them");
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let (Some(upload), Ok(runtime)) = (self.upload.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let mut parts = Self { upload: Some(upload) };
        runtime.spawn(async move { parts.abort().await });
    }
}

/// The next bytes, fewer only at the end. Away from the async threads: a disk can be slow.
async fn part(file: File) -> io::Result<(File, Bytes)> {
    let read = move || -> io::Result<(File, Bytes)> {
        let mut bytes = Vec::new();
        (&file).take(PART_BYTES as u64).read_to_end(&mut bytes)?;
        Ok((file, bytes.into()))
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}
