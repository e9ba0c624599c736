//! An artifact's bytes, piece by piece.

use std::io::{self, Read};

use super::Error;
use crate::context::ArtifactReader;

/// Bytes of one piece at most: what one call moves into the attempt's memory.
const PIECE_BYTES_MAX: usize = 256 * 1024;

/// Reads an artifact; from [`Artifacts::open`](super::Artifacts::open). Every read is a call of the host: put a
/// [`BufReader`](std::io::BufReader) around it to read in small parts.
///
/// ```
/// use std::io::{BufRead, BufReader};
///
/// let host = quantum_sdk::testing::Host::new().artifact("names", None, b"Ada\nGrace\n");
/// let lines = BufReader::new(host.context().artifacts().open("names")?).lines();
/// assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), ["Ada", "Grace"]);
/// # Ok::<(), quantum_sdk::artifacts::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    inner: ArtifactReader,
}

impl Reader {
    pub(crate) const fn new(inner: ArtifactReader) -> Self {
        Self { inner }
    }

    fn next(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let bytes_max = bytes_max.min(PIECE_BYTES_MAX);
        self.inner.read(u32::try_from(bytes_max).unwrap_or(u32::MAX))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.next(buffer.len())?.as_slice().read(buffer)
    }
}
