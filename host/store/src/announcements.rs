//! Hints between nodes that something has happened. They may be lost, and come late or twice: whoever waits for one looks
//! by itself from time to time as well.
//!
//! They go from one clone of the store to the others, which for SQLite are the nodes of one process; PostgreSQL passes
//! them on (`postgres::Notices`).

use quantum_core::id::{CommandId, ExecutionId, TenantId};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::store::Store;

/// Hints that a slow listener may lag behind. One that lags is told so, and looks at everything.
const KEPT_MAX: usize = 4_096;

/// What has happened, somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Announcement {
    /// The log of an execution has grown. Nodes of other processes are told when somebody follows it there.
    Progress { execution: ExecutionId },
    /// Somebody at this node waits for progress of an execution that another one runs; said again every few seconds.
    Following { execution: ExecutionId },
    /// Somebody asks something of a node.
    Command { node: String },
    /// The answer to a command is there.
    Answer { command: CommandId },
    /// An execution of the tenant has ended: one that waits for a place may start.
    Freed { tenant: TenantId },
    /// A node has given up what it owned.
    Claimable,
    /// Something that is neither an execution nor a log was changed, in these tenants as far as is known.
    Changed { tenants: Vec<TenantId> },
    /// Announcements may have been lost: anything may have happened.
    Missed,
}

impl Announcement {
    /// Whether somebody waits for it who was asked something.
    pub(crate) const fn is_urgent(&self) -> bool {
        matches!(self, Self::Following { .. } | Self::Command { .. } | Self::Answer { .. } | Self::Claimable)
    }
}

/// Everybody's ear.
#[derive(Debug, Clone)]
pub(crate) struct Announcements {
    pub sender: broadcast::Sender<Announcement>,
}

impl Default for Announcements {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(KEPT_MAX) }
    }
}

impl Store {
    /// Never waits. Whoever announces hears it too.
    pub fn announce(&self, announcement: Announcement) {
        if let Some(notices) = &self.notices {
            notices.announce(announcement.clone());
        }
        // An error means that nobody listens.
        let _unheard = self.announcements.sender.send(announcement);
    }

    /// What is announced from now on.
    pub fn announcements(&self) -> broadcast::Receiver<Announcement> {
        self.announcements.sender.subscribe()
    }
}
