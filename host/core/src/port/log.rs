//! Log lines and progress of running attempts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{ExecutionId, StepId, TenantId};
use crate::time::Timestamp;

/// Takes log lines and progress of running attempts; never waits.
pub trait LogSink: Send + Sync + 'static {
    fn write(&self, line: LogLine);
}

/// One line, or one progress report, of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    pub step: StepId,
    pub attempt: u32,
    pub at: Timestamp,
    #[serde(flatten)]
    pub entry: LogEntry,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LogEntry {
    StepLog {
        /// trace, debug, info, warn or error.
        level: String,
        message: String,
        #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
        fields: serde_json::Map<String, Value>,
    },
    StepProgress {
        /// 0 to 100.
        percent: u8,
        message: String,
    },
}
