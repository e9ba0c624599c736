//! A question in Cedar's terms, put to the slice of its operation.

use cedar_policy::{Entities, Entity, EntityUid, Request, RestrictedExpression, Schema};
use quantum_core::vocabulary::Operation;

use crate::compile::{Outcome, PolicySet, Slice};
use crate::facts::{Caller, Context, Resource};
use crate::{context, entity};

/// Why a question cannot be put to the policies. It is then refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("{operation} needs the {fact} in its context")]
    Missing { operation: Operation, fact: &'static str },
    #[error("{operation} is not asked of {resource} by {principal}")]
    Mismatch { operation: Operation, principal: String, resource: String },
    #[error("the facts of the request do not fit: {0}")]
    Facts(Box<dyn std::error::Error + Send + Sync>),
}

impl Unfit {
    pub fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Facts(Box::new(error))
    }
}

/// A question in Cedar's terms.
pub(crate) struct Question {
    pub principal: Entity,
    pub resource: Entity,
    /// What the context names.
    pub named: Option<Entity>,
    pub context: Vec<(String, RestrictedExpression)>,
}

impl Question {
    pub fn of_caller(
        caller: &Caller,
        operation: Operation,
        resource: &Resource<'_>,
        context: &Context,
    ) -> Result<Self, Unfit> {
        Ok(Self {
            principal: entity::caller(caller)?,
            resource: entity::resource(resource)?,
            named: context.plugin.as_ref().map(entity::plugin).transpose()?,
            context: context::of_caller(operation, caller, context)?,
        })
    }

    /// Without a schema on the hot path: a test puts the same facts through one.
    pub fn put(self, slice: &Slice, schema: Option<&Schema>) -> Result<(Request, Entities), Unfit> {
        let context = cedar_policy::Context::from_pairs(self.context).map_err(Unfit::other)?;
        let (principal, resource) = (self.principal.uid(), self.resource.uid());
        let request =
            Request::new(principal, slice.action.clone(), resource, context, schema).map_err(Unfit::other)?;
        let all = [self.principal, self.resource, slice.entity.clone()].into_iter().chain(self.named);
        Ok((request, Entities::from_entities(all, schema).map_err(Unfit::other)?))
    }
}

/// The answer of the policies that can apply.
pub(crate) fn ask(
    policies: &PolicySet,
    operation: Operation,
    question: Result<Question, Unfit>,
) -> Result<Outcome, Unfit> {
    let question = question?;
    let (principal, resource) = (question.principal.uid(), question.resource.uid());
    let slice = policies.slice(operation).filter(|slice| slice.applies(&principal, &resource));
    let Some(slice) = slice else {
        let kind = |uid: &EntityUid| uid.type_name().to_string();
        return Err(Unfit::Mismatch { operation, principal: kind(&principal), resource: kind(&resource) });
    };
    let (request, entities) = question.put(slice, None)?;
    Ok(policies.evaluate(slice, &request, &entities))
}
