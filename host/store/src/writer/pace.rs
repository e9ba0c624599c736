//! When the next transaction begins. Many small ones take longer than a few large ones, so that a batch with little in it
//! waits for more; but only where more is to be expected, and not for long.

use std::time::Duration;

use tokio::time::Instant;

/// Items that are worth a transaction beside one that is under way, where the database can do that.
const WORTH: usize = 16;

/// Items of a transaction that say that its callers come together: they are answered at the same time, and most of them
/// have something more to write at once.
const TOGETHER: usize = 4;

/// How long those who come first wait for the others.
const GATHER: Duration = Duration::from_millis(2);

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Items of the last transaction.
    last: usize,
    /// Since there is something to write and nothing under way: when it is written at the latest.
    until: Option<Instant>,
}

/// When a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    /// Unless more comes before.
    At(Instant),
    /// Once there is more, or the transaction has ended that is under way.
    Later,
}

impl Pace {
    /// `alone`: no other transaction is under way.
    pub fn due(&mut self, items: usize, alone: bool, now: Instant) -> Due {
        if !alone {
            return if items >= WORTH { Due::Now } else { Due::Later };
        }
        match items {
            0 => Due::Later,
            _ if self.last < TOGETHER || items >= self.last => Due::Now,
            _ => match *self.until.get_or_insert(now + GATHER) {
                until if until <= now => Due::Now,
                until => Due::At(until),
            },
        }
    }

    /// A transaction of so many items. One of log lines only says nothing of those who commit.
    pub fn begun(&mut self, items: usize) {
        if items > 0 {
            *self = Self { last: items, until: None };
        }
    }
}

impl Due {
    pub const fn at(self) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::Now | Self::Later => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(items: usize) -> Pace {
        let mut pace = Pace::default();
        pace.begun(items);
        pace
    }

    #[test]
    fn who_comes_alone_waits_for_nobody() {
        let now = Instant::now();
        for mut pace in [Pace::default(), after(TOGETHER - 1)] {
            assert_eq!(pace.due(0, true, now), Due::Later);
            assert_eq!(pace.due(1, true, now), Due::Now);
        }
    }

    #[test]
    fn who_comes_first_waits_for_the_others_and_not_for_long() {
        let now = Instant::now();
        let mut pace = after(10);
        assert_eq!(pace.due(1, true, now), Due::At(now + GATHER));
        let later = now + GATHER / 2;
        assert_eq!(pace.due(9, true, later), Due::At(now + GATHER), "the first one's time counts");
        assert_eq!(pace.due(10, true, later), Due::Now);
        assert_eq!(pace.due(9, true, now + GATHER), Due::Now);
        pace.begun(9);
        assert_eq!(pace.due(1, true, later), Due::At(later + GATHER), "a new batch has a time of its own");
    }

    #[test]
    fn log_lines_in_between_change_nothing() {
        let now = Instant::now();
        let mut pace = after(10);
        pace.begun(0);
        assert_eq!(pace.due(1, true, now), Due::At(now + GATHER));
    }

    #[test]
    fn beside_another_one_only_what_is_worth_it_is_written() {
        let now = Instant::now();
        for mut pace in [after(1), after(2 * WORTH)] {
            assert_eq!(pace.due(WORTH - 1, false, now), Due::Later);
            assert_eq!(pace.due(WORTH, false, now), Due::Now);
        }
    }
}
