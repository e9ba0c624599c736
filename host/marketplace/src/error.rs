//! Why a file is not a plugin.

use crate::package::MANIFEST_BYTES_MAX;
use quantum_core::limits::COMPONENT_BYTES_MAX;

/// Texts fit after "failed to read the plugin: ".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the file has {bytes} bytes, and a component has at most {COMPONENT_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("the file is not WebAssembly; name a component that was made with: quantum plugin build")]
    NotWasm,
    #[error("the file is a core module, not a component; build it for the target wasm32-wasip2")]
    CoreModule,
    #[error("the file is not a valid component: {reason} (at byte {at})")]
    Invalid { reason: String, at: u64 },
    #[error("the component has no manifest; make it with: quantum plugin build")]
    ManifestMissing,
    #[error("the component has more than one manifest; build it again with: quantum plugin build")]
    ManifestTwice,
    #[error("the component has a manifest already; append to a component that cargo built")]
    ManifestPresent,
    #[error("the manifest has {bytes} bytes, and {MANIFEST_BYTES_MAX} are the most")]
    ManifestTooLarge { bytes: usize },
    #[error("the manifest is not UTF-8")]
    ManifestNotText,
    #[error("the manifest does not fit this host: {0}")]
    ManifestUnreadable(#[source] serde_json::Error),
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Invalid {
            reason: error.message().to_owned(),
            at: u64::try_from(error.offset()).unwrap_or(u64::MAX),
        }
    }
}
