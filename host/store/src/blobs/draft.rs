//! A file on its way to becoming a blob. Dropped before it is kept, it leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256};
use quantum_core::id::Digest;

use super::Blobs;
use super::place::{DRAFTS, place, text};

pub(super) struct Draft {
    path: PathBuf,
    file: File,
    hash: Context,
    bytes: u64,
}

/// Makes the folder, and removes what a crash left in it.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

impl Draft {
    pub fn new(root: &Path) -> io::Result<Self> {
        /// Two writers of the same blob must not share a file.
        static DRAFTED: AtomicU64 = AtomicU64::new(0);

        let number = DRAFTED.fetch_add(1, Ordering::Relaxed);
        let path = root.join(DRAFTS).join(format!("{}-{number}", std::process::id()));
        let file = File::create_new(&path)?;
        Ok(Self { path, file, hash: Context::new(&SHA256), bytes: 0 })
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    pub fn digest(&self) -> Digest {
        text(&self.hash.clone().finish())
    }

    /// Gives it the place of its digest; the same content that lies there is replaced by it, which mends a damaged
    /// one. `modified`: the time from which `Blobs::remove_older` counts. Durable once it returns.
    pub fn keep(self, blobs: &Blobs, modified: Option<SystemTime>) -> io::Result<(Digest, u64)> {
        if let Some(modified) = modified {
            self.file.set_modified(modified)?;
        }
        self.file.sync_all()?;
        let digest = self.digest();
        let place = place(&blobs.root, &digest);
        let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
        {
            let _held = blobs.places.lock().unwrap_or_else(PoisonError::into_inner);
            fs::create_dir_all(folder)?;
            fs::rename(&self.path, &place)?;
        }
        File::open(folder)?.sync_all()?;
        // The folder itself may be new.
        folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())?;
        Ok((digest, self.bytes))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // When it was kept, nothing has this name any more.
        drop(fs::remove_file(&self.path));
    }
}
