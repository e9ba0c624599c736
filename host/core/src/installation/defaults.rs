//! Parameters that steps may leave out, so that short documents run.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::expression::{Template, Variables};
use crate::intent::{CheckContext, Definition, Order, StepDefinition};
use crate::port::Resolution;
use crate::vocabulary::Environment;

/// Values, with expressions, for parameters of one action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterDefaults {
    /// The action's name or one of its aliases.
    pub action: String,
    pub parameters: Map<String, Value>,
}

/// Fills in what the steps leave out. A default that reads a step which the intent does not have, or which has not
/// run before, is passed over: so one installation serves intents of different shapes.
pub(crate) fn fill(definition: &mut Definition, environment: Environment, context: &CheckContext<'_>) {
    for at in 0..definition.steps.len() {
        let Some(step) = definition.steps.get(at) else { return };
        let added_here = added(definition, at, step, environment, context);
        let undo = step.compensate.as_deref();
        let added_undo = undo.map(|undo| added(definition, at, undo, environment, context));
        let Some(step) = definition.steps.get_mut(at) else { return };
        extend(step, added_here);
        if let Some((undo, added)) = step.compensate.as_deref_mut().zip(added_undo) {
            extend(undo, added);
        }
    }
}

fn extend(step: &mut StepDefinition, added: Map<String, Value>) {
    step.filled = added.keys().cloned().collect();
    step.parameters.extend(added);
}

fn added(
    definition: &Definition,
    at: usize,
    step: &StepDefinition,
    environment: Environment,
    context: &CheckContext<'_>,
) -> Map<String, Value> {
    let mut added = Map::new();
    let Resolution::Found(entry) = context.actions.resolve(context.tenant, &step.action) else {
        return added;
    };
    let manifest = &entry.manifest;
    let answers = |name: &String| *name == manifest.name || manifest.aliases.contains(name);
    let rules = entry.settings.of(environment).defaults.iter().filter(|rule| answers(&rule.action));
    for (name, value) in rules.flat_map(|rule| &rule.parameters) {
        let given = step.parameters.contains_key(name) || added.contains_key(name);
        if !given && can_be_read(definition, at, value) {
            added.insert(name.clone(), value.clone());
        }
    }
    added
}

/// Every step that the value reads is there, and runs before in a sequence.
fn can_be_read(definition: &Definition, at: usize, value: &Value) -> bool {
    let Ok(template) = Template::compile(value, "", Variables::RUNNING) else { return false };
    template.steps().iter().all(|(id, _)| {
        let position = definition.steps.iter().position(|step| step.id.as_str() == id);
        position.is_some_and(|other| match definition.order {
            Order::Sequential => other < at,
            Order::Graph => other != at,
        })
    })
}
