//! One transaction: commits first, then tasks, then log lines. All of it becomes durable, or none.
//!
//! Nobody is told of success before COMMIT returned. After a failure the connection is dropped, so that the next
//! batch starts from what is really in the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::{Batch, Fault, State, Target};
use crate::database::{Code, Conn, code};
use crate::journal::{self, Verdicts};
use crate::postgres::UNCONFIRMED;
use crate::stats::count;
use crate::{CommitError, Error, Health, Unavailable, logs};

pub(super) struct Flusher {
    target: Target,
    state: Arc<State>,
    /// Counts flushes of all lanes, for faults.
    flushes: Arc<AtomicU64>,
    /// Lines of an execution are numbered one after another: whoever writes some reads the last number first.
    lines: Arc<Mutex<()>>,
}

/// Whether there is a flush after this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    /// As if the process had died: nobody was answered.
    Dead,
}

impl Flusher {
    pub fn new(target: Target, state: Arc<State>) -> Self {
        Self { target, state, flushes: Arc::default(), lines: Arc::default() }
    }

    /// One for each transaction that may be under way at a time.
    pub fn lanes(self) -> Vec<Self> {
        let more = self.target.more_lanes().into_iter().map(|target| Self {
            target,
            state: Arc::clone(&self.state),
            flushes: Arc::clone(&self.flushes),
            lines: Arc::clone(&self.lines),
        });
        let more: Vec<Self> = more.collect();
        std::iter::once(self).chain(more).collect()
    }

    pub async fn open(&mut self) -> Result<(), Error> {
        self.target.open().await
    }

    pub async fn close(self) {
        self.target.close().await;
    }

    pub async fn flush(&mut self, mut batch: Batch) -> Flow {
        let fault = self.next_fault().await;
        if fault == Fault::DiesBefore {
            return Flow::Dead;
        }
        let turn = Arc::clone(&self.lines);
        let _turn = if batch.lines.is_some() { Some(turn.lock().await) } else { None };
        let written = match fault {
            Fault::Refused => Err(self.told(Code::Full, None)),
            _ => self.write(&mut batch).await,
        };
        match (written, fault) {
            (_, Fault::DiesAfter) => return Flow::Dead,
            (Ok(_), Fault::Unconfirmed) => refuse(batch, &self.told(Code::Lost, None)),
            (Ok(verdicts), _) => {
                self.state.set_health(Health::Ready);
                self.acknowledge(batch, verdicts);
            }
            (Err(unavailable), _) => refuse(batch, &unavailable),
        }
        Flow::Next
    }

    async fn next_fault(&mut self) -> Fault {
        let number = self.flushes.fetch_add(1, Ordering::Relaxed) + 1;
        match self.target.faults() {
            Some(faults) => faults.ask(number).await,
            None => Fault::None,
        }
    }

    async fn write(&mut self, batch: &mut Batch) -> Result<Verdicts, Unavailable> {
        if let Health::Failed { .. } = self.state.health() {
            return Err(Unavailable {
                reason: "an earlier write was lost; stop and start the host",
                source: None,
            });
        }
        let tenants = batch.tenants();
        let mut conn = match self.target.begin(&tenants).await {
            Ok(conn) => conn,
            Err(error) => return Err(self.unavailable(error)),
        };
        match statements(&mut conn, batch).await {
            Ok(verdicts) => {
                let committed = self.target.commit(conn).await;
                committed.map(|()| verdicts).map_err(|error| self.unconfirmed(error))
            }
            Err(error) => {
                self.target.abandon(conn).await;
                Err(self.unavailable(error))
            }
        }
    }

    fn unavailable(&self, error: sqlx::Error) -> Unavailable {
        self.told(code(&error), Some(error))
    }

    /// COMMIT did not succeed. A server that is gone may have come that far.
    fn unconfirmed(&self, error: sqlx::Error) -> Unavailable {
        let is_gone = code(&error) == Code::Gone;
        let told = self.unavailable(error);
        if is_gone { Unavailable { reason: UNCONFIRMED, ..told } } else { told }
    }

    /// Notes what a write that did not succeed means for the store. `Lost` is final: after a failed sync the disk's
    /// cache may have dropped pages that it calls clean, so that a later sync which succeeds proves nothing.
    fn told(&self, code: Code, error: Option<sqlx::Error>) -> Unavailable {
        let reason = match code {
            Code::Full => "no space is left on the disk, or the database's limit is reached",
            Code::Busy => "another process holds the database's lock, or it has no connection free",
            Code::Gone => "the database cannot be reached",
            Code::ReadOnly => "the database takes no writes: it is a replica, or read-only",
            Code::Lost => "the disk did not confirm the write, or the file is damaged",
            Code::Constraint | Code::Value | Code::Other => "the database refused the transaction",
        };
        let cause = error.as_ref().map_or_else(|| "a fault of a test".to_owned(), ToString::to_string);
        tracing::error!(error = cause, reason, "a batch of writes was refused");
        let told = format!("{reason}: {cause}");
        self.state.set_health(match code {
            Code::Lost => Health::Failed { reason: told },
            _ => Health::Degraded { reason: told },
        });
        Unavailable { reason, source: error.map(Arc::new) }
    }

    fn acknowledge(&self, mut batch: Batch, verdicts: Verdicts) {
        let counters = &self.state.counters;
        batch.tasks.iter_mut().for_each(|task| task.durable());
        if !batch.tasks.is_empty() {
            // Before anybody is answered: who was told of a change never reads what was kept from before it.
            counters.changes.fetch_add(1, Ordering::Release);
        }
        let accepted = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        count(&counters.flushes, 1);
        count(&counters.awaited_commits, accepted);
        count(&counters.refused_commits, verdicts.len() - accepted);
        for (pending, verdict) in batch.commits.into_iter().zip(verdicts) {
            drop(pending.reply.send(verdict));
        }
        for task in batch.tasks {
            task.settle(Ok(()));
        }
        if let Some(pending) = batch.lines {
            count(&counters.log_lines, pending.lines.len());
            drop(pending.reply.send(Ok(())));
        }
    }
}

fn refuse(batch: Batch, unavailable: &Unavailable) {
    for pending in batch.commits {
        drop(pending.reply.send(Err(CommitError::Unavailable(unavailable.clone()))));
    }
    for task in batch.tasks {
        task.settle(Err(unavailable.clone()));
    }
    if let Some(pending) = batch.lines {
        drop(pending.reply.send(Err(unavailable.clone())));
    }
}

async fn statements(conn: &mut Conn, batch: &mut Batch) -> Result<Verdicts, sqlx::Error> {
    let verdicts = journal::write(conn, &batch.commits).await?;
    for task in &mut batch.tasks {
        task.run(conn).await?;
    }
    if let Some(pending) = &batch.lines {
        logs::write(conn, &pending.lines).await?;
    }
    Ok(verdicts)
}
