//! What an image is made of besides its layers: descriptors and the manifest, as the OCI image specification has them.

use std::collections::BTreeMap;

use quantum_sdk::artifacts::Info;
use quantum_sdk::prelude::*;

use crate::digest::Digest;

/// Media types of the OCI image specification 1.1.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const LAYER_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// What a base was called, and its digest.
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// Bytes of a manifest or an index: what registries take at least. More is refused.
pub const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;

const SCHEMA_VERSION: u32 = 2;

/// What points to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    /// Docker's and ours have it; in OCI's it may be missing.
    #[serde(default)]
    pub media_type: Option<String>,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub fn of(media_type: &str, info: &Info) -> Result<Self> {
        let digest = Digest::try_from(info.digest.clone())
            .map_err(|reason| Failure::permanent("artifact-invalid", format!("the host stored: {reason}")))?;
        Ok(Self { media_type: media_type.to_owned(), digest, size: info.size })
    }
}

impl Manifest {
    pub fn new(config: Descriptor, layers: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        let media_type = Some(MANIFEST.to_owned());
        Self { schema_version: SCHEMA_VERSION, media_type, config, layers, annotations }
    }

    /// The configuration and the layers, each once.
    pub fn blobs(&self) -> Vec<&Descriptor> {
        let mut blobs: Vec<&Descriptor> = Vec::new();
        for blob in self.layers.iter().chain([&self.config]) {
            if !blobs.iter().any(|known| known.digest == blob.digest) {
                blobs.push(blob);
            }
        }
        blobs
    }
}

/// What a value is as JSON; the values here always have one.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Failure::permanent("invalid-output", error.to_string()))
}
