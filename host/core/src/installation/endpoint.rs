//! Where a host that documents name really is.

use serde::{Deserialize, Serialize};

/// Applied by the host, so that `azurecr.io` in a document can mean a registry on the local network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    /// `http://127.0.0.1:5000`: scheme, host and port that requests go to instead. None: the host itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Certificate authorities in PEM that are trusted there, beside the web's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}
