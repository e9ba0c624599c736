//! `quantum:artifacts/artifacts`: content-addressed bytes, in and out as streams.

use quantum_core::port::{ArtifactReader, ArtifactWriter, EffectError};
use quantum_core::recording::{Asked, Data, RecordedArtifact, Refusal};
use quantum_core::vocabulary::Capability;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::Resource;

use super::bindings::effects::quantum::artifacts::artifacts::{
    ArtifactError, ArtifactInfo, Host, HostReader, HostWriter,
};
use super::effects::Effects;
use crate::attempt::Guest;
use crate::limits::{ARTIFACT_READ_BYTES_MAX, ARTIFACT_WORD_BYTES_MAX};

type Answer<T> = wasmtime::Result<Result<T, ArtifactError>>;

/// An artifact that a guest reads.
pub struct Reader {
    /// None: in a replay.
    inner: Option<Opened<dyn ArtifactReader>>,
    /// As a recording calls it.
    number: u64,
}

/// An artifact that a guest writes. Dropped before `finish`, it leaves nothing behind.
pub struct Writer {
    /// None: finished, or in a replay.
    inner: Option<Opened<dyn ArtifactWriter>>,
    /// As a recording calls it.
    number: u64,
}

/// With its place among those that are open at once.
struct Opened<T: ?Sized> {
    stream: Box<T>,
    _place: OwnedSemaphorePermit,
}

impl Host for Guest {
    async fn stat(&mut self, reference: String) -> Answer<Option<ArtifactInfo>> {
        let (effects, tape) = self.taped_effects(Capability::Artifacts)?;
        let asked = tape.asks(|| Asked::ArtifactStat { reference: reference.clone() });
        let told = tape.effect(asked, stat(effects, &reference)).await?;
        Ok(told.map(|found| found.map(info)).map_err(refused))
    }

    async fn open(&mut self, reference: String, offset: u64) -> Answer<Resource<Reader>> {
        let (effects, tape) = self.taped_effects(Capability::Artifacts)?;
        let asked = tape.asks(|| Asked::ArtifactOpen { reference: reference.clone(), offset });
        let mut inner = None;
        let work = async { open(effects, &reference, offset).await.map(|opened| inner = Some(opened)) };
        if let Err(refusal) = tape.effect(asked, work).await? {
            return Ok(Err(refused(refusal)));
        }
        let number = self.effects(Capability::Artifacts)?.next_reader();
        Ok(Ok(self.table().push(Reader { inner, number })?))
    }

    async fn create(&mut self, media_type: Option<String>) -> Answer<Resource<Writer>> {
        let (effects, tape) = self.taped_effects(Capability::Artifacts)?;
        let asked = tape.asks(|| Asked::ArtifactCreate { media_type: media_type.clone() });
        let mut inner = None;
        let work = async { create(effects, media_type).await.map(|opened| inner = Some(opened)) };
        if let Err(refusal) = tape.effect(asked, work).await? {
            return Ok(Err(refused(refusal)));
        }
        let number = self.effects(Capability::Artifacts)?.next_writer();
        Ok(Ok(self.table().push(Writer { inner, number })?))
    }
}

impl HostReader for Guest {
    async fn read(&mut self, reader: Resource<Reader>, max: u32) -> Answer<Vec<u8>> {
        let bytes_max = usize::try_from(max.min(ARTIFACT_READ_BYTES_MAX)).unwrap_or(0);
        let tape = self.tape.clone();
        let Reader { inner, number } = self.table().get_mut(&reader)?;
        let asked = tape.asks(|| Asked::ArtifactRead { reader: *number, max });
        let work = async {
            match inner {
                Some(inner) if bytes_max > 0 => inner.stream.read(bytes_max).await.map(Data),
                _ => Ok(Data::default()),
            }
        };
        let read = tape.effect(asked, work).await?;
        if let Ok(bytes) = &read {
            self.effects(Capability::Artifacts)?.moved.load(bytes.0.len());
        }
        Ok(read.map(|bytes| bytes.0).map_err(refused))
    }

    async fn drop(&mut self, reader: Resource<Reader>) -> wasmtime::Result<()> {
        self.table().delete(reader)?;
        Ok(())
    }
}

impl HostWriter for Guest {
    async fn write(&mut self, writer: Resource<Writer>, bytes: Vec<u8>) -> Answer<()> {
        let (effects, tape) = self.taped_effects(Capability::Artifacts)?;
        effects.moved.store(bytes.len());
        let Writer { inner, number } = self.table().get_mut(&writer)?;
        let asked = tape.asks(|| Asked::ArtifactWrite { writer: *number, bytes: Data(bytes.clone()) });
        let work = async {
            match inner {
                Some(inner) => inner.stream.write(bytes).await,
                None => Err(finished()),
            }
        };
        Ok(tape.effect(asked, work).await?.map_err(refused))
    }

    async fn finish(&mut self, writer: Resource<Writer>, name: Option<String>) -> Answer<ArtifactInfo> {
        let (effects, tape) = self.taped_effects(Capability::Artifacts)?;
        let installed = effects.check_installed();
        let Writer { inner, number } = self.table().get_mut(&writer)?;
        let asked = tape.asks(|| Asked::ArtifactFinish { writer: *number, name: name.clone() });
        let work = async {
            installed?;
            admit(name.as_ref())?;
            match inner.take() {
                Some(inner) => inner.stream.finish(name).await.map(recorded),
                None => Err(finished()),
            }
        };
        Ok(tape.effect(asked, work).await?.map(info).map_err(refused))
    }

    async fn drop(&mut self, writer: Resource<Writer>) -> wasmtime::Result<()> {
        self.table().delete(writer)?;
        Ok(())
    }
}

async fn stat(effects: &Effects, reference: &String) -> Result<Option<RecordedArtifact>, EffectError> {
    effects.check_installed()?;
    admit(Some(reference))?;
    Ok(effects.artifacts.stat(&effects.scope, reference).await?.map(recorded))
}

async fn open(
    effects: &Effects,
    reference: &String,
    offset: u64,
) -> Result<Opened<dyn ArtifactReader>, EffectError> {
    effects.check_installed()?;
    admit(Some(reference))?;
    let place = effects.place()?;
    let stream = effects.artifacts.open(&effects.scope, reference, offset).await?;
    Ok(Opened { stream, _place: place })
}

async fn create(
    effects: &Effects,
    media_type: Option<String>,
) -> Result<Opened<dyn ArtifactWriter>, EffectError> {
    effects.check_installed()?;
    admit(media_type.as_ref())?;
    let place = effects.place()?;
    let stream = effects.artifacts.create(&effects.scope, media_type).await?;
    Ok(Opened { stream, _place: place })
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

fn recorded(info: quantum_core::port::ArtifactInfo) -> RecordedArtifact {
    RecordedArtifact { digest: info.digest.to_string(), size: info.size, media_type: info.media_type }
}

fn info(artifact: RecordedArtifact) -> ArtifactInfo {
    ArtifactInfo { digest: artifact.digest, size: artifact.size, media_type: artifact.media_type }
}

fn refused(refusal: Refusal) -> ArtifactError {
    ArtifactError { code: refusal.code, message: refusal.message, retryable: refusal.retryable }
}
