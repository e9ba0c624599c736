//! Reading an object from any byte on, in pieces. Each piece is a request of its own: however slowly somebody reads, no
//! connection has to wait for them, and no time limit of a request ends in the middle.

use std::io;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use super::{Bucket, BucketError, Trouble};
use crate::Error;

/// Bytes of one request: few requests for what is large, and the memory that a reader takes.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;
const READ: &str = "read from";

/// One object, in order. One that is removed meanwhile cannot be read on.
pub(crate) struct ObjectReader {
    bucket: Bucket,
    path: Path,
    /// Of the object: the byte after `piece`, and the length of it all.
    next: u64,
    len: u64,
    piece: Bytes,
}

impl Bucket {
    /// From this byte on; beyond the end there is nothing. None: there is no such object.
    pub(crate) async fn reader(&self, path: &str, offset: u64) -> Result<Option<ObjectReader>, BucketError> {
        let path = self.path(path);
        let (piece, len) = match self.piece(&path, offset).await {
            Ok(read) => read,
            Err(error) if error.trouble == Trouble::Gone => return Ok(None),
            // A store refuses a piece beyond the end: of an empty object, every piece is.
            Err(error) if error.trouble == Trouble::Other => match self.len(&path).await {
                Ok(Some(len)) if len <= offset => (Bytes::new(), len),
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        };
        let next = offset.saturating_add(piece.len() as u64);
        Ok(Some(ObjectReader { bucket: self.clone(), path, next, len, piece }))
    }

    /// Gives all bytes of an object to `take`, in order. False: there is no such object. Err: `Bucket`, and `Blob` with
    /// what `take` said.
    pub async fn read_into(
        &self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<bool, Error> {
        let Some(mut reader) = self.reader(path, 0).await? else { return Ok(false) };
        loop {
            let piece = reader.read(usize::MAX).await?;
            if piece.is_empty() {
                return Ok(true);
            }
            let place = || format!("{}/{path}", self.address());
            take(&piece).map_err(|source| Error::Blob { path: place().into(), source })?;
        }
    }

    /// The bytes from there on, and the length of the object.
    async fn piece(&self, path: &Path, from: u64) -> Result<(Bytes, u64), BucketError> {
        let range = GetRange::Bounded(from..from.saturating_add(PIECE_BYTES));
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        let failed = |source| self.error(READ, source);
        let found = self.shared.store.get_opts(path, options).await.map_err(failed)?;
        let len = found.meta.size;
        Ok((found.bytes().await.map_err(failed)?, len))
    }

    async fn len(&self, path: &Path) -> Result<Option<u64>, BucketError> {
        match self.shared.store.head(path).await {
            Ok(about) => Ok(Some(about.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error(READ, source)),
        }
    }
}

impl ObjectReader {
    /// At most `bytes_max` bytes; an empty answer is the end.
    pub async fn read(&mut self, bytes_max: usize) -> Result<Bytes, BucketError> {
        if self.piece.is_empty() && self.next < self.len {
            let (piece, _) = self.bucket.piece(&self.path, self.next).await?;
            if piece.is_empty() {
                let what = format!("nothing came of bytes {} to {} of {}", self.next, self.len, self.path);
                return Err(BucketError::strange(&self.bucket.shared.options, READ, what));
            }
            self.next += piece.len() as u64;
            self.piece = piece;
        }
        Ok(self.piece.split_to(bytes_max.min(self.piece.len())))
    }
}
