//! A question in the engine's terms, put to the slice of its operation.

use std::sync::Arc;

use cedar_policy_core::ast::{self, EntityType, EntityUID, EntityUIDEntry};
use cedar_policy_core::entities::{AllEntitiesNoAttrsSchema, Entities, TCComputation};
use cedar_policy_core::extensions::Extensions;
use quantum_core::vocabulary::Operation;

use crate::compile::PolicySet;
use crate::draft::{Draft, Fields};
use crate::facts::{Caller, Context, Resource};
use crate::needs::Needs;
use crate::slice::{Outcome, Slice};
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

/// What kind of principal asks this of what kind of resource. It finds the slice, which says what facts are needed.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub operation: Operation,
    pub principal: &'static EntityType,
    pub resource: &'static EntityType,
}

/// A question in the engine's terms, with the facts that were needed.
pub(crate) struct Question<'n> {
    pub principal: Draft<'n>,
    pub resource: Draft<'n>,
    /// What the context names.
    pub named: Option<Draft<'n>>,
    pub context: Fields<'n>,
}

impl<'n> Question<'n> {
    pub fn of_caller(
        caller: &Caller,
        operation: Operation,
        resource: &Resource<'_>,
        context: &Context,
        needs: &'n Needs,
    ) -> Result<Self, Unfit> {
        Ok(Self {
            principal: entity::caller(caller, needs),
            resource: entity::resource(resource, needs)?,
            named: context.plugin.as_ref().map(|plugin| entity::plugin(plugin, needs)),
            context: context::of_caller(operation, caller, context, needs)?,
        })
    }

    /// Without a schema on the hot path: a test puts the same facts through one. Each entity comes with all its
    /// ancestors, so that none have to be searched for.
    pub fn put(self, slice: &Slice) -> Result<(ast::Request, Entities), Unfit> {
        let known = |uid: &Arc<EntityUID>| EntityUIDEntry::Known { euid: uid.clone(), loc: None };
        let context = self.context.into_pairs().map(|(name, value)| (name.into(), value)).collect();
        let request = ast::Request::new_unchecked(
            known(&self.principal.uid),
            known(&slice.action_uid),
            known(&self.resource.uid),
            Some(ast::Context::Value(Arc::new(context))),
        );
        let drafts = [self.principal, self.resource].into_iter().chain(self.named);
        let action = Some(&slice.action).filter(|_| slice.needs.action).cloned();
        let entities = Entities::from_entities(
            drafts.map(Draft::into_entity).chain(action),
            None::<&AllEntitiesNoAttrsSchema>,
            TCComputation::AssumeAlreadyComputed,
            Extensions::all_available(),
        );
        Ok((request, entities.map_err(Unfit::other)?))
    }
}

/// The answer of the policies that can apply. The question is built as far as they look at it.
pub(crate) fn ask(
    policies: &PolicySet,
    asked: Asked,
    build: impl FnOnce(&Needs) -> Result<Question<'_>, Unfit>,
) -> Result<Outcome, Unfit> {
    let Some(slice) = policies.slice(asked) else {
        let Asked { operation, principal, resource } = asked;
        let (principal, resource) = (principal.to_string(), resource.to_string());
        return Err(Unfit::Mismatch { operation, principal, resource });
    };
    slice.evaluate(build(&slice.needs)?)
}
