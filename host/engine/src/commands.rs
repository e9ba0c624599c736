//! Commands between nodes: what one asks of another one that runs an execution, and how that one answers.
//!
//! INVARIANT: a command that was asked is done once. Its id is recorded with its commit, so that whoever takes it again
//! after a death finds that it was done.

use std::sync::Arc;

use quantum_core::id::{CommandId, ExecutionId, PrincipalId};
use quantum_core::machine::{Command, Refusal};
use quantum_store::{
    Announcement, IdempotencyKey, IdempotencyRecord, NewCommand, Reader, TakenCommand, TenantScope,
};
use serde::{Deserialize, Serialize};

use crate::admit::new_execution_id;
use crate::commit::RETRY_AFTER_MS;
use crate::engine::Shared;
use crate::entry::Found;
use crate::error::{CommandError, Error};

/// Commands that are done beside each other.
const TAKEN_MAX: u32 = 64;

/// What a node answers.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Answer {
    Done,
    NotFound,
    Refused { refusal: Refusal },
    Limit { reason: String },
    Unavailable { reason: String, retry_after_ms: u64 },
}

impl Answer {
    /// None: whoever owns the execution by now answers.
    fn of(done: Result<(), CommandError>) -> Option<Self> {
        Some(match done {
            Ok(()) => Self::Done,
            Err(CommandError::Moved) => return None,
            Err(CommandError::NotFound) => Self::NotFound,
            Err(CommandError::Refused(refusal)) => Self::Refused { refusal },
            Err(CommandError::Limit { reason }) => Self::Limit { reason },
            Err(CommandError::Unavailable { reason, retry_after_ms }) => {
                Self::Unavailable { reason, retry_after_ms }
            }
            Err(CommandError::Failed(error)) if error.is_of_newer() => {
                tracing::warn!(error = %error, "a command of another node is not known; it runs a newer program");
                let reason = "the node that runs this execution runs an older program, and does not know what is asked";
                Self::Unavailable { reason: reason.to_owned(), retry_after_ms: RETRY_AFTER_MS }
            }
            Err(CommandError::Failed(error)) => {
                tracing::warn!(error = %error, "a command of another node failed");
                Self::Unavailable { reason: error.to_string(), retry_after_ms: RETRY_AFTER_MS }
            }
        })
    }

    fn result(self) -> Result<(), CommandError> {
        match self {
            Self::Done => Ok(()),
            Self::NotFound => Err(CommandError::NotFound),
            Self::Refused { refusal } => Err(CommandError::Refused(refusal)),
            Self::Limit { reason } => Err(CommandError::Limit { reason }),
            Self::Unavailable { reason, retry_after_ms } => {
                Err(CommandError::Unavailable { reason, retry_after_ms })
            }
        }
    }
}

impl Shared {
    /// Asks the owner of an execution, and waits for its answer. Err `Unavailable`: it has not taken the command in time,
    /// and will not.
    pub(crate) async fn ask(
        &self,
        scope: &TenantScope,
        execution: &ExecutionId,
        owner: String,
        command: &Command,
    ) -> Result<(), CommandError> {
        let now = self.ports.clock.now();
        let id = CommandId::from_uuid(new_execution_id(now).as_uuid());
        let encode = |source| Error::Decode { id: execution.to_string(), what: "a command", source };
        let asked = NewCommand {
            id,
            execution: *execution,
            node: owner.clone(),
            command: serde_json::to_string(command).map_err(encode)?,
            asked_at: now,
        };
        // Before it is asked, so that the answer is not missed.
        let mut ear = self.news.of_command(id);
        let commands = self.ports.store.commands(scope);
        commands.put(asked).await.map_err(Error::from)?;
        self.announce(Announcement::Command { node: owner.clone() });
        let give_up_at = now.plus_millis(self.options.answer_ms);
        let unanswered = || unanswered(&owner);
        loop {
            match commands.read(id).await.map_err(Error::from)? {
                None => return Err(unanswered()),
                Some(None) => {}
                Some(Some(answer)) => {
                    // One that stays is removed by its time.
                    drop(commands.forget(id).await);
                    return read(execution, &answer);
                }
            }
            let now = self.ports.clock.now();
            if now >= give_up_at && commands.withdraw(id, now).await.map_err(Error::from)? {
                return Err(unanswered());
            }
            tokio::select! {
                () = self.wait_for_news(&mut ear) => {}
                () = self.killed.cancelled() => return Err(unanswered()),
            }
        }
    }

    /// Does what other nodes ask, until everything has ended.
    pub(crate) async fn take_commands(self: Arc<Self>) {
        if self.is_alone() {
            return;
        }
        loop {
            match self.ports.store.platform().take_commands(&self.node.id, TAKEN_MAX).await {
                Ok(taken) if taken.is_empty() => {}
                Ok(taken) => {
                    futures::future::join_all(taken.into_iter().map(|command| self.obey(command))).await;
                    continue;
                }
                Err(error) => tracing::warn!(error = %error, "commands of other nodes could not be read"),
            }
            let poll_at = self.ports.clock.now().plus_millis(self.options.poll_ms);
            tokio::select! {
                () = self.commands.rung() => {}
                () = self.ports.clock.sleep_until(poll_at) => {}
                () = self.stopped.cancelled() => return,
            }
        }
    }

    async fn obey(self: &Arc<Self>, taken: TakenCommand) {
        let scope = TenantScope::engine(taken.tenant.clone());
        let done = self.perform(&scope, &taken).await;
        let Some(answer) = Answer::of(done) else { return };
        let encoded = match serde_json::to_string(&answer) {
            Ok(encoded) => encoded,
            Err(error) => {
                return tracing::error!(error = %error, "an answer to another node has no written form");
            }
        };
        // Whoever asked waits for it as long as this node is alive.
        while let Err(error) =
            self.ports.store.commands(&scope).answer(taken.id, &self.node.id, encoded.clone()).await
        {
            tracing::warn!(error = %error, "a command of another node was not answered yet");
            if self.pause_before_retry().await.is_err() {
                return;
            }
        }
        self.announce(Announcement::Answer { command: taken.id });
    }

    async fn perform(
        self: &Arc<Self>,
        scope: &TenantScope,
        taken: &TakenCommand,
    ) -> Result<(), CommandError> {
        let decode = |source| Error::Decode { id: taken.execution.to_string(), what: "a command", source };
        let command: Command = serde_json::from_str(&taken.command).map_err(decode)?;
        let record = self.record(taken.id);
        let idempotency = self.ports.store.idempotency(scope);
        if idempotency.lookup(&record.key, record.at).await.map_err(Error::from)?.is_some() {
            return Ok(());
        }
        match self.entry(scope, &taken.execution).await? {
            Found::Here(entry) => self.commit_once(&entry, command, record).await,
            Found::Elsewhere(_) => Err(CommandError::Moved),
            Found::Nowhere => Err(self.absent(scope, &taken.execution).await?),
        }
    }

    /// That a command was done.
    fn record(&self, id: CommandId) -> IdempotencyRecord {
        let principal = PrincipalId::new("node").expect("it is a principal id");
        let key = IdempotencyKey { principal, route: "command".to_owned(), key: id.to_string() };
        let (fingerprint, response) = (String::new(), "{}".to_owned());
        IdempotencyRecord { key, fingerprint, response, at: self.ports.clock.now() }
    }
}

fn read(execution: &ExecutionId, answer: &str) -> Result<(), CommandError> {
    let decode =
        |source| Error::Decode { id: execution.to_string(), what: "the answer to a command", source };
    match serde_json::from_str::<Answer>(answer) {
        Ok(answer) => answer.result(),
        // It was not done: what was done has an answer of its own, which every program knows.
        Err(error) if error.is_data() => Err(CommandError::Unavailable {
            reason: "the node that runs this execution runs a newer program, and refused for a reason that this one does not \
                     know; ask another node"
                .to_owned(),
            retry_after_ms: RETRY_AFTER_MS,
        }),
        Err(error) => Err(decode(error).into()),
    }
}

fn unanswered(owner: &str) -> CommandError {
    let reason = match Reader::of(owner) {
        None => "the node that runs this execution does not answer",
        Some(_) => "this execution waits for a node that runs a newer program; there is none",
    };
    CommandError::Unavailable { reason: reason.to_owned(), retry_after_ms: RETRY_AFTER_MS }
}
