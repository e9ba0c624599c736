//! The files of a backup while it is made: what was copied, and as what.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use quantum_core::time::Timestamp;
use quantum_store::{Bucket, BucketObject};

use super::error::BackupError;
use super::file::{self, Content, NewFile};
use super::manifest::stays_inside;

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

    /// As `folder`, from a bucket: an object has the path of the file that it would be.
    pub async fn bucket(&mut self, bucket: &Bucket, folder: &str) -> Result<(), BackupError> {
        for object in bucket.list(folder).await.map_err(BackupError::FromBucket)? {
            self.object(bucket, object).await?;
        }
        Ok(())
    }

    async fn object(&mut self, bucket: &Bucket, object: BucketObject) -> Result<(), BackupError> {
        let path = PathBuf::from(&object.path);
        if !stays_inside(&object.path) {
            return Err(BackupError::NoName { path });
        }
        let at = object.written_at.millis_since(Timestamp::from_millis(0));
        let seen = (object.bytes, SystemTime::UNIX_EPOCH + Duration::from_millis(at));
        if self.copied.get(&path).is_some_and(|copied| copied.seen == Some(seen)) {
            return Ok(());
        }
        let to = self.to.join(&path);
        if self.copied.remove(&path).is_some() {
            fs::remove_file(&to).map_err(BackupError::io("remove", &to))?;
        }
        let mut copy = NewFile::new(&to).map_err(BackupError::io("write", &to))?;
        let read = bucket.read_into(&object.path, |piece| copy.write(piece)).await;
        if !read.map_err(BackupError::FromBucket)? {
            // It went away meanwhile: no row names it any more.
            return fs::remove_file(&to).map_err(BackupError::io("remove", to));
        }
        let content = copy.finish().map_err(BackupError::io("write", to))?;
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
