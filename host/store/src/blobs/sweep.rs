//! What a collector needs: the blobs that are there, and removing one that has not been written for a while.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::PoisonError;
use std::time::SystemTime;

use quantum_core::id::Digest;
use quantum_core::time::Timestamp;

use super::Blobs;
use super::place::{folder, place};
use super::write::system_time;
use crate::Error;

impl Blobs {
    /// Those whose digests begin with this byte, so that a collector goes through all of them in 256 parts.
    pub async fn beginning_with(&self, head: u8) -> Result<Vec<Digest>, Error> {
        let head = format!("{head:02x}");
        let folder = folder(&self.root, &head);
        self.blocking(move || list(&folder, &head)).await
    }

    /// Removes the blob when it was last written before this time. The caller has seen that no row names it; a writer
    /// of the same content that has not recorded its row yet is safe, because its write is younger. Gives the bytes
    /// that were freed, or none when the blob stays or is not there.
    pub async fn remove_older(&self, digest: &Digest, than: Timestamp) -> Result<Option<u64>, Error> {
        let (blobs, place, than) = (self.clone(), place(&self.root, digest), system_time(than));
        self.blocking(move || {
            let _held = blobs.places.lock().unwrap_or_else(PoisonError::into_inner);
            remove(&place, than)
        })
        .await
    }
}

fn list(folder: &Path, head: &str) -> io::Result<Vec<Digest>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        // What is not a blob was not put there by this program, and stays.
        found.extend(name.to_str().and_then(|tail| Digest::new(format!("sha256:{head}{tail}")).ok()));
    }
    Ok(found)
}

fn remove(place: &Path, than: SystemTime) -> io::Result<Option<u64>> {
    let about = match fs::metadata(place) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if about.modified()? >= than {
        return Ok(None);
    }
    fs::remove_file(place)?;
    Ok(Some(about.len()))
}
