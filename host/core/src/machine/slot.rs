//! Where attempts are made.

use serde::{Deserialize, Serialize};

use crate::id::{ExecutionId, StepId};

/// A step, or one element of its `for_each`, in its run or in its compensation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// Position in the plan.
    pub step: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<u32>,
    #[serde(default, skip_serializing_if = "Phase::is_run")]
    pub phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    #[default]
    Run,
    /// Undoing what the run did.
    Compensate,
}

impl Phase {
    pub const fn is_run(&self) -> bool {
        matches!(self, Self::Run)
    }
}

impl Slot {
    pub const fn step(step: usize) -> Self {
        Self { step, element: None, phase: Phase::Run }
    }

    pub const fn element(step: usize, element: u32) -> Self {
        Self { step, element: Some(element), phase: Phase::Run }
    }

    #[must_use]
    pub const fn undone(self) -> Self {
        Self { phase: Phase::Compensate, ..self }
    }

    /// What a plugin sends along so that a repeated effect is known as one: the same for every attempt, and across
    /// restarts.
    pub fn idempotency_key(self, execution: ExecutionId, step: &StepId) -> String {
        let phase = if self.phase.is_run() { "run" } else { "compensate" };
        match self.element {
            None => format!("{execution}/{step}/{phase}"),
            Some(element) => format!("{execution}/{step}/{element}/{phase}"),
        }
    }
}
