//! Reading: whole, or piece by piece; what is read from its first byte to its last is held against the digest.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use quantum_core::id::Digest;

use super::place::{place, text};
use super::{Blobs, blocking};
use crate::Error;

/// Bytes of one read at most: the memory that a reader takes.
const READ_BYTES_MAX: usize = 1024 * 1024;

/// Reads one blob in order. A blob that is removed meanwhile can be read to its end.
pub struct BlobReader {
    path: PathBuf,
    digest: Digest,
    /// None: an earlier read failed, or its caller went away in the middle of it.
    open: Option<Open>,
}

struct Open {
    file: File,
    /// None when it was not opened at the first byte.
    hash: Option<Context>,
}

impl Blobs {
    /// From this byte on; beyond the end there is nothing. None: no such blob.
    pub async fn reader(&self, digest: &Digest, offset: u64) -> Result<Option<BlobReader>, Error> {
        let path = place(&self.root, digest);
        let opened = path.clone();
        let open = self.blocking(move || Open::new(&opened, offset)).await?;
        Ok(open.map(|open| BlobReader { path, digest: digest.clone(), open: Some(open) }))
    }

    /// Reads it all. False: no such blob. Err when the bytes do not have the digest.
    pub async fn verify(&self, digest: &Digest) -> Result<bool, Error> {
        let Some(mut reader) = self.reader(digest, 0).await? else { return Ok(false) };
        while !reader.read(READ_BYTES_MAX).await?.is_empty() {}
        Ok(true)
    }
}

impl BlobReader {
    /// At most `bytes_max` bytes (and 1 MiB); an empty answer is the end. Err: `Blob`, at the end also when the bytes
    /// that were read do not have the digest.
    pub async fn read(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let cut_off = || io::Error::new(ErrorKind::BrokenPipe, "an earlier read of the blob was cut off");
        let (open, digest) = (self.open.take(), self.digest.clone());
        let read = blocking(move || {
            let mut open = open.ok_or_else(cut_off)?;
            let bytes = open.read(bytes_max, &digest)?;
            Ok((open, bytes))
        });
        let (open, bytes) = read.await.map_err(|source| Error::Blob { path: self.path.clone(), source })?;
        self.open = Some(open);
        Ok(bytes)
    }
}

impl Open {
    fn new(path: &Path, offset: u64) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if offset > 0 {
            file.seek(SeekFrom::Start(offset.min(file.metadata()?.len())))?;
        }
        let hash = (offset == 0).then(|| Context::new(&SHA256));
        Ok(Some(Self { file, hash }))
    }

    fn read(&mut self, bytes_max: usize, digest: &Digest) -> io::Result<Vec<u8>> {
        let wanted = bytes_max.clamp(1, READ_BYTES_MAX);
        let mut bytes = Vec::with_capacity(wanted);
        (&mut self.file).take(wanted as u64).read_to_end(&mut bytes)?;
        let Some(hash) = &mut self.hash else { return Ok(bytes) };
        hash.update(&bytes);
        if bytes.is_empty() {
            check(digest, &text(&hash.clone().finish()))?;
        }
        Ok(bytes)
    }
}

/// All bytes, verified. None: no such blob.
pub(super) fn whole(place: &Path, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
    let bytes = match fs::read(place) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
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
