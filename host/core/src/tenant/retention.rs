//! How long a tenant's executions are kept after their end.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Days where nothing else is set.
pub const EXECUTIONS_DAYS_DEFAULT: u32 = 30;
/// Days that can be set: ten years, longer than any law that we know of asks for. Over it: 422.
pub const EXECUTIONS_DAYS_MAX: u32 = 3_660;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// Days from the end of an execution to its removal.
    pub executions_days: u32,
    /// Write an execution into the archive before it is removed.
    pub archive: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self { executions_days: EXECUTIONS_DAYS_DEFAULT, archive: false }
    }
}

impl Retention {
    /// Executions that ended at this time or before are kept no longer.
    pub const fn ended_before(&self, now: Timestamp) -> Timestamp {
        // A stored 0 would remove what has just ended, before anybody could read its result.
        let days = if self.executions_days == 0 { 1 } else { self.executions_days };
        let millis = now.as_millis().saturating_sub_unsigned(days as u64 * DAY_MS);
        Timestamp::from_millis(millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_kept_for_whole_days_after_its_end() {
        let now = Timestamp::parse("2026-03-31T12:00:00Z").unwrap();
        let ended = |days| Retention { executions_days: days, archive: false }.ended_before(now).to_string();
        assert_eq!(ended(30), "2026-03-01T12:00:00.000Z");
        assert_eq!(ended(1), "2026-03-30T12:00:00.000Z");
        assert_eq!(ended(0), ended(1), "never at once");
    }
}
