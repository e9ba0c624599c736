//! What a commit must be in itself, before the database is asked.

use super::Commit;
use crate::CommitError;

/// INVARIANT: events that reach the journal are consecutive from `expected_version + 1`; `last_seq` relies on it.
pub(super) fn consistent(commit: &Commit) -> Result<(), CommitError> {
    let invalid = |reason: String| Err(CommitError::Invalid { reason });
    if commit.events.is_empty() {
        return invalid("it has no events".into());
    }
    for (event, expected) in commit.events.iter().zip(commit.expected_version + 1..) {
        if event.seq != expected {
            return invalid(format!("event {} stands where {expected} is due", event.seq));
        }
    }
    if commit.create.is_some() != (commit.expected_version == 0) {
        return invalid("an execution is created with its first event and only then".into());
    }
    Ok(())
}
