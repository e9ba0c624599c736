//! The document as a whole.

use serde::{Deserialize, Serialize};

use super::{Call, Data, Ended};
use crate::port::LogEntry;
use crate::vocabulary::Environment;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The format: 1.
    pub recording: u32,
    pub inputs: Inputs,
    pub calls: Vec<Call>,
    pub clocks: Clocks,
    /// Each draw of random bytes.
    pub random: Vec<Data>,
    /// How often the guest asked whether it was cancelled until it was. None: it never was told so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<u64>,
    /// What the guest said. No replay needs it.
    pub lines: Vec<LogEntry>,
    /// None: everything is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    pub ended: Ended,
}

/// What the attempt began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// `namespace:name`.
    pub plugin: String,
    pub version: String,
    /// Digest of the component.
    pub component: String,
    pub action: String,
    pub environment: Environment,
    pub execution: String,
    pub step: String,
    pub attempt: u32,
    pub idempotency_key: String,
    /// Milliseconds since the Unix epoch.
    pub deadline: Option<i64>,
    pub timeout_ms: u64,
    pub dry_run: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// JSON text, as the guest was given it.
    pub config: String,
    /// JSON text, as the guest was given it.
    pub parameters: String,
}

/// Readings, in the order in which the guest took them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// Seconds since the Unix epoch, and nanoseconds.
    pub wall: Vec<(u64, u32)>,
    /// Nanoseconds since some moment.
    pub monotonic: Vec<u64>,
}

/// From here on nothing was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Calls that were kept.
    pub calls: u64,
    pub why: CutWhy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutWhy {
    /// It has all the bytes that a recording may have.
    Bytes,
    /// An answer was encoded, so that nobody could see whether a secret is in it.
    Encoded,
}

impl CutWhy {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Bytes => "a recording has at most 4 MiB",
            Self::Encoded => {
                "an answer with a content-encoding came to an attempt that had used a secret, and nobody can see whether \
                 the secret is in it"
            }
        }
    }
}
