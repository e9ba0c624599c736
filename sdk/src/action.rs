//! One action: what `#[action]` makes of a function.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::json;

/// What `#[action]` implements on the type that shares the function's name.
pub trait Action {
    /// What the attribute and the doc comment say.
    const META: ActionMeta;
    /// The function's second argument.
    type Parameters: DeserializeOwned;
    /// What the function gives.
    type Output: Serialize;

    /// The function itself.
    fn call(ctx: &Context, parameters: Self::Parameters) -> Result<Self::Output>;
}

/// The attribute's words.
#[derive(Debug, Clone, Copy)]
pub struct ActionMeta {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub aliases: &'static [&'static str],
    pub idempotent: bool,
    pub at_most_once: bool,
    pub side_effects: bool,
    pub reversible: bool,
    pub dry_run: bool,
    pub http_hosts: &'static [&'static str],
    pub http_slots: &'static [&'static str],
    pub response_bytes_max: Option<u64>,
    pub kv: bool,
    pub artifacts: bool,
    pub secrets: &'static [SecretMeta],
    pub reveal: &'static [&'static str],
    pub clock: bool,
    pub random: bool,
}

/// A secret that the action uses through placeholders.
#[derive(Debug, Clone, Copy)]
pub struct SecretMeta {
    pub name: &'static str,
    /// Of a request: `header`, `query`, `body`.
    pub places: &'static [&'static str],
}

impl ActionMeta {
    /// Whether a document means this action.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// Runs an action on JSON text and gives JSON text.
pub fn run<A: Action>(ctx: &Context, parameters: &str) -> Result<String> {
    let parameters = json::read(parameters).map_err(|error| misfit(A::META.name, &error))?;
    let output = A::call(ctx, parameters)?;
    serde_json::to_string(&output).map_err(|error| no_json(A::META.name, &error))
}

// Apart, because `run` is there once for each action.

fn misfit(action: &str, error: &str) -> Failure {
    Failure::permanent("invalid-parameters", format!("the parameters of {action} do not fit: {error}"))
}

fn no_json(action: &str, error: &serde_json::Error) -> Failure {
    Failure::permanent("invalid-output", format!("the result of {action} is not JSON: {error}"))
}
