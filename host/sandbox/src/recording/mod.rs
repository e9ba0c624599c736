//! Recording an attempt, and making it again from its recording. All that a guest is told from outside of the sandbox
//! goes by a tape: it is off, takes down what was told, or tells it again.

mod failure;
mod recorder;
mod redact;
mod replayer;
mod request;

use std::future::Future;
use std::sync::Arc;

use quantum_core::port::EffectError;
use quantum_core::recording::{Answer, Asked, Refusal, Told};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::attempt::CpuMeter;
pub(crate) use recorder::Recorder;
pub use replayer::Replayed;
pub(crate) use replayer::Replayer;
pub(crate) use request::{recorded, replayed};

#[derive(Clone, Default)]
pub(crate) enum Tape {
    #[default]
    Off,
    Record(Arc<Recorder>),
    Replay(Arc<Replayer>),
}

impl Tape {
    pub fn recorder(&self) -> Option<&Arc<Recorder>> {
        if let Self::Record(recorder) = self { Some(recorder) } else { None }
    }

    pub fn replayer(&self) -> Option<&Arc<Replayer>> {
        if let Self::Replay(replayer) = self { Some(replayer) } else { None }
    }

    /// None when it is off: what nobody takes down is not copied.
    pub fn asks(&self, asked: impl FnOnce() -> Asked) -> Option<Asked> {
        if matches!(self, Self::Off) { None } else { Some(asked()) }
    }

    /// The work, or in a replay what came of it when it was recorded.
    pub async fn effect<T: Serialize + DeserializeOwned>(
        &self,
        asked: Option<Asked>,
        work: impl Future<Output = Result<T, EffectError>>,
    ) -> wasmtime::Result<Told<T>> {
        match (self, asked) {
            (Self::Replay(replayer), Some(asked)) => Ok(replayer.answer(&asked)?),
            (Self::Record(recorder), Some(asked)) => {
                let place = recorder.begin(asked);
                let told = work.await.map_err(refusal);
                recorder.end(place, || Answer::of(&told));
                Ok(told)
            }
            _ => Ok(work.await.map_err(refusal)),
        }
    }

    pub fn wall(&self, read: impl FnOnce() -> wasmtime::Result<(u64, u32)>) -> wasmtime::Result<(u64, u32)> {
        if let Some(now) = self.replayer().and_then(|replayer| replayer.wall()) {
            return Ok(now);
        }
        let now = read()?;
        if let Self::Record(recorder) = self {
            recorder.wall(now);
        }
        Ok(now)
    }

    pub fn monotonic(&self, read: impl FnOnce() -> wasmtime::Result<u64>) -> wasmtime::Result<u64> {
        if let Some(now) = self.replayer().and_then(|replayer| replayer.monotonic()) {
            return Ok(now);
        }
        let now = read()?;
        if let Self::Record(recorder) = self {
            recorder.monotonic(now);
        }
        Ok(now)
    }

    pub fn random(
        &self,
        bytes: u64,
        draw: impl FnOnce() -> wasmtime::Result<Vec<u8>>,
    ) -> wasmtime::Result<Vec<u8>> {
        if let Self::Replay(replayer) = self {
            return Ok(replayer.random(bytes)?);
        }
        let drawn = draw()?;
        if let Self::Record(recorder) = self {
            recorder.random(&drawn);
        }
        Ok(drawn)
    }

    /// Never, unless a replay has left its recording.
    pub async fn has_stopped(&self, meter: &CpuMeter) {
        match self {
            Self::Replay(replayer) => replayer.has_stopped(meter).await,
            _ => std::future::pending().await,
        }
    }

    pub fn cancelled(&self, is_raised: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Off => is_raised(),
            Self::Record(recorder) => recorder.cancelled(is_raised()),
            Self::Replay(replayer) => replayer.cancelled(),
        }
    }
}

pub(crate) fn refusal(error: EffectError) -> Refusal {
    Refusal { code: error.code.to_owned(), message: error.message, retryable: error.retryable }
}
