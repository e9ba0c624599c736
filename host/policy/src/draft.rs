//! Facts in the engine's form, as far as the policies look at them: nothing is parsed, and nothing is held against the
//! schema on the hot path (a test does that).

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityUID, Literal, Name, PartialValue, Value, ValueKind};
use cedar_policy_core::extensions::Extensions;

use crate::needs::Needs;
use crate::question::Unfit;

/// Named values: attributes of an entity, or a context.
pub(crate) struct Fields<'n> {
    needs: &'n Needs,
    pairs: Vec<(&'static str, Value)>,
}

impl<'n> Fields<'n> {
    pub fn new(needs: &'n Needs) -> Self {
        Self { needs, pairs: Vec::new() }
    }

    /// The value is made only when a policy looks at it.
    pub fn set<V: Into<Value>>(&mut self, name: &'static str, value: impl FnOnce() -> V) {
        if self.needs.field(name) {
            self.pairs.push((name, value().into()));
        }
    }

    /// A value that the engine parses from its text, as `datetime` does.
    pub fn parse(
        &mut self,
        name: &'static str,
        constructor: &Name,
        text: impl FnOnce() -> String,
    ) -> Result<(), Unfit> {
        if self.needs.field(name) {
            let function = Extensions::all_available().func(constructor).map_err(Unfit::other)?;
            let value = function.call(&[Value::from(text())]).map_err(Unfit::other)?;
            self.pairs.push((name, Value::try_from(value).map_err(Unfit::other)?));
        }
        Ok(())
    }

    pub fn into_pairs(self) -> impl Iterator<Item = (&'static str, Value)> {
        self.pairs.into_iter()
    }
}

/// An entity in the making.
pub(crate) struct Draft<'n> {
    pub uid: Arc<EntityUID>,
    /// All ancestors, so that none of them needs to be loaded.
    pub parents: Vec<Arc<EntityUID>>,
    pub fields: Fields<'n>,
    tags: Vec<(String, Value)>,
}

impl<'n> Draft<'n> {
    pub fn new(uid: Arc<EntityUID>, needs: &'n Needs) -> Self {
        Self { uid, parents: Vec::new(), fields: Fields::new(needs), tags: Vec::new() }
    }

    #[must_use]
    pub fn within(mut self, parents: impl IntoIterator<Item = Arc<EntityUID>>) -> Self {
        self.parents.extend(parents);
        self
    }

    #[must_use]
    pub fn tagged(mut self, labels: &BTreeMap<String, String>) -> Self {
        let needs = self.fields.needs;
        let needed = labels.iter().filter(|(key, _)| needs.tag(key));
        self.tags.extend(needed.map(|(key, value)| (key.clone(), Value::from(value.as_str()))));
        self
    }

    pub fn field_names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.pairs.iter().map(|(name, _)| *name)
    }

    /// Attributes that are one word, number, text or reference.
    pub fn plain_fields(&self) -> impl Iterator<Item = (&str, &Literal)> {
        self.fields.pairs.iter().filter_map(|(name, value)| Some((*name, literal(value)?)))
    }

    pub fn plain_tags(&self) -> impl Iterator<Item = (&str, &Literal)> {
        self.tags.iter().filter_map(|(key, value)| Some((key.as_str(), literal(value)?)))
    }

    pub fn into_entity(self) -> Entity {
        let fields =
            self.fields.pairs.into_iter().map(|(name, value)| (name.into(), PartialValue::Value(value)));
        let tags = self.tags.into_iter().map(|(key, value)| (key.into(), PartialValue::Value(value)));
        let ancestors = self.parents.into_iter().filter(|_| self.fields.needs.ancestors);
        let ancestors = ancestors.map(Arc::unwrap_or_clone).collect();
        let uid = Arc::unwrap_or_clone(self.uid);
        Entity::new_with_attr_partial_value(uid, fields, Default::default(), ancestors, tags)
    }
}

fn literal(value: &Value) -> Option<&Literal> {
    match value.value_kind() {
        ValueKind::Lit(literal) => Some(literal),
        _ => None,
    }
}
