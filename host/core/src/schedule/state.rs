//! What has become of the due times of a schedule so far. `record` is its only writer.

use serde::{Deserialize, Serialize};

use crate::id::ExecutionId;
use crate::problem::Problem;
use crate::time::Timestamp;

/// Where a schedule stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleState {
    /// Nothing that was due until then is looked at again. INVARIANT: it only moves forward.
    pub handled_until: Timestamp,
    /// A due time, handled already, that starts when nothing of the schedule runs any more.
    pub waiting: Option<Timestamp>,
    pub progress: Progress,
}

/// What is told about it. Every due time that was handled is in one of the counts, or waits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Executions that had not ended when it was last looked.
    pub running: Vec<ExecutionId>,
    pub counts: Counts,
    pub last_start: Option<LastStart>,
    pub last_error: Option<LastError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub started: u64,
    /// Passed while nobody could start them, and more than were to be made up.
    pub missed: u64,
    /// Skipped because an earlier execution still ran.
    pub overlapped: u64,
    /// Not started because the intent or the policies did not let it.
    pub refused: u64,
    /// Since the last start.
    pub refused_in_a_row: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastStart {
    pub due_at: Timestamp,
    pub started_at: Timestamp,
    pub execution: ExecutionId,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastError {
    pub due_at: Timestamp,
    pub at: Timestamp,
    pub problem: Problem,
}

/// What became of one due time, or of several.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Started(LastStart),
    Refused(LastError),
    /// So many, of which `through` is the last one.
    Missed {
        count: u64,
        through: Timestamp,
    },
    Overlapped {
        due: Timestamp,
    },
    /// It waits, instead of the one that waited before.
    Held {
        due: Timestamp,
    },
}

impl ScheduleState {
    /// A schedule of which nothing before `now` counts.
    pub fn new(now: Timestamp) -> Self {
        Self { handled_until: now, waiting: None, progress: Progress::default() }
    }

    pub fn record(&mut self, outcome: Outcome) {
        let Progress { running, counts, last_start, last_error } = &mut self.progress;
        let due = match outcome {
            Outcome::Started(start) => {
                counts.started += 1;
                counts.refused_in_a_row = 0;
                if !running.contains(&start.execution) {
                    running.push(start.execution);
                }
                let due = start.due_at;
                *last_start = Some(start);
                due
            }
            Outcome::Refused(error) => {
                counts.refused += 1;
                counts.refused_in_a_row += 1;
                let due = error.due_at;
                *last_error = Some(error);
                due
            }
            Outcome::Missed { count, through } => {
                counts.missed += count;
                through
            }
            Outcome::Overlapped { due } => {
                counts.overlapped += 1;
                due
            }
            Outcome::Held { due } => {
                counts.overlapped += u64::from(self.waiting.is_some());
                self.waiting = Some(due);
                self.handled_until = self.handled_until.max(due);
                return;
            }
        };
        if self.waiting == Some(due) {
            self.waiting = None;
        }
        self.handled_until = self.handled_until.max(due);
    }
}
