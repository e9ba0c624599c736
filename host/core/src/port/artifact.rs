//! Content-addressed bytes of a tenant, with names in an execution or in the tenant.

use super::{BoxFuture, EffectError};
use crate::id::{Digest, ExecutionId, TenantId};

/// Whose artifacts an attempt sees. What it stores gets its name in the execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactScope {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    /// Names of the tenant that may be read, by their beginnings. None: all of them.
    pub name_prefixes: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactInfo {
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    pub media_type: Option<String>,
}

/// Keeps artifacts. A reference is a digest (`sha256:…`), a name of the execution, or a name of the tenant, looked up
/// in this order. Errors: `missing`, `denied`, `too-large`, `quota`, `invalid-name`, `unavailable`.
pub trait ArtifactStore: Send + Sync + 'static {
    /// None: there is no such artifact.
    fn stat(
        &self,
        scope: &ArtifactScope,
        reference: &str,
    ) -> BoxFuture<'static, Result<Option<ArtifactInfo>, EffectError>>;

    /// Reads from this byte on. Err: `missing`.
    fn open(
        &self,
        scope: &ArtifactScope,
        reference: &str,
        offset: u64,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactReader>, EffectError>>;

    /// Nothing is kept of it before `ArtifactWriter::finish`.
    fn create(
        &self,
        scope: &ArtifactScope,
        media_type: Option<String>,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactWriter>, EffectError>>;
}

/// Reads one artifact in order.
pub trait ArtifactReader: Send + 'static {
    /// At most `bytes_max` bytes; an empty answer is the end.
    fn read(&mut self, bytes_max: usize) -> BoxFuture<'_, Result<Vec<u8>, EffectError>>;
}

/// Takes the bytes of one artifact in order. Dropped before `finish`, it leaves nothing behind.
pub trait ArtifactWriter: Send + 'static {
    fn write(&mut self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), EffectError>>;

    /// Durable once it returns. A name that the execution has is moved to the new content; without a name it is found
    /// by its digest, as long as the execution is kept.
    fn finish(self: Box<Self>, name: Option<String>)
    -> BoxFuture<'static, Result<ArtifactInfo, EffectError>>;
}
