//! A new artifact's bytes, piece by piece.

use std::io::{self, Write};

use super::{Error, Info};
use crate::context::ArtifactWriter;

/// Bytes that are collected before the host is called: small writes need not be calls of their own.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes a new artifact; from [`Artifacts::create`](super::Artifacts::create). It collects small writes.
///
/// ```
/// use std::io::Write;
///
/// let host = quantum_sdk::testing::Host::new();
/// let mut writer = host.context().artifacts().create("text/csv")?;
/// for n in 0..3 {
///     writeln!(writer, "{n}").unwrap();
/// }
/// assert_eq!(writer.finish("numbers")?.size, 6);
/// # Ok::<(), quantum_sdk::artifacts::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    inner: ArtifactWriter,
    collected: Vec<u8>,
}

impl Writer {
    pub(crate) const fn new(inner: ArtifactWriter) -> Self {
        Self { inner, collected: Vec::new() }
    }

    /// Stores what was written. A name lives in the execution, where later steps find it; without one the digest is the
    /// only reference.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new();
    /// let info = host.context().artifacts().create(None)?.finish(None)?;
    /// assert_eq!(host.context().artifacts().stat(&info.digest)?, Some(info));
    /// # Ok::<(), quantum_sdk::artifacts::Error>(())
    /// ```
    pub fn finish<'n>(mut self, name: impl Into<Option<&'n str>>) -> Result<Info, Error> {
        self.send()?;
        self.inner.finish(name.into())
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.collected.len() + bytes.len() < PIECE_BYTES {
            self.collected.extend_from_slice(bytes);
            return Ok(());
        }
        self.send()?;
        bytes.chunks(PIECE_BYTES).try_for_each(|piece| self.inner.write(piece))
    }

    fn send(&mut self) -> Result<(), Error> {
        if self.collected.is_empty() {
            return Ok(());
        }
        self.inner.write(&self.collected)?;
        self.collected.clear();
        Ok(())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes)?;
        Ok(bytes.len())
    }

    /// Hands over what was collected. Nothing is stored before [`Writer::finish`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(self.send()?)
    }
}
