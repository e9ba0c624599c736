//! The policies that can apply to one operation on one type of resource by one type of principal, filed so that a
//! decision looks only at those that can apply to the request at hand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy_core::ast::{Effect, Entity, EntityType, EntityUID, Literal, SlotEnv};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use crate::draft::Draft;
use crate::needs::Needs;
use crate::question::{Question, Unfit};
use crate::rule::{Key, KeyValue, Rule, Unfitted};
use crate::side::Side;

pub(crate) struct Slice {
    /// With all its groups as parents: the groups themselves need not be present.
    pub action: Entity,
    pub action_uid: Arc<EntityUID>,
    pub principal: EntityType,
    pub resource: EntityType,
    pub needs: Needs,
    /// Rules that every request is held against.
    always: Vec<Rule>,
    by_principal: Index,
    by_resource: Index,
}

/// Rules by what one side of a request must have.
#[derive(Default)]
struct Index {
    is: HashMap<Arc<EntityUID>, Vec<Rule>>,
    within: HashMap<Arc<EntityUID>, Vec<Rule>>,
    fields: ByName,
    tags: ByName,
    has: HashMap<String, Vec<Rule>>,
}

/// By the name of a field or tag, and then by its value.
type ByName = HashMap<String, HashMap<Literal, Vec<Rule>>>;

/// What the policies said, before it is made a decision.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub forbids: BTreeSet<String>,
    pub permits: BTreeSet<String>,
    /// Policies that could not be evaluated, and why.
    pub errors: BTreeMap<String, String>,
}

impl Outcome {
    fn add(&mut self, rule: &Rule, holds: Result<bool, String>) {
        let id = || rule.id.to_string();
        match holds {
            Ok(false) => {}
            Ok(true) if rule.effect == Effect::Forbid => _ = self.forbids.insert(id()),
            Ok(true) => _ = self.permits.insert(id()),
            Err(error) => _ = self.errors.insert(id(), error),
        }
    }

    /// A policy that errors may be a forbid that would have held: it denies.
    pub fn allowed(&self) -> bool {
        self.forbids.is_empty() && self.errors.is_empty() && !self.permits.is_empty()
    }
}

impl Slice {
    pub fn compile<'a>(
        action: Entity,
        principal: &EntityType,
        resource: &EntityType,
        policies: impl IntoIterator<Item = &'a Unfitted>,
    ) -> Self {
        let mut slice = Self {
            action_uid: Arc::new(action.uid().clone()),
            action,
            principal: principal.clone(),
            resource: resource.clone(),
            needs: Needs::default(),
            always: Vec::new(),
            by_principal: Index::default(),
            by_resource: Index::default(),
        };
        for (key, rule) in policies.into_iter().filter_map(|policy| policy.fit(principal, resource)) {
            slice.needs.extend(rule.condition.as_ref());
            match key {
                Some(key) => slice.index(key.side).file(key, rule),
                None => slice.always.push(rule),
            }
        }
        slice
    }

    /// The answer of all policies that apply: sets are combined as Cedar does, and a forbid wins.
    pub fn evaluate(&self, question: Question<'_>) -> Result<Outcome, Unfit> {
        let (open, settled): (Vec<_>, Vec<_>) =
            self.candidates(&question).into_iter().partition(|rule| rule.condition.is_some());
        let mut outcome = Outcome::default();
        for rule in settled {
            outcome.add(rule, Ok(true));
        }
        // Often there is nothing to evaluate, and then nothing that an evaluator would be asked about is made.
        if !open.is_empty() {
            let (request, entities) = question.put(self)?;
            let evaluator = Evaluator::new(request, &entities, Extensions::all_available());
            let slots = SlotEnv::new();
            for rule in open {
                outcome.add(rule, rule.holds(&evaluator, &slots));
            }
        }
        if !outcome.forbids.is_empty() {
            outcome.permits.clear();
        }
        Ok(outcome)
    }

    /// The rules that this question must be held against.
    pub fn candidates(&self, question: &Question<'_>) -> Vec<&Rule> {
        let mut found: Vec<&Rule> = self.always.iter().collect();
        self.by_principal.find(&question.principal, &mut found);
        self.by_resource.find(&question.resource, &mut found);
        found
    }

    fn index(&mut self, side: Side) -> &mut Index {
        match side {
            Side::Principal => &mut self.by_principal,
            Side::Resource => &mut self.by_resource,
        }
    }
}

impl Index {
    fn file(&mut self, key: Key, rule: Rule) {
        let shelf = match key.value {
            KeyValue::Is(uid) => self.is.entry(uid).or_default(),
            KeyValue::Within(uid) => self.within.entry(uid).or_default(),
            KeyValue::Field(name, value) => self.fields.entry(name).or_default().entry(value).or_default(),
            KeyValue::Tag(name, value) => self.tags.entry(name).or_default().entry(value).or_default(),
            KeyValue::Has(name) => self.has.entry(name).or_default(),
        };
        shelf.push(rule);
    }

    fn find<'a>(&'a self, draft: &Draft<'_>, found: &mut Vec<&'a Rule>) {
        found.extend(self.is.get(&draft.uid).into_iter().flatten());
        for uid in draft.parents.iter().chain([&draft.uid]) {
            found.extend(self.within.get(uid).into_iter().flatten());
        }
        for (name, value) in draft.plain_fields() {
            found.extend(shelf(&self.fields, name, value));
        }
        for name in draft.field_names() {
            found.extend(self.has.get(name).into_iter().flatten());
        }
        for (key, value) in draft.plain_tags() {
            found.extend(shelf(&self.tags, key, value));
        }
    }
}

fn shelf<'a>(all: &'a ByName, name: &str, value: &Literal) -> impl Iterator<Item = &'a Rule> + use<'a> {
    all.get(name).and_then(|values| values.get(value)).into_iter().flatten()
}
