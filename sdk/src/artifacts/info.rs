//! What is known of a stored artifact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An artifact's address, size and type. It can stand in an action's result, for later steps to read it.
///
/// ```
/// let host = quantum_sdk::testing::Host::new();
/// let info = host.context().artifacts().put("note", "text/plain", b"hi").unwrap();
/// assert_eq!((info.size, info.media_type.as_deref()), (2, Some("text/plain")));
/// assert!(info.digest.starts_with("sha256:8f434346"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Info {
    /// `sha256:` and 64 lowercase hex digits.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// For example `application/gzip`, as whoever stored it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}
