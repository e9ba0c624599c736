//! One schedule, looked at until there is nothing to do but to wait.

use std::sync::Arc;

use metrics::counter;
use quantum_core::id::ExecutionId;
use quantum_core::schedule::{
    Act, LastStart, Outcome, Progress, Schedule, ScheduleDocument, ScheduleState, execution_id,
};
use quantum_core::time::Timestamp;
use quantum_store::{ScheduleMark, ScheduleRow, TenantScope};

use crate::engine::Shared;
use crate::error::Error;

/// How a look ended.
#[derive(Debug)]
pub(super) enum Looked {
    /// It is looked at again when its time comes.
    Done,
    /// A due time waits for these to end.
    Waits { running: Vec<ExecutionId> },
    /// Something could not be read or written, or nothing new may start: it is looked at again soon.
    Failed,
}

/// A schedule under the loop's hands.
pub(super) struct Subject {
    pub scope: TenantScope,
    pub row: ScheduleRow,
    pub document: ScheduleDocument,
    pub schedule: Schedule,
    pub state: ScheduleState,
}

impl Shared {
    pub(super) async fn look(self: &Arc<Self>, scope: TenantScope, row: ScheduleRow) -> Looked {
        let (tenant, name) = (row.tenant.clone(), row.name.clone());
        let looked = match Subject::read(&scope, &row) {
            Ok(subject) => self.work(subject).await,
            Err(error) => {
                tracing::error!(%tenant, schedule = %name, error, "a schedule cannot be read; it rests until it is changed");
                self.set_aside(&scope, row).await.map(|()| Looked::Done)
            }
        };
        looked.unwrap_or_else(|error| {
            tracing::warn!(%tenant, schedule = %name, error = %error, "a schedule could not be looked at; this is tried again");
            Looked::Failed
        })
    }

    async fn work(self: &Arc<Self>, mut subject: Subject) -> Result<Looked, Error> {
        self.forget_ended(&mut subject).await?;
        loop {
            let now = self.ports.clock.now();
            if let Some(outcome) = self.started_before(&subject, now).await? {
                self.write(&mut subject, outcome).await?;
                continue;
            }
            let Subject { row, schedule, state, .. } = &subject;
            let outcome = match schedule.decide(row.uid, state, state.progress.running.len(), now) {
                Act::Wait { until } => return self.leave(subject, until).await,
                Act::Miss { count, through } => Outcome::Missed { count, through },
                Act::Skip { due } => Outcome::Overlapped { due },
                Act::Hold { due, cancel } => {
                    if cancel {
                        self.cancel_running(&subject).await;
                    }
                    Outcome::Held { due }
                }
                Act::Start { due } => match self.start_due(&subject, due).await {
                    Some(outcome) => outcome,
                    None => return Ok(Looked::Failed),
                },
            };
            self.write(&mut subject, outcome).await?;
        }
    }

    /// A start whose note was not written: the host died in between.
    async fn started_before(&self, subject: &Subject, now: Timestamp) -> Result<Option<Outcome>, Error> {
        let Subject { scope, row, schedule, state, .. } = subject;
        let next = schedule.next_due(state.handled_until).filter(|due| *due <= now);
        for due in state.waiting.into_iter().chain(next) {
            let execution = execution_id(row.uid, due);
            if let Some(found) = self.ports.store.executions(scope).get(&execution).await? {
                let start = LastStart { due_at: due, started_at: found.created_at, execution };
                return Ok(Some(Outcome::Started(start)));
            }
        }
        Ok(None)
    }

    /// Executions that have ended, or are not kept any more, do not run.
    async fn forget_ended(&self, subject: &mut Subject) -> Result<(), Error> {
        let mut running = Vec::new();
        for id in std::mem::take(&mut subject.state.progress.running) {
            let row = self.ports.store.executions(&subject.scope).get(&id).await?;
            if row.is_some_and(|row| !row.status.is_terminal()) {
                running.push(id);
            }
        }
        subject.state.progress.running = running;
        Ok(())
    }

    /// Before it returns the outcome may be lost, and is found again; after it, it is kept.
    async fn write(&self, subject: &mut Subject, outcome: Outcome) -> Result<(), Error> {
        count(&outcome);
        subject.state.record(outcome);
        let next_at = subject.row.next_at;
        self.mark(subject, next_at).await
    }

    async fn leave(&self, subject: Subject, until: Option<Timestamp>) -> Result<Looked, Error> {
        self.mark(&subject, until).await?;
        let Progress { running, .. } = subject.state.progress;
        let waits = subject.state.waiting.is_some();
        Ok(if waits { Looked::Waits { running } } else { Looked::Done })
    }

    async fn mark(&self, subject: &Subject, next_at: Option<Timestamp>) -> Result<(), Error> {
        let Subject { scope, row, state, .. } = subject;
        let progress = serde_json::to_string(&state.progress);
        let progress = progress.map_err(|source| Error::Schedule { name: row.name.to_string(), source })?;
        let ScheduleState { handled_until, waiting, .. } = *state;
        let as_stored = (row.handled_until, row.waiting, row.next_at, &row.progress);
        if as_stored == (handled_until, waiting, next_at, &progress) {
            return Ok(());
        }
        let mark =
            ScheduleMark { uid: row.uid, revision: row.revision, handled_until, waiting, next_at, progress };
        // False: somebody removed it, and there is nothing to note.
        let _kept = self.ports.store.schedules(scope).mark(mark).await?;
        Ok(())
    }

    async fn set_aside(&self, scope: &TenantScope, row: ScheduleRow) -> Result<(), Error> {
        let ScheduleRow { uid, revision, handled_until, waiting, progress, .. } = row;
        let mark = ScheduleMark { uid, revision, handled_until, waiting, next_at: None, progress };
        self.ports.store.schedules(scope).mark(mark).await?;
        Ok(())
    }
}

impl Subject {
    /// Err: it was not written by this program.
    fn read(scope: &TenantScope, row: &ScheduleRow) -> Result<Self, String> {
        let unreadable = |error: serde_json::Error| error.to_string();
        let document: ScheduleDocument = serde_json::from_str(&row.document).map_err(unreadable)?;
        let progress: Progress = serde_json::from_str(&row.progress).map_err(unreadable)?;
        let schedule = Schedule::read(&document).map_err(|findings| {
            findings.into_iter().next().map(|finding| finding.message).unwrap_or_default()
        })?;
        let (handled_until, waiting) = (row.handled_until, row.waiting);
        let state = ScheduleState { handled_until, waiting, progress };
        Ok(Self { scope: scope.clone(), row: row.clone(), document, schedule, state })
    }
}

fn count(outcome: &Outcome) {
    let (what, times) = match outcome {
        Outcome::Started(_) => ("started", 1),
        Outcome::Refused(_) => ("refused", 1),
        Outcome::Missed { count, .. } => ("missed", *count),
        Outcome::Overlapped { .. } => ("overlapped", 1),
        Outcome::Held { .. } => ("held", 1),
    };
    counter!("quantum_schedule_due_times_total", "outcome" => what).increment(times);
}
