//! Executions as they were when they were removed, in files: `TENANT/YYYY/MM/END-ID.jsonl.gz`, one line of JSON an
//! execution, by month of their end. A file is complete or absent: it is written as a draft, synced, and renamed, or sent
//! to the bucket.
//!
//! What a line says, and when an execution may be removed, is not decided here.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bucket::Bucket;
use crate::draft_file::{self, DraftFile};
use crate::executions::EndKey;
use crate::{Error, TenantScope};

/// No tenant has this name: ids of tenants begin with a letter.
const DRAFTS: &str = ".drafts";

const ARCHIVE: &str = "archive";

/// The archives of all tenants, in `data_dir/archive`, which is made with the first file, or in a bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    /// Of drafts alone, when there is a bucket.
    root: PathBuf,
    bucket: Option<Bucket>,
}

/// A file of the archive on its way. Dropped before `finish`, it leaves nothing behind.
pub struct ArchiveWriter {
    /// None: an earlier write failed, or its caller went away in the middle of it.
    draft: Option<GzEncoder<DraftFile>>,
    archive: Archive,
    /// Below the archive.
    path: String,
}

impl Archive {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { root: data_dir.into().join(ARCHIVE), bucket: None }
    }

    /// In `archive` of the bucket. Drafts are in `data_dir`, which is this node's alone.
    pub fn in_bucket(bucket: &Bucket, data_dir: impl Into<PathBuf>) -> Self {
        Self { bucket: Some(bucket.clone()), ..Self::new(data_dir) }
    }

    /// A file that is named by its first execution. Err: `Archive`.
    pub async fn create(&self, scope: &TenantScope, first: EndKey) -> Result<ArchiveWriter, Error> {
        let root = self.root.clone();
        let path = root.join(DRAFTS);
        let drafts = path.clone();
        let file = blocking(&path, move || {
            make_folder(&root)?;
            draft_file::clear(&drafts)?;
            DraftFile::new(&drafts)
        });
        let draft = Some(GzEncoder::new(file.await?, Compression::default()));
        Ok(ArchiveWriter { draft, archive: self.clone(), path: path_below(scope, first) })
    }

    /// Takes a file away of which no execution was removed. Err: `Archive`, `Bucket`.
    pub async fn remove(&self, scope: &TenantScope, first: EndKey) -> Result<(), Error> {
        let path = path_below(scope, first);
        if let Some(bucket) = &self.bucket {
            return bucket.delete(&format!("{ARCHIVE}/{path}")).await;
        }
        let place = self.root.join(path);
        blocking(&place.clone(), move || fs::remove_file(place)).await
    }

    /// As errors name a file.
    fn place(&self, path: &str) -> PathBuf {
        match &self.bucket {
            Some(bucket) => format!("{}/{ARCHIVE}/{path}", bucket.address()).into(),
            None => self.root.join(path),
        }
    }
}

fn path_below(scope: &TenantScope, first: EndKey) -> String {
    let ended = first.ended_at.to_string();
    let (year, month) = ended.get(..4).zip(ended.get(5..7)).unwrap_or(("0000", "00"));
    let compact = ended.replace(['-', ':', '.'], "");
    format!("{}/{year}/{month}/{compact}-{}.jsonl.gz", scope.tenant().as_str(), first.id)
}

impl ArchiveWriter {
    /// One execution, as JSON without line breaks. Err: `Archive`; after one, nothing more can be written.
    pub async fn write(&mut self, mut line: String) -> Result<(), Error> {
        line.push('\n');
        let (mut draft, place) = (self.take()?, self.archive.place(&self.path));
        let written = blocking(&place, move || draft.write_all(line.as_bytes()).map(|()| draft));
        self.draft = Some(written.await?);
        Ok(())
    }

    /// Durable once it returns, in the place of an earlier file of the name; before, that one or the new one is there,
    /// and whole. Err: `Archive`, `Bucket`.
    pub async fn finish(mut self) -> Result<(), Error> {
        let (draft, place) = (self.take()?, self.archive.place(&self.path));
        let named = place.clone();
        let Some(bucket) = &self.archive.bucket else {
            return blocking(&named, move || keep(draft, &place)).await;
        };
        let written = move || -> io::Result<(File, DraftFile)> {
            let draft = draft.finish()?;
            Ok((draft.file().try_clone()?, draft))
        };
        // The draft goes when it is sent, or when this is broken off.
        let (file, _draft) = blocking(&named, written).await?;
        bucket.put_file(&format!("{ARCHIVE}/{}", self.path), file).await
    }

    fn take(&mut self) -> Result<GzEncoder<DraftFile>, Error> {
        let cut_off =
            || io::Error::new(io::ErrorKind::BrokenPipe, "an earlier write of the file was cut off");
        let path = || self.archive.place(&self.path);
        self.draft.take().ok_or_else(|| Error::Archive { path: path(), source: cut_off() })
    }
}

fn keep(draft: GzEncoder<DraftFile>, place: &Path) -> io::Result<()> {
    let draft = draft.finish()?;
    draft.file().sync_all()?;
    let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_folder(folder)?;
    draft.rename(place)?;
    File::open(folder)?.sync_all()
}

/// With those above it that are not there. Each is durable in the one that holds it.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.is_dir()).collect();
    for path in missing.into_iter().rev() {
        fs::create_dir(path)?;
        path.parent().map_or(Ok(()), |holder| File::open(holder)?.sync_all())?;
    }
    Ok(())
}

/// Away from the async threads: a disk can be slow.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
    done.flatten().map_err(|source| Error::Archive { path: path.to_owned(), source })
}
