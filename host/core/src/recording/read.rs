//! From bytes of anybody to a recording that can be replayed.

use serde::Deserialize;

use super::{RECORDING_FILE_BYTES_MAX, RECORDING_FORMAT, RECORDING_ITEMS_MAX, Recording};

/// Fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("read the recording: it has {bytes} bytes, at most {RECORDING_FILE_BYTES_MAX} are read")]
    TooLarge { bytes: usize },

    #[error("read the recording: it is no recording of an attempt: {0}")]
    NotOne(#[source] serde_json::Error),

    #[error(
        "read the recording: it is of the format {0}, and this program reads {RECORDING_FORMAT}; use the program of the \
         host that made it"
    )]
    Format(u32),

    #[error("read the recording: it is damaged: {0}")]
    Damaged(String),
}

#[derive(Deserialize)]
struct Head {
    recording: u32,
}

impl Recording {
    /// Checked: each answer is one to its call.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.len() > RECORDING_FILE_BYTES_MAX {
            return Err(ReadError::TooLarge { bytes: bytes.len() });
        }
        let head: Head = serde_json::from_slice(bytes).map_err(ReadError::NotOne)?;
        if head.recording != RECORDING_FORMAT {
            return Err(ReadError::Format(head.recording));
        }
        let damaged = |error: serde_json::Error| ReadError::Damaged(error.to_string());
        let recording: Self = serde_json::from_slice(bytes).map_err(damaged)?;
        recording.check().map_err(ReadError::Damaged)?;
        Ok(recording)
    }

    /// JSON text.
    pub fn written(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    fn check(&self) -> Result<(), String> {
        let Self { calls, clocks, random, .. } = self;
        let items = calls.len() + clocks.wall.len() + clocks.monotonic.len() + random.len();
        if items > RECORDING_ITEMS_MAX {
            return Err(format!(
                "it has {items} calls, readings and draws, at most {RECORDING_ITEMS_MAX} are read"
            ));
        }
        if clocks.wall.iter().any(|(_, nanoseconds)| *nanoseconds >= 1_000_000_000) {
            return Err("a reading of the clock has more nanoseconds than a second has".to_owned());
        }
        let odd = calls.iter().position(|call| !call.is_answered_in_kind());
        odd.map_or(Ok(()), |at| Err(format!("the answer to call {} is not one to it", at + 1)))
    }
}
