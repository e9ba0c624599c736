//! One run of a plan, as folding its events gives it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::slot::{Phase, Slot};
use super::step_state::StepState;
use crate::expression::{Scope, StepView};
use crate::id::{ExecutionId, StepId, TenantId};
use crate::intent::OnError;
use crate::json::Json;
use crate::plan::{PinnedAction, Plan, PlannedStep};
use crate::port::Requester;
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// What an execution is before its first event.
#[derive(Debug, Clone)]
pub struct NewExecution {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub plan: Arc<Plan>,
    pub input: Json,
    pub requested_by: Requester,
    pub created_at: Timestamp,
    pub dry_run: bool,
    pub origin: Option<Origin>,
}

/// The execution that another one came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A step of the parent waits for it.
    Child {
        parent: ExecutionId,
        slot: Slot,
        /// Executions above it.
        depth: u32,
    },
    Replay {
        of: ExecutionId,
        /// The first step that runs again; none: all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<StepId>,
    },
}

impl Origin {
    /// Executions above this one.
    pub const fn depth(origin: Option<&Self>) -> u32 {
        match origin {
            Some(Self::Child { depth, .. }) => *depth,
            Some(Self::Replay { .. }) | None => 0,
        }
    }
}

/// Written by `apply` alone.
#[derive(Debug, Clone)]
pub struct Execution {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub plan: Arc<Plan>,
    pub input: Json,
    pub requested_by: Requester,
    pub created_at: Timestamp,
    pub dry_run: bool,
    pub origin: Option<Origin>,
    pub status: ExecutionStatus,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// When its own timeout falls.
    pub deadline: Option<Timestamp>,
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
    /// By position in the plan.
    pub steps: Vec<StepState>,
    /// What can be undone, in the order of completion.
    pub undo: Vec<Slot>,
    /// `seq` of the last event; 0 before the first.
    pub last_seq: u64,
    pub cancel_requested: bool,
    pub timed_out: bool,
    /// The limit that holds it back.
    pub queued_by: Option<String>,
    pub output: Option<Json>,
    pub error: Option<Problem>,
    /// Bytes of all results as JSON text.
    pub result_bytes: usize,
    /// What expressions read as `execution`.
    pub(super) context: Value,
}

impl Execution {
    pub fn new(new: NewExecution) -> Self {
        let steps = vec![StepState::default(); new.plan.document.steps.len()];
        let context = json!({ "id": new.id, "started_at": new.created_at });
        Self {
            id: new.id,
            tenant: new.tenant,
            plan: new.plan,
            input: new.input,
            requested_by: new.requested_by,
            created_at: new.created_at,
            dry_run: new.dry_run,
            origin: new.origin,
            status: ExecutionStatus::Queued,
            started_at: None,
            ended_at: None,
            deadline: None,
            paused_at: None,
            steps,
            undo: Vec::new(),
            last_seq: 0,
            cancel_requested: false,
            timed_out: false,
            queued_by: None,
            output: None,
            error: None,
            result_bytes: 0,
            context,
        }
    }

    pub fn step(&self, at: usize) -> Option<&StepState> {
        self.steps.get(at)
    }

    /// The state of a step, of an element, or of its compensation. None: there is none yet.
    pub fn slot(&self, slot: Slot) -> Option<&StepState> {
        let step = self.steps.get(slot.step)?;
        let state = match slot.element {
            None => step,
            Some(element) => step.fan_out.as_ref()?.element(element)?,
        };
        match slot.phase {
            Phase::Run => Some(state),
            Phase::Compensate => state.undo.as_deref(),
        }
    }

    /// The action of a component that is run at this place.
    pub fn action(&self, slot: Slot) -> Option<&PinnedAction> {
        let planned = self.plan.step(slot.step)?;
        match slot.phase {
            Phase::Run => planned.action.component(),
            Phase::Compensate => planned.compensate.as_ref().map(|undo| &undo.action),
        }
    }

    pub fn has(&self, status: StepStatus) -> bool {
        self.steps.iter().any(|step| step.status == status)
    }

    /// Steps beside what the plan says of them.
    pub fn planned(&self) -> impl Iterator<Item = (usize, &PlannedStep, &StepState)> {
        let steps = self.plan.document.steps.iter().zip(&self.steps).enumerate();
        steps.map(|(at, (planned, state))| (at, planned, state))
    }

    /// Every place at which something may run or wait: steps, and elements that have a state.
    pub fn slots(&self) -> impl Iterator<Item = (Slot, &StepState)> {
        self.steps.iter().enumerate().flat_map(|(at, step)| {
            let elements = step.fan_out.iter().flat_map(|fan_out| fan_out.elements.iter().zip(0..));
            let elements = elements.map(move |(state, element)| (Slot::element(at, element), state));
            std::iter::once((Slot::step(at), step)).chain(elements)
        })
    }

    /// Those of them that have begun and not ended.
    pub fn open_slots(&self) -> impl Iterator<Item = (Slot, &StepState)> {
        self.steps.iter().enumerate().filter(|(_, step)| is_open(step.status)).flat_map(|(at, step)| {
            let fan_out = step.fan_out.as_deref();
            let open = fan_out.into_iter().flat_map(|fan_out| {
                // Parked elements are none of the open ones, and rare.
                let parked = fan_out.elements.iter().zip(0..).filter(|_| fan_out.parked > 0);
                let parked = parked.filter(|(state, _)| state.status == StepStatus::Parked);
                let open =
                    fan_out.open.iter().filter_map(|element| Some((fan_out.element(*element)?, *element)));
                open.chain(parked)
            });
            let open = open.map(move |(state, element)| (Slot::element(at, element), state));
            std::iter::once((Slot::step(at), step)).chain(open)
        })
    }

    /// Attempts that run, by their slots.
    pub fn running(&self) -> Vec<(Slot, u32)> {
        if self.status == ExecutionStatus::Compensating {
            let undo = self.next_undo().and_then(|slot| Some((slot, self.slot(slot)?)));
            let running = undo.filter(|(_, undo)| undo.status == StepStatus::Compensating);
            return running.map(|(slot, undo)| (slot, undo.attempt)).into_iter().collect();
        }
        let open = self.open_slots();
        let running =
            open.filter(|(_, state)| state.status == StepStatus::Running && state.fan_out.is_none());
        running.map(|(slot, state)| (slot, state.attempt)).collect()
    }

    /// Steps that ended, for progress.
    pub fn steps_done(&self) -> usize {
        self.steps.iter().filter(|step| step.status.is_terminal()).count()
    }

    /// The failed steps that fail the execution.
    pub(super) fn failures(&self) -> impl Iterator<Item = (usize, &PlannedStep, &StepState)> {
        self.planned().filter(|(_, planned, state)| {
            state.status == StepStatus::Failed && planned.on_error == OnError::Fail
        })
    }

    /// No further step starts: one failed, somebody asked to cancel, or the time is over.
    pub fn is_stopping(&self) -> bool {
        self.cancel_requested || self.timed_out || self.failures().next().is_some()
    }

    /// What may start now: a step whose dependencies ended, an attempt that is due, an element, or the next
    /// compensation.
    pub fn next_ready(&self, now: Timestamp) -> Option<Slot> {
        match self.status {
            ExecutionStatus::Running if !self.is_stopping() => {
                self.planned().find_map(|(at, planned, state)| self.ready_of(at, planned, state, now))
            }
            ExecutionStatus::Compensating => {
                let slot = self.next_undo()?;
                let ready = self.slot(slot).is_none_or(|undo| undo.is_due(now));
                ready.then_some(slot)
            }
            _ => None,
        }
    }

    fn ready_of(&self, at: usize, planned: &PlannedStep, state: &StepState, now: Timestamp) -> Option<Slot> {
        match (state.status, &state.fan_out) {
            (StepStatus::Pending, _) => {
                let ended = |other: &usize| self.step(*other).is_some_and(|step| step.status.is_terminal());
                planned.waits_for.iter().all(ended).then_some(Slot::step(at))
            }
            (StepStatus::Retrying, _) if state.is_due(now) => Some(Slot::step(at)),
            (StepStatus::Running, Some(fan_out)) if !is_failing(planned, state) => {
                let parallel_max = planned.for_each.as_ref().map_or(1, |for_each| for_each.max_parallel);
                let element = fan_out.next_ready(parallel_max as usize, now)?;
                Some(Slot::element(at, element))
            }
            _ => None,
        }
    }

    /// The last thing that completed and is not undone yet.
    pub(super) fn next_undo(&self) -> Option<Slot> {
        let undone = |slot: &Slot| self.slot(*slot).is_some_and(|undo| undo.status.is_terminal());
        self.undo.iter().rev().map(|slot| slot.undone()).find(|slot| !undone(slot))
    }

    /// The earliest time at which something is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self.status {
            ExecutionStatus::Running => {
                let steps = self.open_slots().map(|(_, state)| state);
                let timed =
                    |step: &&StepState| matches!(step.status, StepStatus::Retrying | StepStatus::Waiting);
                steps.filter(timed).filter_map(|step| step.due_at).chain(self.deadline).min()
            }
            ExecutionStatus::Compensating => {
                let undo = self.slot(self.next_undo()?)?;
                undo.due_at.filter(|_| undo.status == StepStatus::Retrying)
            }
            _ => None,
        }
    }

    /// Calls `read` with what expressions may see now, at this place.
    pub fn with_scope<T>(&self, slot: Option<Slot>, read: impl FnOnce(&Scope<'_>) -> T) -> T {
        let step = |id: &str| {
            let state = self.step(self.plan.position(id)?)?;
            Some(StepView { status: state.shown_status(), output: state.output.as_deref() })
        };
        let element = slot.and_then(|slot| {
            let name = &self.plan.step(slot.step)?.for_each.as_ref()?.variable;
            Some((name.as_str(), self.step(slot.step)?.fan_out.as_ref()?.item(slot.element?)?))
        });
        let undone = slot.filter(|slot| slot.phase == Phase::Compensate);
        let result = undone.and_then(|slot| self.slot(Slot { phase: Phase::Run, ..slot })?.output.as_deref());
        read(&Scope {
            input: &self.input,
            intent: &self.plan.intent,
            execution: &self.context,
            element,
            result,
            step: &step,
        })
    }
}

const fn is_open(status: StepStatus) -> bool {
    matches!(status, StepStatus::Running | StepStatus::Retrying | StepStatus::Waiting | StepStatus::Parked)
}

/// An element failed, and the step does not go on without it.
pub(super) fn is_failing(planned: &PlannedStep, state: &StepState) -> bool {
    planned.on_error == OnError::Fail && state.fan_out.as_ref().is_some_and(|fan_out| fan_out.failed > 0)
}
