//! Admission: may this ready step start? Asked before the commit, so that one journal row says "step k completed, step
//! k+1 started under decision d".

use quantum_core::id::StepId;
use quantum_core::machine::{Admission, Execution, prepare};
use quantum_core::plan::PlannedStep;
use quantum_core::port::{ActionEntry, StepSubject};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use std::sync::Arc;

use crate::engine::Shared;

impl Shared {
    pub(crate) fn admit(&self, execution: &Execution, step: usize, now: Timestamp) -> Admission {
        let Some(planned) = execution.plan.step(step) else {
            let error = Problem::new("host-fault", format!("the plan has no step {step}"));
            return Admission::Refuse { error, decision: None };
        };
        let Some(entry) = self.pinned(execution, planned) else {
            return Admission::Refuse { error: uninstalled(planned), decision: None };
        };
        let parameters = match prepare(execution, step, &entry) {
            Ok(parameters) => parameters,
            Err(error) => return Admission::Refuse { error, decision: None },
        };
        let attempt = execution.step(step).map_or(1, |state| state.attempt + 1);
        let verdict = self.ports.gate.step_start(&subject(execution, &planned.id, entry), attempt, now);
        if verdict.allowed {
            return Admission::Start { parameters, decision: verdict.decision };
        }
        let reason = verdict.decision.reason.clone().unwrap_or_else(|| "no policy allows it".to_owned());
        let message = format!("the policies refuse to start step \"{}\": {reason}", planned.id);
        Admission::Refuse { error: Problem::new("step-denied", message), decision: Some(verdict.decision) }
    }

    pub(crate) fn pinned(&self, execution: &Execution, planned: &PlannedStep) -> Option<Arc<ActionEntry>> {
        self.ports.actions.pinned(&execution.tenant, &planned.action.component, &planned.action.name)
    }
}

/// The running step as policies see it.
pub(crate) fn subject(execution: &Execution, step: &StepId, action: Arc<ActionEntry>) -> StepSubject {
    StepSubject {
        tenant: execution.tenant.clone(),
        execution: execution.id,
        step: step.clone(),
        environment: execution.plan.document.environment,
        dry_run: false,
        requested_by: execution.requested_by.clone(),
        action,
    }
}

pub(crate) fn uninstalled(planned: &PlannedStep) -> Problem {
    let PlannedStep { action, .. } = planned;
    let message = format!(
        "the plugin \"{}\" {} ({}) is not installed any more; install it again and start a new execution",
        action.plugin, action.version, action.component
    );
    Problem::new("plugin-unavailable", message)
}
