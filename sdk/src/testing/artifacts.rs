//! Artifacts in memory.

use sha2::{Digest, Sha256};

use super::host::Host;
use super::record::StoredArtifact;
use crate::artifacts::{Error, Info};

/// What is stored, the newest last.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    of_tenant: Vec<StoredArtifact>,
    of_execution: Vec<StoredArtifact>,
}

impl Shelf {
    /// A digest, a name of the execution, or a name of the tenant.
    fn find(&self, reference: &str) -> Option<&StoredArtifact> {
        let named = |artifact: &&StoredArtifact| artifact.name.as_deref() == Some(reference);
        let mut all = self.of_execution.iter().chain(&self.of_tenant);
        all.find(|artifact| artifact.info.digest == reference)
            .or_else(|| self.of_execution.iter().rfind(named))
            .or_else(|| self.of_tenant.iter().rfind(named))
    }
}

/// Scripting and looking.
impl Host {
    /// An artifact of the tenant, under this name.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().artifact("notes", "text/plain", b"remember");
    /// let text = std::io::read_to_string(host.context().artifacts().open("notes").unwrap());
    /// assert_eq!(text.unwrap(), "remember");
    /// ```
    #[must_use]
    pub fn artifact<'m>(
        self,
        name: &str,
        media_type: impl Into<Option<&'m str>>,
        bytes: impl AsRef<[u8]>,
    ) -> Self {
        let stored = stored(Some(name), media_type.into(), bytes.as_ref().to_vec());
        self.change().artifacts.of_tenant.push(stored);
        self
    }

    /// Everything that the action stored, in order.
    ///
    /// ```
    /// assert!(quantum_sdk::testing::Host::new().artifacts().is_empty());
    /// ```
    pub fn artifacts(&self) -> Vec<StoredArtifact> {
        self.look().artifacts.of_execution.clone()
    }
}

/// What the context calls.
impl Host {
    pub(crate) fn artifact_stat(&self, reference: &str) -> Result<Option<Info>, Error> {
        Ok(self.look().artifacts.find(reference).map(|artifact| artifact.info.clone()))
    }

    pub(crate) fn artifact_open(&self, reference: &str, offset: u64) -> Result<ArtifactReader, Error> {
        let missing = || Error {
            code: "missing".to_owned(),
            message: format!("there is no artifact \"{reference}\""),
            retryable: false,
        };
        let state = self.look();
        let artifact = state.artifacts.find(reference).ok_or_else(missing)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(ArtifactReader { left: artifact.bytes.get(offset..).unwrap_or_default().to_vec() })
    }

    pub(crate) fn artifact_create(&self, media_type: Option<&str>) -> Result<ArtifactWriter, Error> {
        Ok(ArtifactWriter {
            host: self.clone(),
            media_type: media_type.map(str::to_owned),
            bytes: Vec::new(),
        })
    }
}

/// The rest of an artifact.
#[derive(Debug)]
pub(crate) struct ArtifactReader {
    left: Vec<u8>,
}

impl ArtifactReader {
    /// Empty: the end.
    pub fn read(&mut self, bytes_max: u32) -> Result<Vec<u8>, Error> {
        let bytes = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(self.left.len());
        Ok(self.left.drain(..bytes).collect())
    }
}

/// An artifact that is not stored yet.
#[derive(Debug)]
pub(crate) struct ArtifactWriter {
    host: Host,
    media_type: Option<String>,
    bytes: Vec<u8>,
}

impl ArtifactWriter {
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub fn finish(self, name: Option<&str>) -> Result<Info, Error> {
        let stored = stored(name, self.media_type.as_deref(), self.bytes);
        let info = stored.info.clone();
        self.host.change().artifacts.of_execution.push(stored);
        Ok(info)
    }
}

fn stored(name: Option<&str>, media_type: Option<&str>, bytes: Vec<u8>) -> StoredArtifact {
    let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let info = Info {
        digest: format!("sha256:{hex}"),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        media_type: media_type.map(str::to_owned),
    };
    StoredArtifact { name: name.map(str::to_owned), info, bytes }
}
