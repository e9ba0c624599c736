//! The door: one decision from one snapshot of the policies.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use quantum_core::id::DecisionId;
use quantum_core::port::{Decision, Verdict};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Operation;

use crate::compile::PolicySet;
use crate::entity;
use crate::facts::{Caller, Context, Resource};
use crate::needs::Needs;
use crate::question::{Asked, Question, Unfit, ask};
use crate::slice::Outcome;

/// Decides for people and steps. A clone is another handle to the same policies; deciding does no IO and takes no lock.
#[derive(Clone)]
pub struct Authorizer {
    policies: Arc<ArcSwap<PolicySet>>,
    errors: Arc<AtomicU64>,
}

/// A verdict, and what the host must know beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    pub verdict: Verdict,
    /// The refusal must look as if the thing did not exist: the caller may not view it.
    pub hidden: bool,
    /// Policies that could not be evaluated, each with the reason; for logs, not for callers.
    pub errors: Vec<String>,
}

impl Authorizer {
    pub fn new(policies: PolicySet) -> Self {
        Self { policies: Arc::new(ArcSwap::from_pointee(policies)), errors: Arc::new(AtomicU64::new(0)) }
    }

    /// Replaces all policies at once. Decisions that are being made end on the set they began with.
    pub fn swap(&self, policies: PolicySet) {
        self.policies.store(Arc::new(policies));
    }

    /// The policies that the next decision will use.
    pub fn policies(&self) -> Arc<PolicySet> {
        self.policies.load_full()
    }

    /// Decisions since the start that met a policy which could not be evaluated: an alarm when it grows.
    pub fn decisions_with_errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// May this caller do this to that?
    pub fn decide(
        &self,
        caller: &Caller,
        operation: Operation,
        resource: &Resource<'_>,
        context: &Context,
    ) -> Ruling {
        let policies = self.policies.load();
        let (principal, kind) = (entity::caller_type(caller.kind), entity::resource_type(resource));
        let ask = |operation| {
            ask(&policies, Asked { operation, principal, resource: kind }, |needs| {
                Question::of_caller(caller, operation, resource, context, needs)
            })
        };
        let mut ruling = self.rule(&policies, operation, ask(operation), context.now, || roles_of(caller));
        if !ruling.verdict.allowed {
            // Asked only after a refusal: who may not even view the thing must not learn that it is there.
            let view = view_of(resource).filter(|_| !ruling.hidden);
            ruling.hidden |= view.is_some_and(|view| !ask(view).is_ok_and(|outcome| outcome.allowed()));
        }
        ruling
    }

    pub(crate) fn decide_step(
        &self,
        asked: Asked,
        now: Timestamp,
        question: impl FnOnce(&Needs) -> Result<Question<'_>, Unfit>,
    ) -> Verdict {
        let policies = self.policies.load();
        let answer = ask(&policies, asked, question);
        self.rule(&policies, asked.operation, answer, now, || "a step".to_owned()).verdict
    }

    fn rule(
        &self,
        policies: &PolicySet,
        operation: Operation,
        answer: Result<Outcome, Unfit>,
        now: Timestamp,
        whom: impl FnOnce() -> String,
    ) -> Ruling {
        let id = decision_id(now);
        let policy_version = policies.version().to_owned();
        let outcome = match answer {
            Ok(outcome) => outcome,
            Err(unfit) => {
                let reason = Some(unfit.to_string());
                let decision = Decision { id, policies: Vec::new(), reason, policy_version };
                return Ruling {
                    verdict: Verdict { allowed: false, decision },
                    hidden: false,
                    errors: Vec::new(),
                };
            }
        };
        if !outcome.errors.is_empty() {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        let allowed = outcome.allowed();
        let reason = (!allowed).then(|| reason(policies, operation, &outcome, whom));
        let note_hides = |id: &String| policies.note(id).is_some_and(|note| note.looks_absent);
        let hidden = !allowed && outcome.forbids.iter().any(note_hides);
        let errors = outcome.errors.iter().map(|(id, error)| format!("policy {id}: {error}")).collect();
        let decision = Decision { id, policies: determining(outcome), reason, policy_version };
        Ruling { verdict: Verdict { allowed, decision }, hidden, errors }
    }
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("version", &self.policies.load().version()).finish()
    }
}

/// The operation that tells whether a caller may know of a thing. Everybody knows of the own tenant and the host.
fn view_of(resource: &Resource<'_>) -> Option<Operation> {
    match resource {
        Resource::Intent { .. } => Some(Operation::IntentView),
        Resource::Execution { .. } => Some(Operation::ExecutionView),
        Resource::Tenant(_) | Resource::Secret(_) | Resource::Platform => None,
    }
}

fn determining(outcome: Outcome) -> Vec<String> {
    let Outcome { forbids, permits, errors } = outcome;
    if !forbids.is_empty() {
        forbids.into_iter().collect()
    } else if !errors.is_empty() {
        errors.into_keys().collect()
    } else {
        permits.into_iter().collect()
    }
}

fn reason(
    policies: &PolicySet,
    operation: Operation,
    outcome: &Outcome,
    whom: impl FnOnce() -> String,
) -> String {
    if let Some(forbid) = outcome.forbids.first() {
        let told = policies.note(forbid).and_then(|note| note.reason.clone());
        return told.unwrap_or_else(|| format!("policy {forbid} forbids {operation}"));
    }
    if let Some((broken, _)) = outcome.errors.first_key_value() {
        return format!("policy {broken} cannot be evaluated for this request, so that it is refused");
    }
    format!("no policy allows {operation} for {}", whom())
}

fn roles_of(caller: &Caller) -> String {
    if caller.roles.is_empty() {
        return "a caller without a role".to_owned();
    }
    let words: Vec<&str> = caller.roles.iter().map(|role| role.as_str()).collect();
    words.join(", ")
}

/// Time-ordered by the decision's own time, so that a replayed request sorts where it was made.
fn decision_id(now: Timestamp) -> DecisionId {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    // It has to be another one, and nobody need be unable to guess it: without a call of the system for each.
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    DecisionId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}
