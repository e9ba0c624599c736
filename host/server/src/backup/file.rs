//! One file: copied with its digest, for its owner only, and on the disk once it returns.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// What was read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub bytes: u64,
    /// SHA-256, 64 lowercase hex digits.
    pub sha256: String,
}

/// A new file of mode 0600, which is written piece by piece.
pub(super) struct NewFile {
    file: File,
    hash: Context,
    bytes: u64,
}

impl NewFile {
    /// Its folders are made.
    pub fn new(to: &Path) -> io::Result<Self> {
        if let Some(folder) = to.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        Ok(Self { file, hash: Context::new(&SHA256), bytes: 0 })
    }

    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
        self.file.write_all(piece)
    }

    /// Synced once it returns.
    pub fn finish(self) -> io::Result<Content> {
        self.file.sync_all()?;
        Ok(Content { bytes: self.bytes, sha256: hex(self.hash.finish().as_ref()) })
    }
}

/// The content of a file, and the same bytes in a new one.
pub(super) fn copy(from: &mut File, to: &Path) -> io::Result<Content> {
    let mut copy = NewFile::new(to)?;
    read(from, |piece| copy.write(piece))?;
    copy.finish()
}

/// The content of a file.
pub(super) fn content(file: &mut File) -> io::Result<Content> {
    read(file, |_| Ok(()))
}

/// The content of a file that somebody else wrote; afterwards it is synced and of mode 0600.
pub(super) fn seal(path: &Path) -> io::Result<Content> {
    let mut file = File::open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.sync_all()?;
    read(&mut file, |_| Ok(()))
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

fn read(file: &mut File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Content> {
    let (mut hash, mut bytes) = (Context::new(&SHA256), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        take(read)?;
        bytes += read.len() as u64;
    }
    Ok(Content { bytes, sha256: hex(hash.finish().as_ref()) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
