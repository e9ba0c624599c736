//! The journal: the only way in which an execution changes.
//!
//! Before `commit` returns Ok, nothing of it may be acted upon; after it, the events survive any crash. When it
//! returns an error, nothing of it was written.

mod batch;
mod check;
mod judge;
mod sql;

use std::collections::BTreeMap;
use std::sync::Arc;

use quantum_core::id::{Digest, ExecutionId, IntentName, IntentUid};
use quantum_core::port::Requester;
use quantum_core::time::Timestamp;
use quantum_core::usage::Used;
use quantum_core::vocabulary::{Environment, ExecutionStatus};

use tokio::sync::oneshot;

use crate::CommitError;
use crate::blobs::Blobs;
use crate::idempotency::IdempotencyRecord;
use crate::scope::TenantScope;
use crate::writer::{Work, Writer, stopped};
pub(crate) use batch::{Verdicts, bind_response, write};
pub(crate) use sql::{RESPONSE_INSERT, shapes};

/// One decision about one execution, to be made durable.
#[derive(Debug, Clone)]
pub struct Commit {
    pub scope: TenantScope,
    pub execution: ExecutionId,
    /// `seq` of the last event that the decision was based on; 0 with `create`.
    pub expected_version: u64,
    /// The epoch under which the execution is owned; the first one with `create`.
    pub epoch: u64,
    /// Consecutive from `expected_version + 1`; at least one.
    pub events: Vec<EncodedEvent>,
    pub row: RowUpdate,
    /// Present exactly when the execution does not exist yet.
    pub create: Option<Box<NewExecution>>,
    pub idempotency: Option<IdempotencyRecord>,
    /// By the attempts whose end the events say.
    pub used: Vec<Used>,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedEvent {
    pub seq: u64,
    /// JSON text of one object.
    pub json: String,
}

/// How the row of the execution looks after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowUpdate {
    pub status: ExecutionStatus,
    pub next_due: Option<Timestamp>,
    pub steps_done: u32,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// JSON text.
    pub summary: String,
}

/// What an execution keeps from its start to its end.
#[derive(Debug, Clone)]
pub struct NewExecution {
    pub intent_uid: IntentUid,
    pub intent_name: IntentName,
    pub intent_version: u32,
    pub environment: Environment,
    pub dry_run: bool,
    pub requested_by: Requester,
    pub labels: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub steps_total: u32,
    pub owner: Option<String>,
    pub lease_until: Option<Timestamp>,
    pub plan: SharedPlan,
    /// JSON text.
    pub input: String,
    /// JSON text: the execution that it comes from.
    pub origin: Option<String>,
    /// Of those that wait for a limit, greater ones start first.
    pub priority: i32,
    /// Executions of the intent with the same key are counted together.
    pub concurrency_key: Option<String>,
}

/// A plan as JSON text with its digest. Executions of the same plan share one row; keep it and clone it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPlan {
    digest: Digest,
    json: Arc<str>,
}

impl SharedPlan {
    pub fn new(json: impl Into<Arc<str>>) -> Self {
        let json = json.into();
        Self { digest: Blobs::digest(json.as_bytes()), json }
    }

    /// As it was stored.
    pub(crate) const fn stored(digest: Digest, json: Arc<str>) -> Self {
        Self { digest, json }
    }

    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    pub const fn json(&self) -> &Arc<str> {
        &self.json
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitOutcome {
    /// `seq` of the last event now.
    pub version: u64,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    writer: Writer,
}

/// A commit with the one who waits for it.
pub(crate) struct PendingCommit {
    pub commit: Commit,
    pub reply: oneshot::Sender<Result<CommitOutcome, CommitError>>,
}

impl Journal {
    pub(crate) const fn new(writer: Writer) -> Self {
        Self { writer }
    }

    /// Queues the commit and waits until it is durable. A future that is dropped after it was polled may still be
    /// written: whoever drops it must load the execution again.
    pub async fn commit(&self, commit: Commit) -> Result<CommitOutcome, CommitError> {
        check::consistent(&commit)?;
        let (reply, answer) = oneshot::channel();
        self.writer.send(Work::Commit(Box::new(PendingCommit { commit, reply }))).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// As `commit`, for many in one transaction: after a crash all of the accepted ones are there, or none. Each is
    /// judged by itself, and a refused one fails no other. One answer a commit, in order.
    pub async fn commit_all(&self, commits: Vec<Commit>) -> Vec<Result<CommitOutcome, CommitError>> {
        let mut pending = Vec::with_capacity(commits.len());
        let mut answers = Vec::with_capacity(commits.len());
        for commit in commits {
            answers.push(check::consistent(&commit).map(|()| {
                let (reply, answer) = oneshot::channel();
                pending.push(PendingCommit { commit, reply });
                answer
            }));
        }
        // A writer that is gone drops what it was given, and whoever waits for an answer sees that.
        drop(self.writer.send(Work::Commits(pending)).await);
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(match answer {
                Ok(answer) => answer.await.unwrap_or_else(|_| Err(stopped().into())),
                Err(inconsistent) => Err(inconsistent),
            });
        }
        outcomes
    }
}

impl Commit {
    /// `seq` of the last event after it.
    pub(crate) fn last_seq(&self) -> u64 {
        self.expected_version + self.events.len() as u64
    }

    /// Bytes of its texts, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let events: usize = self.events.iter().map(|event| event.json.len()).sum();
        let created = self.create.as_ref().map_or(0, |new| new.input.len() + new.plan.json.len());
        events + created + self.row.summary.len()
    }
}
