//! Whether the bucket can be read and written: a small object is put, read and deleted.

use std::sync::PoisonError;

use uuid::Uuid;

use super::{Bucket, BucketError};
use crate::Error;

const TEXT: &[u8] = b"quantum looks whether this bucket can be used\n";

impl Bucket {
    /// Err: `Bucket`. What it found is told by `trouble` until the next one.
    pub async fn probe(&self) -> Result<(), Error> {
        let probed = self.try_out(&format!("probes/{}", Uuid::now_v7().simple())).await;
        let found = probed.as_ref().err().map(ToString::to_string);
        *self.shared.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
        probed
    }

    /// What the last probe found, and is wrong.
    pub fn trouble(&self) -> Option<String> {
        self.shared.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn try_out(&self, path: &str) -> Result<(), Error> {
        self.put(path, TEXT.to_vec()).await?;
        let reader = self.reader(path, 0).await?;
        let read = match reader {
            Some(mut reader) => Some(reader.read(TEXT.len() + 1).await?),
            None => None,
        };
        self.delete(path).await?;
        if read.as_deref() == Some(TEXT) {
            return Ok(());
        }
        let what = format!("{path} was written, and not read again as it was");
        Err(BucketError::strange(&self.shared.options, "read from", what).into())
    }
}
