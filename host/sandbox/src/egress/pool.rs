//! Idle connections, each used again only by the same tenant and component, for the same target, to the same checked
//! address, under the same authorities. The decision is made before a connection is looked for, so reuse never skips it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use quantum_core::id::{Digest, TenantId};

use super::connection::Connection;
use super::trust::TrustId;

/// Idle connections of one key, and of all. Over it the connection is closed instead of kept.
const IDLE_PER_KEY_MAX: usize = 8;
const IDLE_MAX: usize = 512;
/// How long a connection is kept. Servers close theirs after a minute or so.
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub tenant: TenantId,
    pub component: Digest,
    /// Scheme, host and port that the guest asked for; another endpoint's connection is not its own.
    pub logical: String,
    /// The installer's authorities that the other side's certificate was held against.
    pub trust: Option<TrustId>,
    pub tls: bool,
    pub host: String,
    pub port: u16,
    pub address: IpAddr,
}

#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<HashMap<Key, Vec<Idle>>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_usable(&self) -> bool {
        self.since.elapsed() < IDLE_TIME_MAX && !self.connection.is_closed()
    }
}

impl Pool {
    pub fn take(&self, key: &Key) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = idle.get_mut(key)?;
        of_key.retain(Idle::is_usable);
        let taken = of_key.pop();
        if of_key.is_empty() {
            idle.remove(key);
        }
        taken.map(|idle| idle.connection)
    }

    pub fn put(&self, key: Key, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.values().map(Vec::len).sum::<usize>() >= IDLE_MAX {
            idle.retain(|_, of_key| {
                of_key.retain(Idle::is_usable);
                !of_key.is_empty()
            });
        }
        let full = idle.values().map(Vec::len).sum::<usize>() >= IDLE_MAX;
        let of_key = idle.entry(key).or_default();
        of_key.retain(Idle::is_usable);
        if !full && of_key.len() < IDLE_PER_KEY_MAX {
            of_key.push(Idle { connection, since: Instant::now() });
        }
    }
}
