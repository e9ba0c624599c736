//! The files of a backup while it is made: what was copied, and as what.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::BackupError;
use super::file::{self, Content};

/// What holds no content: files that are not complete yet, and those that nodes lock. A tenant may be called `drafts`.
const LEFT_OUT: [&str; 6] =
    ["blobs/drafts", "blobs/lock", "artifacts/drafts", "artifacts/lock", "archive/.drafts", "archive/.draft"];

/// Copies from one folder to another, by the path that a file has in both.
pub(super) struct Copies<'a> {
    from: &'a Path,
    to: &'a Path,
    copied: BTreeMap<PathBuf, Copied>,
    each: &'a dyn Fn(u64),
}

struct Copied {
    content: Content,
    /// Of the file that was copied. None: it was not copied but made here.
    seen: Option<Seen>,
}

/// A file with the same length and time is taken to be the same.
type Seen = (u64, SystemTime);

impl<'a> Copies<'a> {
    /// `each` is told the bytes of every file that was copied.
    pub fn new(from: &'a Path, to: &'a Path, each: &'a dyn Fn(u64)) -> Self {
        Self { from, to, copied: BTreeMap::new(), each }
    }

    /// Every file below the folder that was not copied yet, or is another by now. One that goes away meanwhile is left
    /// out: no row names it any more. A folder that is not there has no files.
    pub fn folder(&mut self, folder: &str) -> Result<(), BackupError> {
        let mut found = Vec::new();
        list(self.from, Path::new(folder), &mut found)
            .map_err(BackupError::io("read the folder", self.from.join(folder)))?;
        found.into_iter().try_for_each(|path| self.file(path))
    }

    /// As `folder`, for one file.
    pub fn file(&mut self, path: impl Into<PathBuf>) -> Result<(), BackupError> {
        let path = path.into();
        let (from, to) = (self.from.join(&path), self.to.join(&path));
        let mut file = match File::open(&from) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(BackupError::io("read", from)(error)),
        };
        let seen = seen(&file).map_err(BackupError::io("read", &from))?;
        match self.copied.get(&path) {
            Some(copied) if copied.seen == Some(seen) => return Ok(()),
            Some(_) => fs::remove_file(&to).map_err(BackupError::io("remove", &to))?,
            None => {}
        }
        let content = file::copy(&mut file, &to).map_err(BackupError::io("copy", from))?;
        (self.each)(content.bytes);
        self.copied.insert(path, Copied { content, seen: Some(seen) });
        Ok(())
    }

    /// A file that was made in the target itself.
    pub fn made(&mut self, path: &str) -> Result<(), BackupError> {
        let place = self.to.join(path);
        let content = file::seal(&place).map_err(BackupError::io("write", place))?;
        (self.each)(content.bytes);
        self.copied.insert(path.into(), Copied { content, seen: None });
        Ok(())
    }

    pub fn content(&self, path: &Path) -> Option<&Content> {
        self.copied.get(path).map(|copied| &copied.content)
    }

    /// All of them, by path.
    pub fn into_contents(self) -> impl Iterator<Item = (PathBuf, Content)> {
        self.copied.into_iter().map(|(path, copied)| (path, copied.content))
    }
}

fn seen(file: &File) -> io::Result<Seen> {
    let about = file.metadata()?;
    Ok((about.len(), about.modified()?))
}

fn list(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = folder.join(entry?.file_name());
        if LEFT_OUT.iter().any(|left_out| path == Path::new(left_out)) {
            continue;
        }
        // Through links: a folder may lie on another disk.
        match fs::metadata(root.join(&path)) {
            Ok(about) if about.is_dir() => list(root, &path, found)?,
            Ok(about) if about.is_file() => found.push(path),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
