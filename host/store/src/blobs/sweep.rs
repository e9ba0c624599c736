//! What a collector needs: the blobs that are there, and removing one that has not been written for a while.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use quantum_core::id::Digest;
use quantum_core::time::Timestamp;

use super::place::{folder, place};
use super::write::system_time;
use super::{Blobs, lock};
use crate::Error;
use crate::draft_file::if_there;

impl Blobs {
    /// Those whose digests begin with this byte, so that a collector goes through all of them in 256 parts.
    pub async fn beginning_with(&self, head: u8) -> Result<Vec<Digest>, Error> {
        let head = format!("{head:02x}");
        let folder = folder(&self.root, &head);
        self.blocking(move || list(&folder, &head)).await
    }

    /// Removes the blob when it was last written before this time. The caller has seen that no row names it; a writer
    /// of the same content that has not recorded its row yet is safe, because its write is younger: on whichever node it
    /// was written, it is either seen here, or comes after the removal. Gives the bytes that were freed, or none when the
    /// blob stays or is not there.
    pub async fn remove_older(&self, digest: &Digest, than: Timestamp) -> Result<Option<u64>, Error> {
        let (root, place, than) = (self.root.clone(), place(&self.root, digest), system_time(than));
        self.blocking(move || {
            // INVARIANT: nobody gives a blob its place between the look at its time and its removal.
            let _held = lock::to_remove(&root)?;
            remove(&place, than)
        })
        .await
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
