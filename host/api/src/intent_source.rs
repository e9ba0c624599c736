//! Answers the engine's `IntentSource`: stored intents, and whether the one in whose name they are to be started still
//! may. Decided as a request of that member would be, with `scheduler` as the way it proved who it is.

use std::collections::BTreeSet;

use quantum_catalog::{Catalog, Error as CatalogError, IntentSummary, Purpose};
use quantum_core::intent::IntentRef;
use quantum_core::port::BoxFuture;
use quantum_core::problem::Problem as CoreProblem;
use quantum_core::vocabulary::{AuthMethod, Operation};
use quantum_engine::{IntentSource, Runnable, SourceRequest};
use quantum_policy::{Auth, Authorizer, Caller, Context, Resource};

use crate::auth::assigned;
use crate::authorize::{intent_facts, owner, settle};
use crate::codes;
use crate::problem::Problem;

/// The intents of the catalog, under the policies of the authorizer.
#[derive(Clone)]
pub struct StoredIntents {
    catalog: Catalog,
    authorizer: Authorizer,
}

impl IntentSource for StoredIntents {
    fn runnable(&self, request: SourceRequest) -> BoxFuture<'static, Result<Runnable, CoreProblem>> {
        let source = self.clone();
        Box::pin(async move { source.find(&request).await.map_err(Into::into) })
    }
}

impl StoredIntents {
    pub fn new(catalog: Catalog, authorizer: Authorizer) -> Self {
        Self { catalog, authorizer }
    }

    async fn find(&self, request: &SourceRequest) -> Result<Runnable, Problem> {
        let caller = self.caller(request).await?;
        let reference = IntentRef::parse(&request.intent).map_err(|_| Problem::not_found())?;
        let intents = self.catalog.intents(&request.scope);
        match intents.plan(&reference, Purpose::Execute).await {
            Ok(plan) => {
                self.decide(&caller, Operation::IntentExecute, &plan.intent, request)?;
                Ok(Runnable { plan: plan.plan, encoded: plan.encoded })
            }
            Err(error @ CatalogError::Store(_)) => Err(error.into()),
            // Why it cannot start is only for who may view it.
            Err(error) => {
                let summary = intents.get(&reference).await?.summary;
                self.decide(&caller, Operation::IntentView, &summary, request)?;
                Err(error.into())
            }
        }
    }

    fn decide(
        &self,
        caller: &Caller,
        operation: Operation,
        intent: &IntentSummary,
        request: &SourceRequest,
    ) -> Result<(), Problem> {
        let owner = owner(caller, intent);
        let resource = Resource::Intent(intent_facts(intent, &owner));
        let ruling = self.authorizer.decide(caller, operation, &resource, &Context::at(request.now));
        settle(ruling, operation, caller)
    }

    /// The member as it is now.
    async fn caller(&self, request: &SourceRequest) -> Result<Caller, Problem> {
        let SourceRequest { scope, requested_by, .. } = request;
        let memberships = self.catalog.tenants().memberships_of(&requested_by.id).await?;
        let membership = memberships.iter().find(|one| one.tenant == *scope.tenant() && one.active);
        let membership = membership.ok_or_else(|| {
            let detail = format!("\"{}\" is not an active member of the tenant any more", requested_by.id);
            Problem::new(&codes::PRINCIPAL_UNKNOWN)
                .detail(detail)
                .hint("make the membership active again, or let somebody else save it in their own name")
        })?;
        Ok(Caller {
            id: requested_by.id.clone(),
            kind: membership.kind,
            tenant: membership.tenant.clone(),
            roles: assigned(membership),
            active: true,
            auth: Auth { method: AuthMethod::Scheduler, mfa: false, age_seconds: 0, scopes: BTreeSet::new() },
            environments: BTreeSet::new(),
        })
    }
}
