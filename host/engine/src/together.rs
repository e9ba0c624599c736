//! Several starts in one transaction: each is decided by itself, and their first commits are written together.
//!
//! After a crash all that were accepted are there, or none.

use std::sync::Arc;

use futures::future::join_all;
use quantum_store::{Commit, CommitError, CommitOutcome, Journal, Unavailable};
use tokio::sync::{mpsc, oneshot};

use crate::engine::Shared;
use crate::error::StartError;
use crate::start::{StartRequest, Started};

type Answer = Result<CommitOutcome, CommitError>;

/// A place in a batch. The batch is written once every place has a commit or was dropped, so whoever holds one must not
/// wait for another member of the batch.
#[derive(Clone)]
pub(crate) struct Place(mpsc::UnboundedSender<(Commit, oneshot::Sender<Answer>)>);

/// The commits of a batch as they come.
struct Batch(mpsc::UnboundedReceiver<(Commit, oneshot::Sender<Answer>)>);

impl Shared {
    /// One answer a request, in order.
    pub(crate) async fn start_all(
        self: &Arc<Self>,
        requests: Vec<StartRequest>,
    ) -> Vec<Result<Started, StartError>> {
        // Bounded by the number of requests: each place takes one commit.
        let (sender, receiver) = mpsc::unbounded_channel();
        let place = Place(sender);
        let starts: Vec<_> =
            requests.into_iter().map(|request| self.start(request, Some(place.clone()))).collect();
        drop(place);
        let journal = self.ports.store.journal();
        let (results, ()) = tokio::join!(join_all(starts), Batch(receiver).write(&journal));
        results
    }
}

impl Place {
    /// As `Journal::commit`, with all others of the batch.
    pub async fn commit(self, commit: Commit) -> Answer {
        let (reply, answer) = oneshot::channel();
        let given_up = |_| CommitError::from(Unavailable { reason: "the batch was given up", source: None });
        self.0.send((commit, reply)).map_err(|_| given_up(()))?;
        drop(self);
        answer.await.map_err(|_| given_up(()))?
    }
}

impl Batch {
    async fn write(mut self, journal: &Journal) {
        let (mut commits, mut replies) = (Vec::new(), Vec::new());
        while let Some((commit, reply)) = self.0.recv().await {
            commits.push(commit);
            replies.push(reply);
        }
        let outcomes = journal.commit_all(commits).await;
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            // Nobody waits any more: the commit stands all the same.
            drop(reply.send(outcome));
        }
    }
}
