//! What a collector needs: the blobs that are there, and removing one that has not been written for a while.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use quantum_core::id::Digest;
use quantum_core::time::Timestamp;

use super::place::{folder, place};
use super::write::system_time;
use super::{Blobs, InBucket, Place, lock};
use crate::Error;
use crate::draft_file::if_there;

impl Blobs {
    /// Those whose digests begin with this byte, so that a collector goes through all of them in 256 parts.
    pub async fn beginning_with(&self, head: u8) -> Result<Vec<Digest>, Error> {
        let head = format!("{head:02x}");
        match &self.place {
            Place::Folder(root) => {
                let folder = folder(root, &head);
                self.blocking(move || list(&folder, &head)).await
            }
            Place::Bucket(in_bucket) => in_bucket.list(&head).await,
        }
    }

    /// Removes the blob when it was last written before this time. The caller has seen that no row names it; a writer
    /// of the same content that has not recorded its row yet is safe, because its write is younger. In a folder it is, on
    /// whichever node it was written: it is either seen here, or comes after the removal. For a bucket see
    /// `InBucket::remove_older`. Gives the bytes that were freed, or none when the blob stays or is not there.
    pub async fn remove_older(&self, digest: &Digest, than: Timestamp) -> Result<Option<u64>, Error> {
        let root = match &self.place {
            Place::Folder(root) => root.clone(),
            Place::Bucket(in_bucket) => return in_bucket.remove_older(digest, than).await,
        };
        let (place, than) = (place(&root, digest), system_time(than));
        self.blocking(move || {
            // INVARIANT: nobody gives a blob its place between the look at its time and its removal.
            let _held = lock::to_remove(&root)?;
            remove(&place, than)
        })
        .await
    }
}

impl InBucket {
    async fn list(&self, head: &str) -> Result<Vec<Digest>, Error> {
        let folder = format!("{}/sha256/{head}", self.kind);
        let found = self.bucket.list(&folder).await?;
        let digest = |path: &str| {
            let tail = path.strip_prefix(&folder)?.strip_prefix('/')?;
            // What is not a blob was not put there by this program, and stays.
            Digest::new(format!("sha256:{head}{tail}")).ok()
        };
        Ok(found.iter().filter_map(|object| digest(&object.path)).collect())
    }

    /// By the time that the store has given the object, which is of its own clock. Requests of a machine whose clock is 15
    /// minutes off are refused, so that an hour is an hour.
    ///
    /// A store does not delete on the condition that an object is still the one that was looked at (the same content has
    /// the same tag). So a write of the same content that comes between the look and the deletion, two requests that
    /// follow each other, is lost, and its reader is told so. It takes content that nobody has named for an hour.
    async fn remove_older(&self, digest: &Digest, than: Timestamp) -> Result<Option<u64>, Error> {
        let path = self.path(digest);
        match self.bucket.find(&path).await? {
            Some(object) if object.written_at < than => {
                self.bucket.delete(&path).await?;
                Ok(Some(object.bytes))
            }
            _ => Ok(None),
        }
    }
}

fn list(folder: &Path, head: &str) -> io::Result<Vec<Digest>> {
    let Some(entries) = if_there(fs::read_dir(folder))? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        // What is not a blob was not put there by this program, and stays.
        found.extend(name.to_str().and_then(|tail| Digest::new(format!("sha256:{head}{tail}")).ok()));
    }
    Ok(found)
}

fn remove(place: &Path, than: SystemTime) -> io::Result<Option<u64>> {
    // Opened, since a client of a file server may answer from memory what it knows of a file that is not.
    let Some(file) = if_there(File::open(place))? else { return Ok(None) };
    let about = file.metadata()?;
    if about.modified()? >= than {
        return Ok(None);
    }
    fs::remove_file(place)?;
    Ok(Some(about.len()))
}
