//! From a reference to what it means, and to its bytes.

use quantum_core::id::Digest;
use quantum_store::{BlobReader, Error as StoreError, Holder, StoredArtifact};

use super::Artifacts;
use super::name::check_reference;
use crate::Error;

impl Artifacts<'_> {
    /// A reference is a digest, or a name that one of the holders has, in their order. None: there is no such
    /// artifact; whether another tenant has it makes no difference. Err: `InvalidName`.
    pub async fn find(&self, reference: &str, holders: &[Holder]) -> Result<Option<StoredArtifact>, Error> {
        if let Ok(digest) = Digest::new(reference) {
            return Ok(self.stored().get(&digest).await?);
        }
        check_reference(reference)?;
        for holder in holders {
            if let Some(found) = self.stored().by_name(*holder, reference).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Its bytes from the given one on; beyond the end there is nothing. A read from the first to the last one is held
    /// against the digest. Err: `Store` when they are not there.
    pub async fn bytes(&self, artifact: &StoredArtifact, offset: u64) -> Result<BlobReader, Error> {
        let reader = self.effects.shared.blobs.reader(&artifact.digest, offset).await?;
        reader.ok_or_else(|| gone(artifact))
    }
}

pub(super) fn gone(artifact: &StoredArtifact) -> Error {
    let detail = format!(
        "the bytes of {} are not in the folder of artifacts; restore it from a backup, or put them again",
        artifact.digest
    );
    Error::Store(StoreError::Corrupt { what: "an artifact", detail })
}
