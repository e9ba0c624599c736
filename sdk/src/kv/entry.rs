//! A stored value.

use serde::de::DeserializeOwned;

use super::Error;

/// A value with its revision.
///
/// ```
/// let host = quantum_sdk::testing::Host::new().kv_entry("seen", b"[1,2]");
/// let entry = host.context().kv().get("seen")?.unwrap();
/// assert_eq!(entry.value, b"[1,2]");
/// # Ok::<(), quantum_sdk::kv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes.
    pub value: Vec<u8>,
    /// Another one after every write.
    pub revision: u64,
}

impl Entry {
    /// The value read as JSON; an error that names the path when it does not fit.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().kv_entry("seen", b"[1,2]");
    /// let entry = host.context().kv().get("seen")?.unwrap();
    /// assert_eq!(entry.json::<Vec<u8>>()?, [1, 2]);
    /// assert_eq!(entry.json::<bool>().unwrap_err().code, "invalid-value");
    /// # Ok::<(), quantum_sdk::kv::Error>(())
    /// ```
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let fail = |reason: String| Error {
            code: "invalid-value".to_owned(),
            message: format!("the stored value does not fit: {reason}"),
            retryable: false,
        };
        let text = std::str::from_utf8(&self.value).map_err(|_| fail("it is not UTF-8".to_owned()))?;
        crate::json::read(text).map_err(fail)
    }
}
