//! Idle connections, each used again only by the same tenant and component, for the same target, to the same checked
//! address, under the same authorities. The decision is made before a connection is looked for, so reuse never skips it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quantum_core::id::{Digest, TenantId};
use tokio::time::Instant;

use super::connection::Connection;
use super::limits::{IDLE_MAX, IDLE_PER_KEY_MAX, IDLE_TIME_MAX};
use super::trust::TrustId;

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
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    idle: HashMap<Key, Vec<Idle>>,
    /// Somebody looks at them now and then, until there are none.
    swept: bool,
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

impl Kept {
    fn len(&self) -> usize {
        self.idle.values().map(Vec::len).sum()
    }

    fn sweep(&mut self) {
        self.idle.retain(|_, of_key| {
            of_key.retain(Idle::is_usable);
            !of_key.is_empty()
        });
    }
}

impl Pool {
    pub fn take(&self, key: &Key) -> Option<Connection> {
        let mut kept = self.kept();
        let of_key = kept.idle.get_mut(key)?;
        of_key.retain(Idle::is_usable);
        let taken = of_key.pop();
        if of_key.is_empty() {
            kept.idle.remove(key);
        }
        taken.map(|idle| idle.connection)
    }

    pub fn put(self: &Arc<Self>, key: Key, connection: Connection) {
        let mut kept = self.kept();
        if kept.len() >= IDLE_MAX {
            kept.sweep();
        }
        if kept.len() >= IDLE_MAX {
            return;
        }
        let of_key = kept.idle.entry(key).or_default();
        of_key.retain(Idle::is_usable);
        if of_key.len() < IDLE_PER_KEY_MAX {
            of_key.push(Idle { connection, since: Instant::now() });
        }
        if !std::mem::replace(&mut kept.swept, true) {
            self.sweep_until_empty();
        }
    }

    /// A key may never be used again, and its connections must not stay for that.
    fn sweep_until_empty(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE_TIME_MAX).await;
                let Some(pool) = pool.upgrade() else { return };
                let mut kept = pool.kept();
                kept.sweep();
                if kept.idle.is_empty() {
                    kept.swept = false;
                    return;
                }
            }
        });
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(host: usize) -> Key {
        Key {
            tenant: TenantId::new("tenant-1").unwrap(),
            component: Digest::new(format!("sha256:{}", "0".repeat(64))).unwrap(),
            logical: format!("http://{host}.example"),
            trust: None,
            tls: false,
            host: format!("{host}.example"),
            port: 80,
            address: "127.0.0.1".parse().unwrap(),
        }
    }

    /// The other ends, which must be held as long as the connections are to be usable.
    async fn fill(pool: &Arc<Pool>, keys: impl Iterator<Item = usize>) -> Vec<tokio::io::DuplexStream> {
        let mut others = Vec::new();
        for host in keys {
            let (near, far) = tokio::io::duplex(64);
            pool.put(key(host), Connection::start(near).await.unwrap());
            others.push(far);
        }
        others
    }

    /// Connections, and keys.
    fn counted(pool: &Pool) -> (usize, usize) {
        let kept = pool.kept();
        (kept.len(), kept.idle.len())
    }

    #[tokio::test(start_paused = true)]
    async fn no_key_keeps_more_than_its_share() {
        let pool = Arc::new(Pool::default());
        let _others = fill(&pool, std::iter::repeat_n(1, IDLE_PER_KEY_MAX + 1)).await;
        assert_eq!(counted(&pool), (IDLE_PER_KEY_MAX, 1));
        for left in (0..IDLE_PER_KEY_MAX).rev() {
            assert!(pool.take(&key(1)).is_some());
            assert_eq!(counted(&pool).0, left);
        }
        assert!(pool.take(&key(1)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn all_keys_together_keep_no_more_than_the_host_can_hold() {
        let pool = Arc::new(Pool::default());
        let mut others = fill(&pool, 0..IDLE_MAX + 10).await;
        assert_eq!(counted(&pool), (IDLE_MAX, IDLE_MAX));
        assert!(pool.take(&key(IDLE_MAX)).is_none(), "what came last was closed");
        // A connection that the other side closed makes place.
        others.swap_remove(0);
        while !pool.kept().idle[&key(0)][0].connection.is_closed() {
            tokio::task::yield_now().await;
        }
        let _one_more = fill(&pool, [IDLE_MAX].into_iter()).await;
        assert_eq!(counted(&pool).0, IDLE_MAX);
        assert!(pool.take(&key(IDLE_MAX)).is_some() && pool.take(&key(0)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_never_used_again_is_swept() {
        let pool = Arc::new(Pool::default());
        for _ in 0..2 {
            let _others = fill(&pool, 0..3).await;
            assert_eq!(counted(&pool), (3, 3));
            tokio::time::sleep(IDLE_TIME_MAX + IDLE_TIME_MAX).await;
            assert_eq!(counted(&pool), (0, 0));
        }
    }
}
