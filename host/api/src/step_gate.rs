//! Would the steps of a document be started for this caller now? Asked early, for plans and for warnings; decided again
//! when a step starts.

use std::sync::Arc;

use quantum_core::id::{ExecutionId, StepId};
use quantum_core::intent::Definition;
use quantum_core::json::pointer;
use quantum_core::port::{ActionDirectory, ActionEntry, Resolution, StepGate, StepSubject, Verdict};
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Environment;
use serde_json::Value;

use crate::auth::Session;
use crate::state::{Api, new_uuid};

/// The attempt that is asked about.
const FIRST: u32 = 1;

/// The answer for one step, as if the caller started an execution now.
pub(crate) fn would_start(
    api: &Api,
    session: &Session,
    step: &StepId,
    environment: Environment,
    action: Arc<ActionEntry>,
) -> Verdict {
    let subject = StepSubject {
        tenant: session.tenant().clone(),
        execution: ExecutionId::from_uuid(new_uuid(session.now())),
        step: step.clone(),
        environment,
        dry_run: false,
        requested_by: session.requester(),
        action,
    };
    api.services.authorizer.step_start(&subject, FIRST, session.now())
}

/// A warning for each step that would be refused. Unknown actions are told by the catalog.
pub(crate) fn step_findings(
    api: &Api,
    session: &Session,
    definition: &Value,
    environment: Environment,
) -> Vec<Finding> {
    let actions = api.services.catalog.directory().snapshot();
    let (definition, _) = Definition::read(definition);
    let mut findings = Vec::new();
    for (at, step) in definition.steps.iter().enumerate() {
        let Resolution::Found(action) = actions.resolve(session.tenant(), &step.action) else { continue };
        let verdict = would_start(api, session, &step.id, environment, action);
        if !verdict.allowed {
            let reason = verdict.decision.reason.as_deref().unwrap_or("no policy allows it");
            let message = format!("the step \"{}\" would not be started for you: {reason}", step.id);
            findings.push(Finding::warning(pointer("/definition/steps", at), "step-denied", message));
        }
    }
    findings
}
