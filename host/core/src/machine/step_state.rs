//! What is known of one step, of one element of it, or of its compensation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::event::SkipCause;
use crate::builtin::Wait;
use crate::json::Json;
use crate::port::{Bill, Decision, Requester};
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::vocabulary::StepStatus;

#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    pub status: StepStatus,
    /// Attempts that started.
    pub attempt: u32,
    /// Those of them that came before the last restart, and do not count for the retry policy any more.
    pub attempts_before: u32,
    /// When the next attempt may start, while `retrying`; when the attempt ends at the latest, while `running`; when
    /// the wait does, while `waiting`.
    pub due_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub output: Option<Json>,
    pub error: Option<Problem>,
    pub reason: Option<String>,
    pub skipped: Option<SkipCause>,
    pub decision: Option<Decision>,
    /// Of all attempts together; `memory_bytes_peak` is the largest.
    pub bill: Bill,
    pub waiting: Option<Waiting>,
    /// Of a step with `for_each`, once its list is known.
    pub fan_out: Option<Box<FanOut>>,
    /// Its compensation, once it has begun.
    pub undo: Option<Box<StepState>>,
}

/// What a step waits for, and what came so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub wait: Wait,
    pub approvals: Vec<Requester>,
}

/// The elements of a `for_each`. They start in order, so that those that have no state yet are the last ones.
#[derive(Debug, Clone, PartialEq)]
pub struct FanOut {
    /// The list.
    pub items: Json,
    pub elements: Vec<StepState>,
    /// Elements that run, wait, or will be tried again.
    pub open: BTreeSet<u32>,
    /// Those of them that run or wait.
    pub active: usize,
    pub failed: usize,
    pub parked: usize,
    /// Bytes of the elements' results as JSON text.
    pub result_bytes: usize,
}

impl Default for StepState {
    fn default() -> Self {
        Self {
            status: StepStatus::Pending,
            attempt: 0,
            attempts_before: 0,
            due_at: None,
            started_at: None,
            ended_at: None,
            output: None,
            error: None,
            reason: None,
            skipped: None,
            decision: None,
            bill: Bill::default(),
            waiting: None,
            fan_out: None,
            undo: None,
        }
    }
}

impl StepState {
    /// A step as people see it: one that is undone is not simply succeeded any more.
    pub fn shown_status(&self) -> StepStatus {
        let elements = self.fan_out.as_deref().filter(|_| self.status == StepStatus::Succeeded);
        match (&self.undo, elements) {
            (None, Some(fan_out)) => fan_out.shown_status(),
            (None, None) => self.status,
            (Some(undo), _) if undo.status.is_terminal() => undo.status,
            (Some(_), _) => StepStatus::Compensating,
        }
    }

    /// Its result, or that of an element, was undone, or is about to be.
    pub fn is_undone(&self) -> bool {
        let elements = self.fan_out.iter().flat_map(|fan_out| &fan_out.elements);
        self.undo.is_some() || elements.into_iter().any(|element| element.undo.is_some())
    }

    /// Tried again as soon as there is room.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.status == StepStatus::Retrying && self.due_at.is_none_or(|due| due <= now)
    }

    /// Forgets how it ended, so that it runs again. Attempts stay counted, and so does what they used.
    pub(super) fn reset(&mut self, status: StepStatus) {
        self.status = status;
        self.attempts_before = self.attempt;
        self.due_at = None;
        self.started_at = None;
        self.ended_at = None;
        self.error = None;
        self.reason = None;
        self.skipped = None;
        self.waiting = None;
    }
}

impl FanOut {
    pub fn new(items: Json) -> Self {
        Self {
            items,
            elements: Vec::new(),
            open: BTreeSet::new(),
            active: 0,
            failed: 0,
            parked: 0,
            result_bytes: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.items.as_array().map_or(0, Vec::len)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn item(&self, element: u32) -> Option<&Value> {
        self.items.get(element as usize)
    }

    pub fn element(&self, element: u32) -> Option<&StepState> {
        self.elements.get(element as usize)
    }

    /// Of a step that completed: its elements are undone one by one.
    fn shown_status(&self) -> StepStatus {
        let undone = |status| {
            let elements = self.elements.iter().filter_map(|element| element.undo.as_ref());
            elements.filter(|undo| undo.status == status).count()
        };
        let (well, badly) = (undone(StepStatus::Compensated), undone(StepStatus::CompensationFailed));
        let begun = self.elements.iter().any(|element| element.undo.is_some());
        match begun {
            false => StepStatus::Succeeded,
            true if well + badly < self.elements.len() => StepStatus::Compensating,
            true if badly > 0 => StepStatus::CompensationFailed,
            true => StepStatus::Compensated,
        }
    }

    /// The element to start next, while there is room.
    pub(super) fn next_ready(&self, parallel_max: usize, now: Timestamp) -> Option<u32> {
        if self.active >= parallel_max {
            return None;
        }
        let due = |element: &&u32| self.element(**element).is_some_and(|state| state.is_due(now));
        if let Some(element) = self.open.iter().find(due) {
            return Some(*element);
        }
        // One that waits for its next attempt keeps its place.
        let room = self.open.len() < parallel_max && self.elements.len() < self.len();
        room.then(|| u32::try_from(self.elements.len()).ok()).flatten()
    }

    /// Every element has started, and none is open or parked.
    pub(super) fn is_done(&self) -> bool {
        self.elements.len() == self.len() && self.open.is_empty() && self.parked == 0
    }

    /// The results in the order of the list; null where there is none.
    pub(super) fn results(&self) -> Value {
        let output = |state: &StepState| state.output.as_deref().cloned().unwrap_or(Value::Null);
        Value::Array(self.elements.iter().map(output).collect())
    }

    /// INVARIANT: the counters say what the elements' states do; every change of one goes through here.
    pub(super) fn moved(&mut self, element: u32, before: StepStatus, after: StepStatus) {
        let active = |status| matches!(status, StepStatus::Running | StepStatus::Waiting);
        self.active = self.active - usize::from(active(before)) + usize::from(active(after));
        self.failed = count(self.failed, StepStatus::Failed, before, after);
        self.parked = count(self.parked, StepStatus::Parked, before, after);
        if active(after) || after == StepStatus::Retrying {
            self.open.insert(element);
        } else {
            self.open.remove(&element);
        }
    }
}

fn count(known: usize, status: StepStatus, before: StepStatus, after: StepStatus) -> usize {
    known - usize::from(before == status) + usize::from(after == status)
}
