//! A file that is not what it is going to be yet, in a folder of such files, which several processes may share.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

/// A draft that nobody has written to for that long was left by a process that ended in the middle of it. One that lives
/// writes all the time: no request and no attempt takes a day.
const LEFT_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Dropped before it is renamed, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct DraftFile {
    path: PathBuf,
    file: File,
}

impl DraftFile {
    /// In a folder that is there. The name is nobody else's, on whichever machine: neither two writers nor two
    /// processes share a file.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(Uuid::now_v7().simple().to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Self { path, file })
    }

    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name, in the place of what has it. The caller syncs the bytes before, and the folder after.
    pub fn rename(self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)
    }
}

impl Write for DraftFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        // When it was renamed, nothing has this name any more.
        drop(fs::remove_file(&self.path));
    }
}

/// Makes the folder, and removes what processes left in it that are gone for long. Drafts that another process writes
/// at this moment stay.
pub(crate) fn clear(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // By the clock that gives drafts their times: of a file server, it may not be this machine's.
    let now = DraftFile::new(folder)?.file.metadata()?.modified()?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Others finish their drafts meanwhile, or clear the folder too.
        let Some(about) = if_there(entry.metadata())? else { continue };
        if now.duration_since(about.modified()?).is_ok_and(|age| age >= LEFT_AFTER) {
            if_there(fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

/// None: there is no such file any more.
pub(crate) fn if_there<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
