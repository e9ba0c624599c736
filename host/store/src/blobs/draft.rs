//! A file on its way to becoming a blob. Dropped before it is kept, it leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256};
use quantum_core::id::Digest;

use super::lock;
use super::place::{place, text};
use crate::draft_file::DraftFile;

pub(super) struct Draft {
    file: DraftFile,
    hash: Context,
    bytes: u64,
}

impl Draft {
    pub fn new(drafts: &Path) -> io::Result<Self> {
        let file = DraftFile::new(drafts)?;
        Ok(Self { file, hash: Context::new(&SHA256), bytes: 0 })
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

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// To read what was written.
    pub fn file(&self) -> io::Result<File> {
        self.file.file().try_clone()
    }

    /// Gives it the place of its digest; the same content that lies there is replaced by it, which mends a damaged
    /// one. `modified`: the time from which `Blobs::remove_older` counts. Durable once it returns.
    pub fn keep(self, root: &Path, modified: Option<SystemTime>) -> io::Result<(Digest, u64)> {
        if let Some(modified) = modified {
            self.file.file().set_modified(modified)?;
        }
        self.file.file().sync_all()?;
        let (digest, bytes) = (self.digest(), self.bytes);
        let place = place(root, &digest);
        let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
        {
            let _held = lock::to_write(root)?;
            fs::create_dir_all(folder)?;
            self.file.rename(&place)?;
        }
        File::open(folder)?.sync_all()?;
        // The folder itself may be new.
        folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())?;
        Ok((digest, bytes))
    }
}
