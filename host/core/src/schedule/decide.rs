//! What is to be done about a schedule at a time. Pure: asked again after each thing that was done, until it says wait.

use super::check::Schedule;
use super::state::ScheduleState;
use crate::id::ScheduleUid;
use crate::time::Timestamp;
use crate::vocabulary::Overlap;

/// Milliseconds after which a start is late, and the due time a missed one: lines of cron are to the minute, and a host
/// that runs starts within milliseconds.
const ON_TIME_MS: u64 = 60_000;
/// Executions of one schedule at the same time where they may overlap: more are a mistake that feeds itself. At it a due
/// time is skipped.
pub const RUNNING_MAX: usize = 100;
/// Due times that are looked at in one decision, so that a minute's schedule that was off for a year does not hold up
/// the others. The rest follows in the next one.
const LOOKED_AT_MAX: usize = 10_000;

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing until then. None: never again.
    Wait { until: Option<Timestamp> },
    /// Start its execution.
    Start { due: Timestamp },
    /// Too late for so many, of which `through` is the last one.
    Miss { count: u64, through: Timestamp },
    /// Skip it: an earlier one runs.
    Skip { due: Timestamp },
    /// Let it wait until nothing runs any more; `cancel` what runs.
    Hold { due: Timestamp, cancel: bool },
}

impl Schedule {
    /// `running`: executions of this schedule that have not ended.
    pub fn decide(&self, uid: ScheduleUid, state: &ScheduleState, running: usize, now: Timestamp) -> Act {
        if let Some(due) = state.waiting.filter(|_| running == 0) {
            return Act::Start { due };
        }
        let passed = self.passed(uid, state.handled_until, now);
        if let Some(miss) = self.miss(uid, &passed, now) {
            return miss;
        }
        match passed.first() {
            Some(due) => self.turn_of(*due, state, running),
            None => {
                let next = self.next_due(state.handled_until);
                Act::Wait { until: next.map(|due| self.starts(uid, due)) }
            }
        }
    }

    /// Due times whose turn has come, in order. One that starts later than the next one is due holds it up.
    fn passed(&self, uid: ScheduleUid, after: Timestamp, now: Timestamp) -> Vec<Timestamp> {
        let later = |due: &Timestamp| self.next_due(*due);
        let dues = std::iter::successors(self.next_due(after), later);
        dues.take_while(|due| self.starts(uid, *due) <= now).take(LOOKED_AT_MAX).collect()
    }

    fn miss(&self, uid: ScheduleUid, passed: &[Timestamp], now: Timestamp) -> Option<Act> {
        let is_late = |due: &&Timestamp| now.millis_since(self.starts(uid, **due)) > ON_TIME_MS;
        let late = passed.iter().take_while(is_late).count();
        // More may follow than were looked at; then the newest of these are missed too, in the next decision.
        let too_many = late.checked_sub(usize::try_from(self.catch_up).unwrap_or(usize::MAX))?;
        let through = *passed.get(too_many.checked_sub(1)?)?;
        Some(Act::Miss { count: too_many as u64, through })
    }

    fn turn_of(&self, due: Timestamp, state: &ScheduleState, running: usize) -> Act {
        let free = running == 0 && state.waiting.is_none();
        match self.overlap {
            _ if free => Act::Start { due },
            Overlap::Allow if running < RUNNING_MAX => Act::Start { due },
            Overlap::Allow | Overlap::Skip => Act::Skip { due },
            Overlap::Queue if state.waiting.is_some() => Act::Skip { due },
            Overlap::Queue => Act::Hold { due, cancel: false },
            Overlap::CancelRunning => Act::Hold { due, cancel: true },
        }
    }
}
