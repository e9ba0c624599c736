//! A blob that is written piece by piece.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use quantum_core::id::Digest;
use quantum_core::time::Timestamp;

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};

use super::place::{DRAFTS, place};
use super::{Blobs, Draft, InBucket, Place, lock, read};
use crate::Error;
use crate::draft_file::if_there;

/// Takes the bytes of one blob in order. Dropped before `finish`, it leaves nothing behind.
pub struct BlobWriter {
    blobs: Blobs,
    /// None: an earlier write failed, or its caller went away in the middle of it.
    draft: Option<Draft>,
    bytes: u64,
}

impl Blobs {
    /// A new blob, whose digest is known at its end. Err: `Blob`.
    pub async fn create(&self) -> Result<BlobWriter, Error> {
        let drafts = match &self.place {
            Place::Folder(root) => root.join(DRAFTS),
            Place::Bucket(InBucket { drafts, .. }) => drafts.clone(),
        };
        let draft = self.blocking(move || Draft::new(&drafts)).await?;
        Ok(BlobWriter { blobs: self.clone(), draft: Some(draft), bytes: 0 })
    }

    pub(super) async fn write_whole(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        let mut writer = self.create().await?;
        writer.write(bytes).await?;
        let (digest, _) = writer.finish(Timestamp::from_millis(0)).await?;
        Ok(digest)
    }
}

impl BlobWriter {
    /// What was written until now.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Of what was written until now. None: an earlier write failed.
    pub fn digest(&self) -> Option<Digest> {
        self.draft.as_ref().map(Draft::digest)
    }

    /// Err: `Blob`; after one, nothing more can be written.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let mut draft = self.take()?;
        let added = bytes.len() as u64;
        let written = self.blobs.blocking(move || draft.write(&bytes).map(|()| draft)).await?;
        self.draft = Some(written);
        self.bytes += added;
        Ok(())
    }

    /// Durable once it returns; before, the blob is whole or absent. `at` is the time from which
    /// `Blobs::remove_older` counts; a bucket counts by its own clock. Gives the digest and the bytes. Err: `Blob`,
    /// `Bucket`.
    pub async fn finish(mut self, at: Timestamp) -> Result<(Digest, u64), Error> {
        let draft = self.take()?;
        match self.blobs.place.clone() {
            Place::Folder(root) => {
                self.blobs.blocking(move || draft.keep(&root, Some(system_time(at)))).await
            }
            Place::Bucket(in_bucket) => {
                let file = draft.file().map_err(|source| self.blobs.error(source))?;
                let digest = draft.digest();
                // Also when it is there: that mends a damaged one, and makes it young.
                in_bucket.bucket.put_file(&in_bucket.path(&digest), file).await?;
                Ok((digest, draft.bytes()))
            }
        }
    }

    fn take(&mut self) -> Result<Draft, Error> {
        let cut_off =
            || io::Error::new(io::ErrorKind::BrokenPipe, "an earlier write of the blob was cut off");
        self.draft.take().ok_or_else(|| self.blobs.error(cut_off()))
    }
}

/// Makes a blob that is there, and whole, one that was written just now, so that no collector takes it from whoever is about
/// to name it. False: it has to be written.
pub(super) fn renew(root: &Path, digest: &Digest) -> io::Result<bool> {
    let place = place(root, digest);
    if read::whole(&place, digest).ok().flatten().is_none() {
        return Ok(false);
    }
    let _held = lock::to_write(root)?;
    let Some(file) = if_there(File::options().write(true).open(&place))? else { return Ok(false) };
    let at = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    futimens(&file, &Timestamps { last_access: at(UTIME_OMIT), last_modification: at(UTIME_NOW) })?;
    Ok(true)
}

/// A time before the Unix epoch is the epoch: it only makes a blob look older.
pub(super) fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(at.millis_since(Timestamp::from_millis(0)))
}
