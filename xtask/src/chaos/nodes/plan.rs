//! What happens to the nodes and to their database, and when, drawn from the seed. Pure: nothing here touches a process.

use std::ops::Range;

use fastrand::Rng;
use serde::Serialize;

/// Mean time between two events. Some of them last for seconds, so that several happen beside each other.
const GAP_MS_MEAN: f64 = 700.0;
const GAP_MS: Range<u64> = 50..3_000;
/// How long a node that was killed or ended stays away: shorter and longer than its lease.
const DOWN_MS: Range<u64> = 0..3_500;
/// Longer than a lease (see `node::LEASE_MS`), so that others take over and the node comes back as if nothing were.
const PAUSE_MS: Range<u64> = 2_500..5_000;
/// How long the network is slow, holds everything back, or is cut.
const WEATHER_MS: Range<u64> = 300..4_000;
/// By how much it is slow: one way, for each packet.
const DELAY_MS: Range<u64> = 5..1_500;
/// How long the database stays away.
const DATABASE_DOWN_MS: Range<u64> = 0..3_000;

/// One event, and how long after the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub after_ms: u64,
    /// The node that it is meant for; where that is in trouble already, the next one that is not.
    pub node: usize,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// SIGKILL, also while it starts.
    Kill { down_ms: u64 },
    /// SIGTERM.
    End { down_ms: u64 },
    /// SIGSTOP, and SIGCONT past its lease.
    Pause { for_ms: u64 },
    /// What it says to the database, and what that answers, comes late.
    Delay { by_ms: u64, for_ms: u64 },
    /// Nothing passes between it and the database, and no connection ends.
    Hold { for_ms: u64 },
    /// Its connections are dead, and neither end is told; new ones are not answered for a while.
    HalfOpen { for_ms: u64 },
    /// Its connections end, and no new one comes about.
    Cut { for_ms: u64 },
    /// The database ends its connections, once.
    Disconnect,
    /// The database is stopped in order.
    Restart { down_ms: u64 },
    /// SIGKILL to the database and all its processes.
    Crash { down_ms: u64 },
}

impl What {
    pub const fn is_about_database(self) -> bool {
        matches!(self, Self::Restart { .. } | Self::Crash { .. })
    }
}

/// Draws events, always the same ones from the same seed.
#[derive(Debug)]
pub struct Plan {
    rng: Rng,
    nodes: usize,
}

impl Plan {
    pub fn new(seed: u64, nodes: usize) -> Self {
        Self { rng: Rng::with_seed(seed), nodes }
    }

    pub fn next_event(&mut self) -> Event {
        let after_ms = self.exponential();
        let node = self.rng.usize(..self.nodes);
        let what = match self.rng.u32(..32) {
            0..12 => What::Kill { down_ms: self.rng.u64(DOWN_MS) },
            12..16 => What::End { down_ms: self.rng.u64(DOWN_MS) },
            16..20 => What::Pause { for_ms: self.rng.u64(PAUSE_MS) },
            20..22 => What::Delay { by_ms: self.rng.u64(DELAY_MS), for_ms: self.rng.u64(WEATHER_MS) },
            22..25 => What::Hold { for_ms: self.rng.u64(WEATHER_MS) },
            25..27 => What::Cut { for_ms: self.rng.u64(WEATHER_MS) },
            27 => What::Disconnect,
            28 => What::Restart { down_ms: self.rng.u64(DATABASE_DOWN_MS) },
            29..31 => What::HalfOpen { for_ms: self.rng.u64(PAUSE_MS) },
            _ => What::Crash { down_ms: self.rng.u64(DATABASE_DOWN_MS) },
        };
        Event { after_ms, node, what }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number, bounded")]
    fn exponential(&mut self) -> u64 {
        ((-(1.0 - self.rng.f64()).ln() * GAP_MS_MEAN) as u64).clamp(GAP_MS.start, GAP_MS.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(seed: u64) -> Vec<Event> {
        let mut plan = Plan::new(seed, 3);
        (0..1_000).map(|_| plan.next_event()).collect()
    }

    #[test]
    fn a_seed_always_gives_the_same_events() {
        assert_eq!(events(7), events(7));
        assert_ne!(events(7), events(8));
    }

    #[test]
    fn every_kind_happens_to_every_node() {
        for node in 0..3 {
            let events = events(1).into_iter().filter(|event| event.node == node);
            let kinds: std::collections::HashSet<_> =
                events.map(|event| std::mem::discriminant(&event.what)).collect();
            assert_eq!(kinds.len(), 10);
        }
    }
}
