//! Artifacts that a tenant knows, and the names that hold them. The bytes are in `Blobs`; a row is what makes them
//! visible to a tenant.

mod read;
mod write;

use quantum_core::id::{Digest, ExecutionId, TenantId};
use quantum_core::time::Timestamp;

use crate::Error;
use crate::database::Columns;
use crate::database::Row;
use crate::scope::TenantScope;
use crate::store::Store;
pub(crate) use read::{list_shapes, sql as read_sql};
pub(crate) use write::{release, sql as write_sql};

/// Whose a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    Tenant,
    /// Goes with the execution.
    Execution(ExecutionId),
}

/// What a tenant knows of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredArtifact {
    pub tenant: TenantId,
    pub digest: Digest,
    pub bytes: u64,
    pub media_type: Option<String>,
    pub created_at: Timestamp,
}

/// A name with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedArtifact {
    pub artifact: StoredArtifact,
    /// Its digest when it has no other name.
    pub name: String,
    /// When it was given last.
    pub at: Timestamp,
    /// A principal, or the execution that made it.
    pub by: String,
}

/// An artifact whose blob is durable, with the name that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArtifact {
    pub digest: Digest,
    pub bytes: u64,
    /// None: as it was known before.
    pub media_type: Option<String>,
    pub holder: Holder,
    /// None: its digest.
    pub name: Option<String>,
    pub by: String,
    pub at: Timestamp,
    pub quota: ArtifactQuota,
}

/// Bounds that are checked in the transaction of the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArtifactQuota {
    /// Of all artifacts of the tenant.
    pub bytes_max: u64,
    /// Of the tenant.
    pub artifacts_max: u64,
    /// Of one holder.
    pub names_max: u64,
}

/// What a tenant's artifacts take together. Those that nothing holds any more count until they are swept, or until
/// their place is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    pub artifacts: u64,
    pub bytes: u64,
}

/// Which names of one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactFilter {
    pub holder: Holder,
    /// Names that begin with it.
    pub prefix: Option<String>,
}

/// The artifacts of one tenant.
pub struct Artifacts<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

impl Holder {
    /// As the column says it.
    fn word(self) -> String {
        match self {
            Self::Tenant => String::new(),
            Self::Execution(id) => id.to_string(),
        }
    }
}

impl Artifacts<'_> {
    fn columns<'r>(&self, row: &'r Row) -> Result<Columns<'r>, Error> {
        Columns::scoped(row, "artifacts", self.scope, &self.store.counters)
    }
}
