//! Who may change which blobs are in a folder: many at a time give some their places, or one takes some away.
//!
//! Without it a collector on one node could look at the time of an old blob, another node could write the same content
//! in its place, and the collector would remove what was just written. The lock is the file system's, so that it holds
//! between processes and machines, and ends with who held it. It is held for a look, a rename or a removal only.

use std::fs::File;
use std::io;
use std::path::Path;

/// Of the folder of blobs. It is never removed: two locks of one name would be two locks.
const LOCK: &str = "lock";

/// That the file system has locks. Err says what to do where it has none.
pub(super) fn check(root: &Path) -> io::Result<()> {
    to_write(root).map(drop).map_err(|error| match error.kind() {
        io::ErrorKind::Unsupported => {
            let text = "its file system does not lock files, so that nodes could remove what others write; \
                        mount it with locks (NFS version 4 has them)";
            io::Error::new(error.kind(), text)
        }
        _ => error,
    })
}

/// Waits for whoever removes. Held until the file is closed.
pub(super) fn to_write(root: &Path) -> io::Result<File> {
    let file = open(root)?;
    file.lock_shared()?;
    Ok(file)
}

/// Waits for all others.
pub(super) fn to_remove(root: &Path) -> io::Result<File> {
    let file = open(root)?;
    file.lock()?;
    Ok(file)
}

/// Readable and writable, as NFS asks for locks of both kinds.
fn open(root: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(root.join(LOCK))
}
