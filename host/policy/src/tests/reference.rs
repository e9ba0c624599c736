//! Cedar as its authors ship it: every policy, every fact, ancestors searched for, and its own authorizer. What this
//! room decides must be the same.

use std::error::Error;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, Request, Schema};
use cedar_policy_core::ast;

use crate::compile::PolicySet;
use crate::draft::Draft;
use crate::question::Question;
use crate::slice::{Outcome, Slice};

/// The question in Cedar's public terms; with a schema, also held against it.
pub fn put(
    question: Question<'_>,
    slice: &Slice,
    schema: Option<&Schema>,
) -> Result<(Request, Entities), String> {
    let uid = |uid: &ast::EntityUID| EntityUid::from(uid.clone());
    let (principal, resource) = (uid(&question.principal.uid), uid(&question.resource.uid));
    let context = question.context.into_pairs().map(|(name, value)| (name.into(), value)).collect();
    let context = Context::from(ast::Context::Value(std::sync::Arc::new(context)));
    let request =
        Request::new(principal, uid(slice.action.uid()), resource, context, schema).map_err(told)?;
    let drafts = [question.principal, question.resource].into_iter().chain(question.named);
    let entities = drafts.map(Draft::into_entity).chain([slice.action.clone()]);
    let entities = Entities::from_entities(entities.map(Into::into), schema).map_err(told)?;
    Ok((request, entities))
}

pub fn decide(set: &PolicySet, request: &Request, entities: &Entities) -> Outcome {
    let response = Authorizer::new().is_authorized(request, set.policies(), entities);
    let determining = response.diagnostics().reason().map(ToString::to_string).collect();
    let errors = response.diagnostics().errors().map(|error| {
        let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
        (error.policy_id().to_string(), error.inner().to_string())
    });
    let mut outcome = Outcome { errors: errors.collect(), ..Outcome::default() };
    match response.decision() {
        Decision::Allow => outcome.permits = determining,
        Decision::Deny => outcome.forbids = determining,
    }
    outcome
}

fn told(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    text
}
