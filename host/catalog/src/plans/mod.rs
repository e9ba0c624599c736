//! From a stored version to a plan that can run.

mod cache;
mod template;

use std::sync::Arc;

use quantum_core::intent::{CheckContext, Definition, IntentRef};
use quantum_core::plan::{Plan, PlanDocument, PlannedIntent, build};
use quantum_core::vocabulary::IntentStatus;
use quantum_store::{Error as StoreError, IntentRecord, IntentSummary, SharedPlan};
use serde_json::Value;

use crate::Error;
use crate::directory::Snapshot;
use crate::intents::{Intents, parse_definition};

pub(crate) use cache::PlanCache;
use cache::{Built, Key};
use template::Given;

/// What the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To start an execution: the intent takes them.
    Execute,
    /// To look at it: paused and archived intents have plans too.
    Preview,
}

/// All that a start needs of an intent. Cheap to clone but for the labels.
#[derive(Debug, Clone)]
pub struct RunnablePlan {
    pub plan: Arc<Plan>,
    pub encoded: SharedPlan,
    /// As it was when the plan was asked for; the version is the planned one.
    pub intent: IntentSummary,
}

impl Intents<'_> {
    /// Err: `NotFound`, `NoSteps`, `Invalid` (an action that is not installed, for example); to execute also `Paused`,
    /// `Archived`, `NoActiveVersion`.
    pub async fn plan(&self, reference: &IntentRef, purpose: Purpose) -> Result<RunnablePlan, Error> {
        self.catalog.settle(self.scope).await?;
        let record = self.kept(reference).await?;
        if purpose == Purpose::Execute {
            may_execute(&record.summary, reference)?;
        }
        let actions = self.catalog.directory.snapshot();
        let key = Key::of(&record.summary);
        let revision = actions.revision(self.scope.tenant());
        // A change of the tenant's targets gives versions another class than their plans were built for.
        let class = record.summary.version.environment;
        let kept = self.catalog.plans.get(&key, revision);
        let built = match kept.filter(|kept| kept.plan.document.environment == class) {
            Some(built) if self.has_steps_of_now(&record, &built.plan).await? => built,
            _ => {
                let built = self.build(&record, &actions).await?;
                self.catalog.plans.put(key, revision, built.clone());
                built
            }
        };
        Ok(RunnablePlan { plan: built.plan, encoded: built.encoded, intent: record.summary.clone() })
    }

    /// A version never changes; the blueprint that gave it steps may have.
    async fn has_steps_of_now(&self, record: &IntentRecord, plan: &Plan) -> Result<bool, Error> {
        let Some(revision) = plan.document.blueprint_revision else { return Ok(true) };
        let template = self.catalog.blueprints(self.scope).template(&record.summary.name).await?;
        Ok(template.is_some_and(|template| template.revision == revision))
    }

    async fn build(&self, record: &IntentRecord, actions: &Snapshot) -> Result<Built, Error> {
        let summary = &record.summary;
        let source = parse_definition(record)?;
        let (definition, findings) = Definition::read(&source);
        if findings.iter().any(quantum_core::problem::Finding::is_error) {
            return Err(Error::Invalid { findings });
        }
        let context = CheckContext { tenant: &summary.tenant, actions };
        if !definition.steps.is_empty() {
            return compile(concrete(record, source, &definition, &context)?);
        }
        let template = self.catalog.blueprints(self.scope).template(&summary.name).await?;
        let template = template.ok_or_else(|| Error::NoSteps { name: summary.name.clone() })?;
        let given = Given { name: &summary.name, template: &template, definition: &source };
        let definition = given.complete(&context)?;
        let document =
            concrete(record, source.clone(), &definition, &context).map_err(|error| given.place(error))?;
        compile(PlanDocument { blueprint_revision: Some(template.revision), ..document })
    }
}

fn may_execute(summary: &IntentSummary, reference: &IntentRef) -> Result<(), Error> {
    let name = || summary.name.clone();
    match summary.status {
        IntentStatus::Archived => return Err(Error::Archived { name: name() }),
        IntentStatus::Paused => return Err(Error::Paused { name: name() }),
        IntentStatus::Active => {}
    }
    // A draft runs only for who names it.
    if summary.active_version.is_none() && !matches!(reference, IntentRef::Version(..)) {
        return Err(Error::NoActiveVersion { name: name(), latest: summary.latest_version });
    }
    Ok(())
}

/// Actions resolved and the graph made.
fn concrete(
    record: &IntentRecord,
    source: Value,
    definition: &Definition,
    context: &CheckContext<'_>,
) -> Result<PlanDocument, Error> {
    let summary = &record.summary;
    let intent = PlannedIntent {
        uid: summary.uid,
        name: summary.name.clone(),
        version: summary.version.number,
        labels: summary.version.labels.clone(),
        definition: source,
    };
    let built = build(intent, summary.version.environment, definition, context);
    built.map_err(|findings| Error::Invalid { findings })
}

fn compile(document: PlanDocument) -> Result<Built, Error> {
    let json = serde_json::to_string(&document)
        .map_err(|error| StoreError::Corrupt { what: "a plan", detail: error.to_string() })?;
    let plan = Plan::compile(document).map_err(|findings| Error::Invalid { findings })?;
    Ok(Built { plan: Arc::new(plan), encoded: SharedPlan::new(json) })
}
