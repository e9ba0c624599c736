//! Which commits of a batch hold. Pure: the database was asked before, for all of them at once.
//!
//! The writer is alone inside BEGIN IMMEDIATE, so what was read still holds when it is written.

use std::collections::HashMap;

use quantum_core::id::{ExecutionId, TenantId};

use super::{Commit, CommitOutcome};
use crate::CommitError;
use crate::idempotency::{IdempotencyKey, IdempotencyRecord, KEPT_MS, StoredResponse};

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub version: u64,
    pub epoch: u64,
}

/// What the database, and the commits accepted so far, say.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub heads: HashMap<(&'a TenantId, ExecutionId), Head>,
    pub responses: HashMap<(&'a TenantId, &'a IdempotencyKey), StoredResponse>,
}

impl<'a> Known<'a> {
    /// In the order of the batch: a commit may build on the one before it.
    pub fn judge(&mut self, commit: &'a Commit) -> Result<CommitOutcome, CommitError> {
        let tenant = commit.scope.tenant();
        let key = (tenant, commit.execution);
        self.check_head(commit, self.heads.get(&key).copied())?;
        if let Some(record) = &commit.idempotency {
            self.take_key(tenant, record)?;
        }
        let version = commit.last_seq();
        self.heads.insert(key, Head { version, epoch: commit.epoch });
        Ok(CommitOutcome { version })
    }

    fn check_head(&self, commit: &Commit, head: Option<Head>) -> Result<(), CommitError> {
        let Some(head) = head else {
            return if commit.create.is_some() { Ok(()) } else { Err(CommitError::Conflict { current: 0 }) };
        };
        if commit.create.is_none() && head.epoch != commit.epoch {
            return Err(CommitError::Fenced { epoch: head.epoch });
        }
        if commit.create.is_some() || head.version != commit.expected_version {
            return Err(CommitError::Conflict { current: head.version });
        }
        Ok(())
    }

    fn take_key(&mut self, tenant: &'a TenantId, record: &'a IdempotencyRecord) -> Result<(), CommitError> {
        let key = (tenant, &record.key);
        if let Some(stored) = self.responses.get(&key)
            && record.at.millis_since(stored.at) < KEPT_MS
        {
            return Err(CommitError::IdempotencyTaken { stored: Box::new(stored.clone()) });
        }
        self.responses.insert(key, record.stored());
        Ok(())
    }
}
