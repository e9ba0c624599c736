//! What is sent behind the head, read piece by piece.

use std::fmt;
use std::io::{self, Read};

use super::{ErrorKind, Fault};

/// Bytes, or whatever gives them.
pub(crate) enum Body<'a> {
    Whole(Vec<u8>),
    Streamed { reader: Box<dyn Read + 'a>, length: Option<u64> },
}

impl Body<'_> {
    /// Bytes; none: not known before the end.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => u64::try_from(bytes.len()).ok(),
            Self::Streamed { length, .. } => *length,
        }
    }

    /// The reader that gives it, once.
    pub fn pieces(&mut self) -> Pieces<'_> {
        let left = self.length();
        match self {
            Self::Whole(bytes) => Pieces { reader: Source::Whole(bytes), left },
            Self::Streamed { reader, .. } => Pieces { reader: Source::Streamed(reader.as_mut()), left },
        }
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length()).finish_non_exhaustive()
    }
}

enum Source<'b> {
    Whole(&'b [u8]),
    Streamed(&'b mut dyn Read),
}

impl Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(bytes) => bytes.read(buffer),
            Self::Streamed(reader) => reader.read(buffer),
        }
    }
}

/// The pieces of a body, held against its announced length.
pub(crate) struct Pieces<'b> {
    reader: Source<'b>,
    left: Option<u64>,
}

impl Pieces<'_> {
    /// Fills the buffer's start; 0 is the end.
    pub fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.reader.read(buffer) {
                Ok(bytes) => return self.count(bytes),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
    }

    fn count(&mut self, bytes: usize) -> Result<usize, Fault> {
        let Some(left) = self.left else { return Ok(bytes) };
        let read = u64::try_from(bytes).unwrap_or(u64::MAX);
        match left.checked_sub(read) {
            None => Err(odd("the body is longer than it was announced")),
            Some(left) if read == 0 && left > 0 => {
                Err(odd(&format!("the body ended {left} bytes before its announced length")))
            }
            Some(left) => {
                self.left = Some(left);
                Ok(bytes)
            }
        }
    }
}

fn odd(reason: &str) -> Fault {
    Fault::new(ErrorKind::RequestBody, reason)
}

/// What was being read may have a failure of its own: an artifact that is missing stays that.
fn unreadable(error: &io::Error) -> Fault {
    let cause = crate::io::typed(error).map(Box::new);
    Fault { cause, ..Fault::new(ErrorKind::RequestBody, format!("the body cannot be read: {error}")) }
}
