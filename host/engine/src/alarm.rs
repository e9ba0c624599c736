//! Wakes a loop, and tells whoever woke it how far it is.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};

/// One loop waits for it; anybody may ring it.
#[derive(Default)]
pub(crate) struct Alarm {
    rung: Notify,
    asked: AtomicU64,
    answered: watch::Sender<u64>,
}

impl Alarm {
    /// Gives what `answered` is at least when everything that was true now has been looked at.
    pub fn ring(&self) -> u64 {
        let ticket = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.rung.notify_one();
        ticket
    }

    /// An error means that the loop has ended.
    pub async fn answered(&self, ticket: u64) {
        let mut answered = self.answered.subscribe();
        drop(answered.wait_for(|answered| *answered >= ticket).await);
    }

    /// For the loop, before it looks at anything: the last one who rang.
    pub fn last_ticket(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    /// For the loop, after it has looked.
    pub fn answer(&self, ticket: u64) {
        self.answered.send_replace(ticket);
    }

    /// For the loop: somebody has rung since it was here last.
    pub async fn rung(&self) {
        self.rung.notified().await;
    }
}
