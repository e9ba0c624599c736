//! Storing an artifact piece by piece. Its bytes are durable before a row names them, so that no row is without bytes.

use quantum_core::time::Timestamp;
use quantum_store::{BlobWriter, Error as StoreError, Holder, NewArtifact, StoredArtifact, TenantScope};

use super::Artifacts;
use super::name::{check_artifact_name, check_media_type};
use crate::Error;
use crate::effects::Effects;
use crate::effects::unfinished::Reserved;

/// Takes the bytes of one artifact in order. Dropped before `finish`, it leaves nothing behind.
pub struct Upload {
    effects: Effects,
    scope: TenantScope,
    media_type: Option<String>,
    writer: BlobWriter,
    reserved: Reserved,
}

/// What a finished artifact is held by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    pub holder: Holder,
    /// None: its digest.
    pub name: Option<String>,
    /// A principal, or the execution that made it.
    pub by: String,
    pub at: Timestamp,
}

impl Artifacts<'_> {
    /// Nothing is kept before `Upload::finish`. Err: `InvalidName` (the media type).
    pub async fn create(&self, media_type: Option<String>) -> Result<Upload, Error> {
        media_type.as_deref().map_or(Ok(()), check_media_type)?;
        let writer = self.effects.shared.blobs.create().await?;
        let (effects, scope) = (self.effects.clone(), self.scope.clone());
        let reserved = Reserved::new(effects.clone(), scope.tenant().clone());
        Ok(Upload { effects, scope, media_type, writer, reserved })
    }
}

impl Upload {
    /// Err: `ArtifactTooLarge`, `TooManyUnfinished`, `Store`; after the last one nothing more can be written.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let (more, bytes_max) = (bytes.len() as u64, self.effects.options().artifact_bytes_max);
        if self.writer.bytes().saturating_add(more) > bytes_max {
            return Err(Error::ArtifactTooLarge { bytes_max });
        }
        self.reserved.grow(more)?;
        Ok(self.writer.write(bytes).await?)
    }

    /// Durable once it returns. A name that is there is moved to the new content. Err: `InvalidName`, `Quota`,
    /// `Store`.
    pub async fn finish(self, naming: Naming) -> Result<StoredArtifact, Error> {
        naming.name.as_deref().map_or(Ok(()), check_artifact_name)?;
        let artifacts = self.effects.shared.store.artifacts(&self.scope);
        let failed = || StoreError::Corrupt { what: "a draft", detail: "an earlier write failed".into() };
        let digest = self.writer.digest().ok_or_else(failed)?;
        let new = NewArtifact {
            digest,
            bytes: self.writer.bytes(),
            media_type: self.media_type,
            holder: naming.holder,
            name: naming.name,
            by: naming.by,
            at: naming.at,
            quota: self.effects.options().artifacts,
        };
        artifacts.check(&new).await?;
        self.writer.finish(naming.at).await?;
        let stored = artifacts.record(new).await?;
        drop(self.reserved);
        Ok(stored)
    }
}
