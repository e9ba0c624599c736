//! Artifacts: what they are called, and what is known of their bytes.

use quantum_catalog::{NamedArtifact, StoredArtifact};
use serde::Serialize;
use utoipa::ToSchema;

/// A name with what it holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Artifact)]
pub(crate) struct ArtifactBody {
    /// Its digest when it has no other name.
    pub name: String,
    /// `sha256:` and 64 hex digits.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    pub media_type: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Who stored it: a person, a service account, or an execution.
    pub created_by: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ArtifactPage {
    pub items: Vec<ArtifactBody>,
    pub next_page_token: Option<String>,
}

impl ArtifactBody {
    pub fn new(name: String, artifact: &StoredArtifact, by: String) -> Self {
        Self {
            name,
            digest: artifact.digest.to_string(),
            size: artifact.bytes,
            media_type: artifact.media_type.clone(),
            created_at: artifact.created_at.to_string(),
            created_by: by,
        }
    }
}

impl From<NamedArtifact> for ArtifactBody {
    fn from(named: NamedArtifact) -> Self {
        let created_at = named.at.to_string();
        Self { created_at, ..Self::new(named.name, &named.artifact, named.by) }
    }
}
