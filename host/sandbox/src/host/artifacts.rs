//! `quantum:artifacts/artifacts`: content-addressed bytes, in and out as streams.

use quantum_core::port::{ArtifactReader, ArtifactWriter, EffectError};
use quantum_core::vocabulary::Capability;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::Resource;

use super::bindings::effects::quantum::artifacts::artifacts::{
    ArtifactError, ArtifactInfo, Host, HostReader, HostWriter,
};
use crate::attempt::Guest;
use crate::limits::{ARTIFACT_READ_BYTES_MAX, ARTIFACT_WORD_BYTES_MAX};

type Answer<T> = wasmtime::Result<Result<T, ArtifactError>>;

/// An artifact that a guest reads.
pub struct Reader {
    inner: Box<dyn ArtifactReader>,
    _place: OwnedSemaphorePermit,
}

/// An artifact that a guest writes. Dropped before `finish`, it leaves nothing behind.
pub struct Writer {
    /// None: finished.
    inner: Option<Box<dyn ArtifactWriter>>,
    _place: OwnedSemaphorePermit,
}

impl Host for Guest {
    async fn stat(&mut self, reference: String) -> Answer<Option<ArtifactInfo>> {
        let effects = self.effects(Capability::Artifacts)?;
        if let Err(error) = admit(Some(&reference)) {
            return Ok(Err(told(error)));
        }
        let found = effects.artifacts.stat(&effects.scope, &reference).await;
        Ok(found.map(|found| found.map(info)).map_err(told))
    }

    async fn open(&mut self, reference: String, offset: u64) -> Answer<Resource<Reader>> {
        let effects = self.effects(Capability::Artifacts)?;
        let place = match admit(Some(&reference)).and_then(|()| effects.place()) {
            Ok(place) => place,
            Err(error) => return Ok(Err(told(error))),
        };
        match effects.artifacts.open(&effects.scope, &reference, offset).await {
            Ok(inner) => Ok(Ok(self.table().push(Reader { inner, _place: place })?)),
            Err(error) => Ok(Err(told(error))),
        }
    }

    async fn create(&mut self, media_type: Option<String>) -> Answer<Resource<Writer>> {
        let effects = self.effects(Capability::Artifacts)?;
        let place = match admit(media_type.as_ref()).and_then(|()| effects.place()) {
            Ok(place) => place,
            Err(error) => return Ok(Err(told(error))),
        };
        match effects.artifacts.create(&effects.scope, media_type).await {
            Ok(inner) => Ok(Ok(self.table().push(Writer { inner: Some(inner), _place: place })?)),
            Err(error) => Ok(Err(told(error))),
        }
    }
}

impl HostReader for Guest {
    async fn read(&mut self, reader: Resource<Reader>, max: u32) -> Answer<Vec<u8>> {
        let bytes_max = usize::try_from(max.min(ARTIFACT_READ_BYTES_MAX)).unwrap_or(0);
        let reader = self.table().get_mut(&reader)?;
        let read = match bytes_max {
            0 => Ok(Vec::new()),
            _ => reader.inner.read(bytes_max).await,
        };
        if let Ok(bytes) = &read {
            self.effects(Capability::Artifacts)?.moved.load(bytes.len());
        }
        Ok(read.map_err(told))
    }

    async fn drop(&mut self, reader: Resource<Reader>) -> wasmtime::Result<()> {
        self.table().delete(reader)?;
        Ok(())
    }
}

impl HostWriter for Guest {
    async fn write(&mut self, writer: Resource<Writer>, bytes: Vec<u8>) -> Answer<()> {
        self.effects(Capability::Artifacts)?.moved.store(bytes.len());
        let written = match &mut self.table().get_mut(&writer)?.inner {
            Some(inner) => inner.write(bytes).await,
            None => Err(finished()),
        };
        Ok(written.map_err(told))
    }

    async fn finish(&mut self, writer: Resource<Writer>, name: Option<String>) -> Answer<ArtifactInfo> {
        if let Err(error) = admit(name.as_ref()) {
            return Ok(Err(told(error)));
        }
        let stored = match self.table().get_mut(&writer)?.inner.take() {
            Some(inner) => inner.finish(name).await,
            None => Err(finished()),
        };
        Ok(stored.map(info).map_err(told))
    }

    async fn drop(&mut self, writer: Resource<Writer>) -> wasmtime::Result<()> {
        self.table().delete(writer)?;
        Ok(())
    }
}

fn admit(word: Option<&String>) -> Result<(), EffectError> {
    if word.is_some_and(|word| word.len() > ARTIFACT_WORD_BYTES_MAX) {
        let message = format!(
            "references, names and media types of artifacts have at most {ARTIFACT_WORD_BYTES_MAX} bytes"
        );
        return Err(EffectError::new("invalid-name", message));
    }
    Ok(())
}

fn finished() -> EffectError {
    EffectError::new("finished", "the artifact was finished before; create another one")
}

fn info(info: quantum_core::port::ArtifactInfo) -> ArtifactInfo {
    ArtifactInfo { digest: info.digest.to_string(), size: info.size, media_type: info.media_type }
}

fn told(error: EffectError) -> ArtifactError {
    ArtifactError { code: error.code.to_owned(), message: error.message, retryable: error.retryable }
}
