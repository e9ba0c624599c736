//! Reading: whole, or piece by piece; what is read from its first byte to its last is held against the digest.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use quantum_core::id::Digest;

use super::place::{blob_file, place, text};
use super::{Blobs, Place, blocking};
use crate::Error;
use crate::bucket::ObjectReader;
use crate::draft_file::if_there;

/// Bytes of one read at most: the memory that a reader takes.
const READ_BYTES_MAX: usize = 1024 * 1024;

/// Reads one blob in order. A blob that is removed meanwhile can be read to its end, in a folder.
pub struct BlobReader {
    /// As errors name what is read.
    path: PathBuf,
    digest: Digest,
    /// None: an earlier read failed, or its caller went away in the middle of it.
    open: Option<Open>,
}

struct Open {
    source: Source,
    /// None when it was not opened at the first byte.
    hash: Option<Context>,
}

enum Source {
    File(File),
    Object(Box<ObjectReader>),
}

impl Blobs {
    /// From this byte on; beyond the end there is nothing. None: no such blob.
    pub async fn reader(&self, digest: &Digest, offset: u64) -> Result<Option<BlobReader>, Error> {
        let path = self.name().join(blob_file(digest));
        let source = match &self.place {
            Place::Folder(root) => {
                let opened = place(root, digest);
                self.blocking(move || open(&opened, offset)).await?.map(Source::File)
            }
            Place::Bucket(in_bucket) => {
                let object = in_bucket.bucket.reader(&in_bucket.path(digest), offset).await?;
                object.map(|object| Source::Object(Box::new(object)))
            }
        };
        let hash = (offset == 0).then(|| Context::new(&SHA256));
        let digest = digest.clone();
        Ok(source.map(|source| BlobReader { path, digest, open: Some(Open { source, hash }) }))
    }

    /// Reads it all. False: no such blob. Err when the bytes do not have the digest.
    pub async fn verify(&self, digest: &Digest) -> Result<bool, Error> {
        let Some(mut reader) = self.reader(digest, 0).await? else { return Ok(false) };
        while !reader.read(READ_BYTES_MAX).await?.is_empty() {}
        Ok(true)
    }

    pub(super) async fn read_whole(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let Some(mut reader) = self.reader(digest, 0).await? else { return Ok(None) };
        let mut all = Vec::new();
        loop {
            let bytes = reader.read(READ_BYTES_MAX).await?;
            if bytes.is_empty() {
                return Ok(Some(all));
            }
            all.extend(bytes);
        }
    }
}

impl BlobReader {
    /// At most `bytes_max` bytes (and 1 MiB); an empty answer is the end. Err: `Bucket`, `Blob`, at the end also when
    /// the bytes that were read do not have the digest.
    pub async fn read(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let cut_off = || io::Error::new(ErrorKind::BrokenPipe, "an earlier read of the blob was cut off");
        let path = self.path.clone();
        let failed = |source| Error::Blob { path, source };
        let Some(Open { source, mut hash }) = self.open.take() else { return Err(failed(cut_off())) };
        let wanted = bytes_max.clamp(1, READ_BYTES_MAX);
        let (source, bytes) = match source {
            Source::File(file) => {
                let read = blocking(move || read_file(file, wanted)).await;
                let (file, bytes) = read.map_err(failed.clone())?;
                (Source::File(file), bytes)
            }
            Source::Object(mut object) => {
                let bytes = Vec::from(object.read(wanted).await?);
                (Source::Object(object), bytes)
            }
        };
        if let Some(hash) = &mut hash {
            hash.update(&bytes);
            if bytes.is_empty() {
                check(&self.digest, &text(&hash.clone().finish())).map_err(failed)?;
            }
        }
        self.open = Some(Open { source, hash });
        Ok(bytes)
    }
}

fn open(path: &Path, offset: u64) -> io::Result<Option<File>> {
    let Some(mut file) = if_there(File::open(path))? else { return Ok(None) };
    if offset > 0 {
        file.seek(SeekFrom::Start(offset.min(file.metadata()?.len())))?;
    }
    Ok(Some(file))
}

fn read_file(file: File, wanted: usize) -> io::Result<(File, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(wanted);
    (&file).take(wanted as u64).read_to_end(&mut bytes)?;
    Ok((file, bytes))
}

/// All bytes, verified. None: no such blob.
pub(super) fn whole(place: &Path, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
    let Some(bytes) = if_there(fs::read(place))? else { return Ok(None) };
    check(digest, &Blobs::digest(&bytes))?;
    Ok(Some(bytes))
}

fn check(digest: &Digest, found: &Digest) -> io::Result<()> {
    if found == digest {
        return Ok(());
    }
    let message = format!("blob {digest} is damaged: its bytes have the digest {found}; put it again");
    Err(io::Error::new(ErrorKind::InvalidData, message))
}
