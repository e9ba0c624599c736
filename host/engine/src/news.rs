//! What other nodes announce, and who waits for it. News are hints: whoever waits for some looks by itself from time to
//! time as well.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quantum_core::id::{CommandId, ExecutionId};
use quantum_core::time::Timestamp;
use quantum_store::{Announcement, TenantScope};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use uuid::Uuid;

use crate::engine::Shared;

/// How often a node says which executions it follows. It is forgotten after a multiple of it (`store::postgres::followed`).
const SAID_EVERY_MS: u64 = 1_000;
/// How long it may take until the other nodes have heard it.
const HEARD_WITHIN_MS: u64 = 20;

/// Who waits for news of which execution, or command.
#[derive(Default)]
pub(crate) struct News {
    waiting: Mutex<HashMap<Uuid, watch::Sender<()>>>,
}

/// Hears what is new of one execution or command, from the moment on at which it was made.
pub(crate) struct Ear {
    news: Arc<News>,
    id: Uuid,
    heard: watch::Receiver<()>,
    follows: Option<Follows>,
}

/// Of an execution that another node runs. That one tells of it when it knows that somebody follows.
struct Follows {
    execution: ExecutionId,
    said_at: Option<Timestamp>,
}

impl News {
    pub fn of_command(self: &Arc<Self>, id: CommandId) -> Ear {
        self.of(id.as_uuid(), None)
    }

    pub fn of_execution(self: &Arc<Self>, id: ExecutionId) -> Ear {
        self.of(id.as_uuid(), Some(Follows { execution: id, said_at: None }))
    }

    fn of(self: &Arc<Self>, id: Uuid, follows: Option<Follows>) -> Ear {
        let heard = self.lock().entry(id).or_default().subscribe();
        Ear { news: self.clone(), id, heard, follows }
    }

    fn tell(&self, id: Uuid) {
        if let Some(sender) = self.lock().get(&id) {
            sender.send_replace(());
        }
    }

    fn tell_all(&self) {
        self.lock().values().for_each(|sender| sender.send_replace(()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut waiting = self.news.lock();
        // This one's own receiver is still there.
        if waiting.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiting.remove(&self.id);
        }
    }
}

impl Shared {
    /// Returns when there is news, or when it is time to look without any. Safe to drop.
    pub(crate) async fn wait_for_news(&self, ear: &mut Ear) {
        let look_in = self.say_who_follows(ear);
        let look_at = self.ports.clock.now().plus_millis(look_in);
        tokio::select! {
            heard = ear.heard.changed() => drop(heard),
            () = self.ports.clock.sleep_until(look_at) => {}
        }
    }

    /// Gives in how many milliseconds it is time to look without news.
    fn say_who_follows(&self, ear: &mut Ear) -> u64 {
        let Some(follows) = &mut ear.follows else { return self.options.poll_ms };
        let now = self.ports.clock.now();
        if follows.said_at.is_some_and(|said_at| now.millis_since(said_at) < SAID_EVERY_MS) {
            return self.options.poll_ms;
        }
        let is_first = follows.said_at.replace(now).is_none();
        self.announce(Announcement::Following { execution: follows.execution });
        // What happened before the other node heard it was not told.
        if is_first { HEARD_WITHIN_MS.min(self.options.poll_ms) } else { self.options.poll_ms }
    }

    /// Passes announcements on until everything has ended.
    pub(crate) async fn listen(self: Arc<Self>, mut announcements: Receiver<Announcement>) {
        if self.is_alone() {
            return;
        }
        loop {
            let heard = tokio::select! {
                heard = announcements.recv() => heard,
                () = self.stopped.cancelled() => return,
            };
            match heard {
                Ok(announcement) => self.hear(&announcement),
                Err(RecvError::Lagged(_)) => self.hear_everything(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn hear(self: &Arc<Self>, announcement: &Announcement) {
        match announcement {
            Announcement::Progress { execution } => self.news.tell(execution.as_uuid()),
            Announcement::Answer { command } => self.news.tell(command.as_uuid()),
            Announcement::Command { node } if *node == self.node.id => drop(self.commands.ring()),
            Announcement::Command { .. } | Announcement::Following { .. } => {}
            Announcement::Freed { tenant } => self.place_freed(&TenantScope::engine(tenant.clone())),
            Announcement::Claimable => drop(self.claims.ring()),
            Announcement::Changed { .. } => drop(self.schedules.ring()),
            Announcement::Missed => self.hear_everything(),
        }
    }

    /// Too much was announced at once, so that anything may have been.
    fn hear_everything(self: &Arc<Self>) {
        self.news.tell_all();
        for alarm in [&self.commands, &self.claims, &self.schedules] {
            alarm.ring();
        }
        for tenant in self.places.tenants_waiting() {
            self.place_freed(&TenantScope::engine(tenant));
        }
    }
}
