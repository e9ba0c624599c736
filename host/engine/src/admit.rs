//! Admission: may what is ready start? Asked before the commit, so that one journal row says "step k completed, step
//! k+1 started under decision d".

use quantum_core::id::{ExecutionId, StepId};
use quantum_core::machine::{
    Admission, Circumstances, Execution, Prepared, Slot, fill, prepare, skipped_by_dry_run,
};
use quantum_core::plan::PinnedAction;
use quantum_core::port::{ActionEntry, StepSubject};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

use crate::engine::Shared;

impl Shared {
    pub(crate) fn admit(&self, execution: &Execution, slot: Slot, now: Timestamp) -> Admission {
        if let Some(skipped) = self.rehearsed(execution, slot) {
            return skipped;
        }
        let circumstances = Circumstances { now, child: new_execution_id(now) };
        let (action, template) = match prepare(execution, slot, circumstances) {
            Prepared::Decided(admission) => return admission,
            Prepared::Attempt { action, template } => (action, template),
        };
        let Some(entry) = self.pinned(execution, action) else {
            return Admission::refuse(uninstalled(action));
        };
        let parameters = match fill(execution, slot, template, &entry) {
            Ok(parameters) => parameters,
            Err(error) => return Admission::refuse(error),
        };
        let Some(planned) = execution.plan.step(slot.step) else {
            return Admission::refuse(Problem::new("host-fault", "the plan has no such step"));
        };
        let attempt = execution.slot(slot).map_or(1, |state| state.attempt + 1);
        let verdict = self.ports.gate.step_start(&subject(execution, &planned.id, entry), attempt, now);
        if verdict.allowed {
            return Admission::Start { parameters, decision: verdict.decision };
        }
        let reason = verdict.decision.reason.clone().unwrap_or_else(|| "no policy allows it".to_owned());
        let message = format!("the policies refuse to start step \"{}\": {reason}", planned.id);
        Admission::Refuse { error: Problem::new("step-denied", message), decision: Some(verdict.decision) }
    }

    /// In a dry run, before the step's list is even expanded: whether its action is left out.
    fn rehearsed(&self, execution: &Execution, slot: Slot) -> Option<Admission> {
        let action = execution.plan.step(slot.step).filter(|_| execution.dry_run)?.action.component()?;
        skipped_by_dry_run(execution, slot, &*self.pinned(execution, action)?)
    }

    pub(crate) fn pinned(&self, execution: &Execution, action: &PinnedAction) -> Option<Arc<ActionEntry>> {
        self.ports.actions.pinned(&execution.tenant, &action.component, &action.name)
    }
}

/// The running step as policies see it.
pub(crate) fn subject(execution: &Execution, step: &StepId, action: Arc<ActionEntry>) -> StepSubject {
    StepSubject {
        tenant: execution.tenant.clone(),
        execution: execution.id,
        step: step.clone(),
        environment: execution.plan.document.environment,
        dry_run: execution.dry_run,
        requested_by: execution.requested_by.clone(),
        action,
    }
}

pub(crate) fn uninstalled(action: &PinnedAction) -> Problem {
    let message = format!(
        "the plugin \"{}\" {} ({}) is not installed any more; install it again and start a new execution",
        action.plugin, action.version, action.component
    );
    Problem::new("plugin-unavailable", message)
}

/// Ordered by the time at which it was made.
pub(crate) fn new_execution_id(now: Timestamp) -> ExecutionId {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let nanos = u32::try_from(millis % 1_000 * 1_000_000).unwrap_or(0);
    let at = uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, nanos);
    ExecutionId::from_uuid(Uuid::new_v7(at))
}
