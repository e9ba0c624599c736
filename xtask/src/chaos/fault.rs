//! What each host of a run goes through, drawn from the seed. Pure: nothing here touches a process.

use fastrand::Rng;

/// Mean time between a host's readiness and its SIGKILL.
const UPTIME_MS_MEAN: f64 = 300.0;
/// No host lives longer: the exponential distribution has no end.
const UPTIME_MS_MAX: u64 = 3_000;
/// One host of so many dies while it starts.
const STARTING_ONE_IN: u32 = 6;
/// Mean time from the spawn of such a host to its death.
const STARTING_MS_MEAN: f64 = 250.0;
/// One host of so many is asked to end (SIGTERM) instead of being killed.
const ASKED_ONE_IN: u32 = 16;
/// One host of so many is stopped (SIGSTOP) for a while.
const STOPPED_ONE_IN: u32 = 4;
/// Longest time that a host is stopped: shorter than the patience of a client.
const STOPPED_MS_MAX: u64 = 900;
/// One host of so many finds no room on its disk for a while.
const FULL_ONE_IN: u32 = 8;
/// Shortest and longest time without room: long enough that clients and steps meet it.
const FULL_MS: std::ops::Range<u64> = 400..2_000;
/// Bytes that may still be written in half of these cases: the log is cut in the middle of a transaction then.
const ROOM_BYTES_MAX: u64 = 96 * 1024;
/// The clock of a host runs ahead by up to this much. It never runs behind the machine's: tokens are made by that one.
const CLOCK_MS_MAX: i64 = 2 * 60 * 60 * 1_000;
/// Small jumps, as of a clock that is corrected.
const CLOCK_MS_SMALL: i64 = 1_500;

/// One process, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// By how much its clock is ahead of the machine's.
    pub clock_shift_ms: i64,
    pub death: Death,
    pub trouble: Option<Trouble>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// After its spawn.
    Starting { after_ms: u64 },
    /// After its readiness, and after its trouble.
    Ready { uptime_ms: u64 },
    /// The same, by SIGTERM: it must end in order, under load.
    Asked { uptime_ms: u64 },
}

/// What happens to a host before it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// SIGSTOP, and SIGCONT later.
    Stopped {
        after_ms: u64,
        for_ms: u64,
    },
    DiskFull {
        after_ms: u64,
        for_ms: u64,
        room: Room,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// No file takes another byte, the host's own log included.
    None,
    /// So many bytes fit behind the end of the database's log.
    Bytes(u64),
}

/// Draws lives, always the same ones from the same seed.
#[derive(Debug)]
pub struct Fate {
    rng: Rng,
    clock_shift_ms: i64,
}

impl Fate {
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), clock_shift_ms: CLOCK_MS_MAX / 2 }
    }

    pub fn next_life(&mut self) -> Life {
        self.clock_shift_ms = self.next_clock();
        if self.one_in(STARTING_ONE_IN) {
            let after_ms = self.exponential(STARTING_MS_MEAN);
            let death = Death::Starting { after_ms };
            return Life { clock_shift_ms: self.clock_shift_ms, death, trouble: None };
        }
        let uptime_ms = self.exponential(UPTIME_MS_MEAN);
        let asked = self.one_in(ASKED_ONE_IN);
        let death = if asked { Death::Asked { uptime_ms } } else { Death::Ready { uptime_ms } };
        Life { clock_shift_ms: self.clock_shift_ms, death, trouble: self.trouble() }
    }

    /// Half of the hosts find the clock where it was, most others a little off, some far.
    fn next_clock(&mut self) -> i64 {
        let shift = match self.rng.u32(..8) {
            0..4 => self.clock_shift_ms,
            4..7 => self.clock_shift_ms + self.rng.i64(-CLOCK_MS_SMALL..=CLOCK_MS_SMALL),
            _ => self.rng.i64(0..=CLOCK_MS_MAX),
        };
        shift.clamp(0, CLOCK_MS_MAX)
    }

    fn trouble(&mut self) -> Option<Trouble> {
        let after_ms = self.rng.u64(..200);
        if self.one_in(FULL_ONE_IN) {
            let room = if self.rng.bool() { Room::None } else { Room::Bytes(self.rng.u64(..ROOM_BYTES_MAX)) };
            return Some(Trouble::DiskFull { after_ms, for_ms: self.rng.u64(FULL_MS), room });
        }
        let stopped = Trouble::Stopped { after_ms, for_ms: self.rng.u64(20..=STOPPED_MS_MAX) };
        self.one_in(STOPPED_ONE_IN).then_some(stopped)
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.rng.u32(..count) == 0
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number, bounded")]
    fn exponential(&mut self, mean_ms: f64) -> u64 {
        ((-(1.0 - self.rng.f64()).ln() * mean_ms) as u64).min(UPTIME_MS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(seed: u64) -> Vec<Life> {
        let mut fate = Fate::new(seed);
        (0..2_000).map(|_| fate.next_life()).collect()
    }

    #[test]
    fn a_seed_always_gives_the_same_lives() {
        assert_eq!(lives(7), lives(7));
        assert_ne!(lives(7), lives(8));
    }

    #[test]
    fn every_trouble_happens_and_uptimes_have_the_mean() {
        let lives = lives(1);
        let uptimes: Vec<u64> = lives
            .iter()
            .filter_map(|life| match life.death {
                Death::Ready { uptime_ms } | Death::Asked { uptime_ms } => Some(uptime_ms),
                Death::Starting { .. } => None,
            })
            .collect();
        let mean = uptimes.iter().sum::<u64>() / uptimes.len() as u64;
        assert!((270..=330).contains(&mean), "{mean}");
        assert!(uptimes.len() < lives.len());
        assert!(lives.iter().any(|life| matches!(life.death, Death::Asked { .. })));
        let some = |found: fn(&Trouble) -> bool| lives.iter().filter_map(|l| l.trouble.as_ref()).any(found);
        assert!(some(|trouble| matches!(trouble, Trouble::Stopped { .. })));
        assert!(some(|trouble| matches!(trouble, Trouble::DiskFull { room: Room::None, .. })));
        assert!(some(|trouble| matches!(trouble, Trouble::DiskFull { room: Room::Bytes(_), .. })));
    }

    #[test]
    fn clocks_jump_both_ways_and_never_behind_the_machine() {
        let shifts: Vec<i64> = lives(1).iter().map(|life| life.clock_shift_ms).collect();
        assert!(shifts.windows(2).any(|pair| pair[1] < pair[0] - 60_000));
        assert!(shifts.windows(2).any(|pair| pair[1] > pair[0] + 60_000));
        assert!(shifts.iter().all(|shift| (0..=CLOCK_MS_MAX).contains(shift)));
    }
}
