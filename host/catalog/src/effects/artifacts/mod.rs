//! Artifacts of one tenant: content by digest, held by names in an execution or in the tenant.

mod find;
mod name;
mod put;

use quantum_core::id::Digest;
use quantum_core::time::Timestamp;
use quantum_store::{
    ArtifactFilter, Artifacts as StoredArtifacts, Holder, NamedArtifact, Page, PageRequest, TenantScope,
    Usage,
};

use super::Effects;
use crate::Error;
pub use name::check_artifact_name;
pub use put::{Naming, Upload};

/// Names up to here begin with a control character, which no artifact's does: they are the host's own.
const HIDDEN: &str = "\u{1f}";

/// The artifacts of one tenant.
pub struct Artifacts<'a> {
    pub(super) effects: &'a Effects,
    pub(super) scope: &'a TenantScope,
}

impl Artifacts<'_> {
    /// By name; what has no name is listed under its digest. Err: `PageToken`.
    pub async fn list(
        &self,
        filter: &ArtifactFilter,
        page: PageRequest,
    ) -> Result<Page<NamedArtifact>, Error> {
        let after = page.after.filter(|after| after.as_str() > HIDDEN).or_else(|| Some(HIDDEN.to_owned()));
        Ok(self.stored().list(filter, PageRequest { after, ..page }).await?)
    }

    /// Takes the name away. What no other name holds is kept for another day, for those who know its digest, unless
    /// its place is needed. Err: `NotFound`.
    pub async fn remove(&self, holder: Holder, name: &str, at: Timestamp) -> Result<(), Error> {
        match self.stored().remove_name(holder, name, at).await? {
            true => Ok(()),
            false => Err(Error::not_found("artifact", name)),
        }
    }

    /// What all of them take together.
    pub async fn usage(&self) -> Result<Usage, Error> {
        Ok(self.stored().usage().await?)
    }

    /// Reads the bytes of an artifact that the tenant has, and holds them against the digest. Err: `NotFound`, `Store`
    /// when they are damaged or gone.
    pub async fn verify(&self, digest: &Digest) -> Result<(), Error> {
        let found = self.stored().get(digest).await?;
        let found = found.ok_or_else(|| Error::not_found("artifact", digest))?;
        match self.effects.shared.blobs.verify(&found.digest).await? {
            true => Ok(()),
            false => Err(find::gone(&found)),
        }
    }

    fn stored(&self) -> StoredArtifacts<'_> {
        self.effects.shared.store.artifacts(self.scope)
    }
}
