//! Every route asks here before it shows or changes anything.

use quantum_catalog::IntentSummary;
use quantum_core::port::Requester;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, IntentStatus, Operation};
use quantum_policy::{Caller, Context, ExecutionFacts, IntentFacts, Resource, Ruling, SecretFacts};
use quantum_store::ExecutionRow;

use crate::auth::Session;
use crate::codes;
use crate::problem::Problem;
use crate::state::Api;

/// What a route is about.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// The caller's own tenant.
    Tenant,
    Intent(&'a IntentSummary),
    Execution(&'a ExecutionRow, IntentStatus),
    /// Stored, or about to be.
    Secret {
        name: &'a str,
        environment: Environment,
        expires_at: Option<Timestamp>,
    },
}

impl Api {
    /// Err: 404 where the caller may not even view the thing, else 403 with the reason and the decision.
    pub fn authorize(
        &self,
        session: &Session,
        operation: Operation,
        subject: Subject<'_>,
    ) -> Result<(), Problem> {
        self.authorize_in(session, operation, subject, &session.context)
    }

    /// With more of the circumstances than every request has.
    pub fn authorize_in(
        &self,
        session: &Session,
        operation: Operation,
        subject: Subject<'_>,
        context: &Context,
    ) -> Result<(), Problem> {
        settle(self.rule(session, operation, subject, context), operation, &session.caller)
    }

    /// For lists, and for what an answer may hold.
    pub fn allows(&self, session: &Session, operation: Operation, subject: Subject<'_>) -> bool {
        self.rule(session, operation, subject, &session.context).verdict.allowed
    }

    pub fn authorize_platform(&self, caller: &Caller, context: &Context) -> Result<(), Problem> {
        let operation = Operation::PlatformTenants;
        let ruling = self.services.authorizer.decide(caller, operation, &Resource::Platform, context);
        settle(ruling, operation, caller)
    }

    fn rule(
        &self,
        session: &Session,
        operation: Operation,
        subject: Subject<'_>,
        context: &Context,
    ) -> Ruling {
        let decide =
            |resource| self.services.authorizer.decide(&session.caller, operation, &resource, context);
        match subject {
            Subject::Tenant => decide(Resource::Tenant(session.tenant())),
            Subject::Intent(summary) => {
                let owner = owner(&session.caller, summary);
                decide(Resource::Intent(intent_facts(summary, &owner)))
            }
            Subject::Secret { name, environment, expires_at } => {
                let tenant = session.tenant();
                decide(Resource::Secret(SecretFacts { tenant, name, environment, expires_at }))
            }
            Subject::Execution(row, intent_status) => decide(Resource::Execution(ExecutionFacts {
                tenant: &row.tenant,
                id: row.id,
                intent: row.intent_uid,
                intent_status,
                environment: row.environment,
                status: row.status,
                requested_by: &row.requested_by,
                dry_run: row.dry_run,
                labels: &row.labels,
            })),
        }
    }
}

/// Rows name their maker without its kind. A principal has one kind in a tenant, and policies compare an owner only
/// with the caller, so the caller's own kind is right wherever it matters.
pub(crate) fn owner(caller: &Caller, summary: &IntentSummary) -> Requester {
    Requester { id: summary.created_by.clone(), kind: caller.kind }
}

pub(crate) fn intent_facts<'a>(summary: &'a IntentSummary, owner: &'a Requester) -> IntentFacts<'a> {
    IntentFacts {
        tenant: &summary.tenant,
        uid: summary.uid,
        owner: Some(owner),
        environment: summary.version.environment,
        status: summary.status,
        labels: &summary.version.labels,
    }
}

/// What a ruling means for whoever asked; a refusal is logged.
pub(crate) fn settle(ruling: Ruling, operation: Operation, caller: &Caller) -> Result<(), Problem> {
    let decision = &ruling.verdict.decision;
    for error in &ruling.errors {
        tracing::error!(decision_id = %decision.id, %operation, error, "a policy could not be evaluated");
    }
    if ruling.verdict.allowed {
        return Ok(());
    }
    let reason = decision.reason.as_deref().unwrap_or("no policy allows it");
    tracing::info!(
        decision_id = %decision.id, %operation, principal = %caller.id, tenant = %caller.tenant, reason,
        hidden = ruling.hidden, "refused"
    );
    if ruling.hidden {
        return Err(Problem::not_found());
    }
    Err(Problem::new(&codes::FORBIDDEN).detail(reason).decision(decision.id))
}
