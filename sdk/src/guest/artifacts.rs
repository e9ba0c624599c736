//! Artifacts, from inside a component.

use super::Host;
use crate::artifacts::{Error, Info};
use crate::bindings::quantum::artifacts::artifacts;

impl Host {
    pub fn artifact_stat(&self, reference: &str) -> Result<Option<Info>, Error> {
        artifacts::stat(reference).map(|known| known.map(info)).map_err(error)
    }

    pub fn artifact_open(&self, reference: &str, offset: u64) -> Result<ArtifactReader, Error> {
        artifacts::open(reference, offset).map(|inner| ArtifactReader { inner }).map_err(error)
    }

    pub fn artifact_create(&self, media_type: Option<&str>) -> Result<ArtifactWriter, Error> {
        artifacts::create(media_type).map(|inner| ArtifactWriter { inner }).map_err(error)
    }
}

/// The host's reader.
#[derive(Debug)]
pub(crate) struct ArtifactReader {
    inner: artifacts::Reader,
}

impl ArtifactReader {
    /// Empty: the end.
    pub fn read(&mut self, bytes_max: u32) -> Result<Vec<u8>, Error> {
        self.inner.read(bytes_max).map_err(error)
    }
}

/// The host's writer.
#[derive(Debug)]
pub(crate) struct ArtifactWriter {
    inner: artifacts::Writer,
}

impl ArtifactWriter {
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.inner.write(bytes).map_err(error)
    }

    pub fn finish(self, name: Option<&str>) -> Result<Info, Error> {
        self.inner.finish(name).map(info).map_err(error)
    }
}

fn info(info: artifacts::ArtifactInfo) -> Info {
    Info { digest: info.digest, size: info.size, media_type: info.media_type }
}

fn error(error: artifacts::ArtifactError) -> Error {
    Error { code: error.code, message: error.message, retryable: error.retryable }
}
