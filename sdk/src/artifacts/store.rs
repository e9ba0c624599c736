//! Finding, opening and storing artifacts.

use super::{Error, Info, Reader, Writer};
use crate::context::Host;

/// The artifacts that this attempt may use; from [`Context::artifacts`](crate::Context::artifacts).
///
/// A reference is a digest, a name of this execution, or a name of the tenant, looked for in this order.
///
/// ```
/// use std::io::Read;
///
/// let host = quantum_sdk::testing::Host::new().artifact("notes", "text/plain", b"remember");
/// let ctx = host.context();
/// let mut text = String::new();
/// ctx.artifacts().open("notes")?.read_to_string(&mut text).unwrap();
/// assert_eq!(text, "remember");
/// # Ok::<(), quantum_sdk::artifacts::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Artifacts<'a> {
    host: &'a Host,
}

impl<'a> Artifacts<'a> {
    pub(crate) const fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// What is known of an artifact; none when there is no such one.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().artifact("notes", None, b"remember");
    /// let ctx = host.context();
    /// assert_eq!(ctx.artifacts().stat("notes")?.unwrap().size, 8);
    /// assert_eq!(ctx.artifacts().stat("other")?, None);
    /// # Ok::<(), quantum_sdk::artifacts::Error>(())
    /// ```
    pub fn stat(&self, reference: &str) -> Result<Option<Info>, Error> {
        self.host.artifact_stat(reference)
    }

    /// Reads an artifact from its start.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().artifact("notes", None, b"remember");
    /// assert_eq!(std::io::read_to_string(host.context().artifacts().open("notes")?).unwrap(), "remember");
    /// # Ok::<(), quantum_sdk::artifacts::Error>(())
    /// ```
    pub fn open(&self, reference: &str) -> Result<Reader, Error> {
        self.open_at(reference, 0)
    }

    /// Reads an artifact from this byte on; at its end or behind it there is nothing to read.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().artifact("notes", None, b"remember");
    /// assert_eq!(std::io::read_to_string(host.context().artifacts().open_at("notes", 2)?).unwrap(), "member");
    /// # Ok::<(), quantum_sdk::artifacts::Error>(())
    /// ```
    pub fn open_at(&self, reference: &str, offset: u64) -> Result<Reader, Error> {
        Ok(Reader::new(self.host.artifact_open(reference, offset)?))
    }

    /// Begins a new artifact; it is stored by [`Writer::finish`], and forgotten when the writer is dropped before.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let host = quantum_sdk::testing::Host::new();
    /// let mut writer = host.context().artifacts().create("text/plain")?;
    /// write!(writer, "remember").unwrap();
    /// writer.finish("notes")?;
    /// assert_eq!(host.artifacts()[0].bytes, b"remember");
    /// # Ok::<(), quantum_sdk::artifacts::Error>(())
    /// ```
    pub fn create<'m>(&self, media_type: impl Into<Option<&'m str>>) -> Result<Writer, Error> {
        Ok(Writer::new(self.host.artifact_create(media_type.into())?))
    }

    /// Stores bytes that are in memory already. A name lives in the execution, where later steps find it.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new();
    /// host.context().artifacts().put("notes", None, b"remember")?;
    /// assert_eq!(host.artifacts()[0].name.as_deref(), Some("notes"));
    /// # Ok::<(), quantum_sdk::artifacts::Error>(())
    /// ```
    pub fn put<'n, 'm>(
        &self,
        name: impl Into<Option<&'n str>>,
        media_type: impl Into<Option<&'m str>>,
        bytes: &[u8],
    ) -> Result<Info, Error> {
        let mut writer = self.create(media_type)?;
        writer.put(bytes)?;
        writer.finish(name)
    }
}
