//! The one door: decide and apply, journal, wait until durable, then act.

use std::sync::Arc;

use metrics::{counter, histogram};
use quantum_core::machine::{Command, Effect, Event, Execution, Refusal, Turn};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::usage::Used;
use quantum_store::{
    Announcement, Commit, CommitError, EncodedEvent, IdempotencyRecord, NewExecution, RowUpdate,
};
use serde_json::json;

use crate::engine::Shared;
use crate::entry::{Entry, Owned};
use crate::error::CommandError;
use crate::together::Place;

/// Milliseconds after which a client may try again when the store cannot write.
pub(crate) const RETRY_AFTER_MS: u64 = 1_000;

/// Milliseconds that an execution has to wait at least to be forgotten meanwhile; shorter waits are not worth loading it
/// again.
const RESTS_FROM_MS: u64 = 30_000;

/// What a commit carries beside its events.
#[derive(Default)]
pub(crate) struct Carried {
    /// Of the first one of an execution.
    pub birth: Option<Box<NewExecution>>,
    pub idempotency: Option<IdempotencyRecord>,
    /// In a batch of starts; none: the commit is written by itself.
    pub place: Option<Place>,
    /// By the attempts that ended.
    pub used: Vec<Used>,
}

impl Shared {
    /// Applies a command to an execution. After a crash before it returns, either all of its events are in the log or
    /// none; after it returns they are.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        command: Command,
    ) -> Result<(), CommandError> {
        self.commit_with(entry, command, Carried::default()).await
    }

    /// As `commit`. The record becomes durable with the events; where it is there already, nothing is done.
    pub(crate) async fn commit_once(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        command: Command,
        record: IdempotencyRecord,
    ) -> Result<(), CommandError> {
        self.commit_with(entry, command, Carried { idempotency: Some(record), ..Carried::default() }).await
    }

    async fn commit_with(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        command: Command,
        carried: Carried,
    ) -> Result<(), CommandError> {
        let mut state = entry.state.lock().await;
        if entry.has_moved() {
            return Err(CommandError::Moved);
        }
        if state.is_none() {
            let reopens = matches!(command, Command::Restart { .. });
            *state = Some(self.take_up(entry, reopens).await?);
        }
        let Some(owned) = state.as_mut() else { return Err(CommandError::NotFound) };
        let before = owned.execution.last_seq;
        let done = self.turn(entry, owned, command, carried).await;
        let ahead = done.is_err() && owned.execution.last_seq != before;
        if ahead || matches!(done, Err(TurnError::Commit(_))) {
            *state = None;
        } else if owned.execution.status.is_terminal() {
            // Also after a refused restart, which has loaded what had ended.
            self.live.remove(entry);
        } else {
            self.rest_locked(entry, &mut state);
        }
        drop(state);
        match done {
            Err(TurnError::Commit(CommitError::IdempotencyTaken { .. })) => Ok(()),
            done => done.map_err(|error| self.command_error(entry, error)),
        }
    }

    /// Loads an execution and does what was left of it: whatever was lost in memory, such as the answer of a commit that
    /// was written, follows from the state.
    async fn take_up(self: &Arc<Self>, entry: &Arc<Entry>, reopens: bool) -> Result<Owned, CommandError> {
        let loaded = if reopens { self.reopen(entry).await } else { self.reload(entry).await };
        let mut owned = match loaded {
            // Purged since the entry was made: whoever follows it is told that nothing more comes.
            Err(CommandError::NotFound) => {
                self.retire(entry, 0);
                return Err(CommandError::NotFound);
            }
            loaded => loaded?,
        };
        if owned.execution.status.is_terminal() {
            if !reopens {
                self.retire(entry, owned.execution.last_seq);
            }
            return Ok(owned);
        }
        if let Some(at) = owned.execution.next_due() {
            self.timers.set(at, entry);
        }
        match self.turn(entry, &mut owned, Command::Wake, Carried::default()).await {
            Ok(()) | Err(TurnError::Refused(_)) => Ok(owned),
            Err(error) => Err(self.command_error(entry, error)),
        }
    }

    /// Forgets an execution that only waits, once nobody else holds it. Its row and its timer stay.
    pub(crate) async fn rest(&self, entry: &Arc<Entry>) {
        let mut state = entry.state.lock().await;
        self.rest_locked(entry, &mut state);
    }

    pub(crate) fn rest_locked(&self, entry: &Arc<Entry>, state: &mut Option<Owned>) {
        let Some(owned) = state.as_ref() else { return };
        let soon = self.ports.clock.now().plus_millis(RESTS_FROM_MS);
        let waits = owned.execution.next_due().is_none_or(|due| due > soon);
        // The caller holds one reference.
        if waits && !owned.execution.status.is_terminal() && entry.is_idle() && self.live.evict(entry, 1) {
            *state = None;
        }
    }

    /// One turn on a state that the caller has locked. After an error the state may be ahead of the store, and is not
    /// to be used again.
    pub(crate) async fn turn(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        owned: &mut Owned,
        command: Command,
        mut carried: Carried,
    ) -> Result<(), TurnError> {
        let now = self.ports.clock.now();
        let expected_version = owned.execution.last_seq;
        let mut turn = Turn::new(&mut owned.execution, now);
        for lost in untracked(entry, turn.execution(), (self.ports.chance)()) {
            turn.run(lost)?;
        }
        turn.run(command)?;
        let mut held = false;
        while let Some(slot) = turn.next_ready()? {
            held = self.held_by_quota(entry, (turn.execution(), slot), turn.used()).await?;
            if held {
                break;
            }
            let admission = self.admit(turn.execution(), slot, now);
            turn.run(Command::Admit { slot, admission })?;
        }
        let used = turn.take_used();
        let (events, effects) = turn.finish()?;
        if !events.is_empty() {
            let place = carried.place.take();
            carried.used.clone_from(&used);
            let commit = encode(entry, owned, &events, expected_version, carried)?;
            match place {
                Some(place) => place.commit(commit).await?,
                None => self.ports.store.journal().commit(commit).await?,
            };
        }
        self.quotas.spend(entry.tenant(), &used);
        if !held {
            self.quotas.let_go(entry.tenant(), &entry.id);
        }
        self.release(entry, &owned.execution, effects, now);
        Ok(())
    }

    /// What was decided is durable: do it, and tell everybody.
    fn release(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        execution: &Execution,
        effects: Vec<Effect>,
        now: Timestamp,
    ) {
        if execution.status.is_terminal() {
            let millis = now.millis_since(execution.created_at);
            counter!("quantum_executions_ended_total", "status" => execution.status.as_str()).increment(1);
            #[expect(clippy::cast_precision_loss, reason = "a metric")]
            histogram!("quantum_execution_seconds").record(millis as f64 / 1_000.0);
            self.retire(entry, execution.last_seq);
            self.tell_parent(&entry.scope, execution);
            self.place_freed(&entry.scope);
            self.announce(Announcement::Freed { tenant: entry.tenant().clone() });
        } else {
            entry.progress.send_modify(|progress| progress.last_seq = execution.last_seq);
        }
        self.announce(Announcement::Progress { execution: entry.id });
        for effect in effects {
            match effect {
                Effect::Run { slot, attempt, parameters, .. } => {
                    self.enqueue(entry, execution, slot, attempt, parameters);
                }
                Effect::Interrupt { slot } => entry.interrupt(slot),
                Effect::Wake { at } => self.timers.set(at, entry),
                Effect::CancelChild { child } => {
                    self.cancel_child(&entry.scope, &execution.requested_by, child);
                }
                // Whoever looks after the children finds it in the state.
                Effect::StartChild { .. } | Effect::Ended => {}
            }
        }
        self.mind_children(entry, execution);
    }

    fn command_error(&self, entry: &Arc<Entry>, error: TurnError) -> CommandError {
        match error {
            TurnError::Refused(refusal) => CommandError::Refused(refusal),
            TurnError::Encode(source) => {
                let id = entry.id.to_string();
                CommandError::Failed(crate::error::Error::Decode { id, what: "an event", source })
            }
            TurnError::Quota(error) => CommandError::Failed(error),
            TurnError::Commit(CommitError::Fenced { epoch }) => {
                counter!("quantum_commits_fenced_total").increment(1);
                tracing::info!(execution = %entry.id, epoch, "a commit was refused: another node runs this execution by now");
                self.part_with(entry);
                CommandError::Moved
            }
            // Purged since it was loaded.
            TurnError::Commit(CommitError::Conflict { current: 0 }) => {
                self.retire(entry, 0);
                CommandError::NotFound
            }
            TurnError::Commit(source) => {
                tracing::error!(execution = %entry.id, error = %source, "a commit failed");
                CommandError::Unavailable {
                    reason: "the store cannot write now".to_owned(),
                    retry_after_ms: RETRY_AFTER_MS,
                }
            }
        }
    }
}

/// Why a turn did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Encode(#[from] serde_json::Error),
    /// Whether one is used up could not be read.
    #[error(transparent)]
    Quota(#[from] crate::error::Error),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What runs according to the log and not here: the process that ran it is gone, or a commit was written whose answer
/// never came.
fn untracked(entry: &Entry, execution: &Execution, chance: f64) -> Vec<Command> {
    use quantum_core::port::{AttemptOutcome, AttemptReport, Bill, Failure, FailureKind};
    let lost = execution.running().into_iter().filter(|(slot, attempt)| !entry.is_tracked(*slot, *attempt));
    lost.map(|(slot, attempt)| {
        let problem = Problem::new("attempt-lost", "the host stopped while this attempt ran");
        let failure = Failure { kind: FailureKind::Lost, problem, retry_after_ms: None };
        let report = AttemptReport { outcome: AttemptOutcome::Failed(failure), bill: Bill::default() };
        Command::Settle { slot, attempt, report, chance }
    })
    .collect()
}

fn encode(
    entry: &Entry,
    owned: &Owned,
    events: &[Event],
    expected_version: u64,
    carried: Carried,
) -> Result<Commit, serde_json::Error> {
    let encoded: Result<Vec<_>, serde_json::Error> = events
        .iter()
        .map(|event| Ok(EncodedEvent { seq: event.seq, json: serde_json::to_string(event)? }))
        .collect();
    let Carried { birth, idempotency, used, .. } = carried;
    Ok(Commit {
        scope: entry.scope.clone(),
        execution: entry.id,
        expected_version,
        epoch: owned.epoch,
        events: encoded?,
        row: row(&owned.execution),
        create: birth,
        idempotency,
        used,
    })
}

fn row(execution: &Execution) -> RowUpdate {
    RowUpdate {
        status: execution.status,
        next_due: execution.next_due(),
        steps_done: u32::try_from(execution.steps_done()).unwrap_or(u32::MAX),
        started_at: execution.started_at,
        ended_at: execution.ended_at,
        summary: json!({ "error": execution.error }).to_string(),
    }
}
