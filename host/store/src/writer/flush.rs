//! One transaction: commits first, then tasks, then log lines. All of it becomes durable, or none.
//!
//! Nobody is told of success before COMMIT returned. After a failure the connection is dropped, so that the next
//! batch starts from what is really in the database.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{Connection, SqliteConnection};

use super::{Batch, Fault, State};
use crate::journal::{self, Verdicts};
use crate::sqlite::{Code, code, migrate, writer_connection};
use crate::stats::count;
use crate::{CommitError, Error, Health, StoreOptions, Unavailable, logs};

pub(super) struct Flusher {
    options: StoreOptions,
    conn: Option<SqliteConnection>,
    state: Arc<State>,
    /// Counts flushes, for faults.
    flushes: u64,
}

/// Whether there is a flush after this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    /// As if the process had died: nobody was answered.
    Dead,
}

impl Flusher {
    pub const fn new(options: StoreOptions, state: Arc<State>) -> Self {
        Self { options, conn: None, state, flushes: 0 }
    }

    pub async fn open(&mut self) -> Result<(), Error> {
        let opened = writer_connection(&self.options).await;
        let mut conn = opened.map_err(|source| Error::Open {
            path: self.options.path.clone(),
            hint: "the path must be a database of this program or a new file in a writable folder",
            source,
        })?;
        migrate(&mut conn).await?;
        self.conn = Some(conn);
        Ok(())
    }

    /// Closing the last connection folds the log into the database.
    pub async fn close(self) {
        let Some(conn) = self.conn else { return };
        if let Err(error) = conn.close().await {
            tracing::warn!(error = %error, "the database was not closed in order; its log is read at the next start");
        }
    }

    pub async fn flush(&mut self, mut batch: Batch) -> Flow {
        let fault = self.next_fault().await;
        if fault == Fault::DiesBefore {
            return Flow::Dead;
        }
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
        self.flushes += 1;
        match &self.options.faults {
            Some(faults) => faults.ask(self.flushes).await,
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
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => writer_connection(&self.options).await.map_err(|error| self.unavailable(error))?,
        };
        match transaction(&mut conn, batch).await {
            Ok(verdicts) => {
                self.conn = Some(conn);
                Ok(verdicts)
            }
            Err(error) => {
                // Closing rolls back whatever is left of the transaction.
                drop(conn.close().await);
                Err(self.unavailable(error))
            }
        }
    }

    fn unavailable(&self, error: sqlx::Error) -> Unavailable {
        self.told(code(&error), Some(error))
    }

    /// Notes what a write that did not succeed means for the store. `Lost` is final: after a failed sync the disk's
    /// cache may have dropped pages that it calls clean, so that a later sync which succeeds proves nothing.
    fn told(&self, code: Code, error: Option<sqlx::Error>) -> Unavailable {
        let reason = match code {
            Code::Full => "no space is left on the disk, or the database's limit is reached",
            Code::Busy => "another process holds the database's lock",
            Code::Lost => "the disk did not confirm the write, or the file is damaged",
            Code::Constraint | Code::Other => "the database refused the transaction",
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

async fn transaction(conn: &mut SqliteConnection, batch: &mut Batch) -> Result<Verdicts, sqlx::Error> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
    let verdicts = journal::write(conn, &batch.commits).await?;
    for task in &mut batch.tasks {
        task.run(conn).await?;
    }
    if let Some(pending) = &batch.lines {
        logs::write(conn, &pending.lines).await?;
    }
    sqlx::query("COMMIT").execute(conn).await?;
    Ok(verdicts)
}
