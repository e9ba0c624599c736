//! One action: what `#[action]` makes of a function.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::{json, schema};

/// What `#[action]` implements on the type that shares the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an action",
    label = "write #[action] above the function of this name"
)]
pub trait Action {
    /// What the attribute and the doc comment say.
    const META: ActionMeta;
    /// The function's second argument.
    type Parameters: Parameters;
    /// What the function gives.
    type Output: Output;

    /// The function itself.
    fn call(ctx: &Context, parameters: Self::Parameters) -> Result<Self::Output>;
}

/// What an action can be given.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parameters of an action",
    label = "needs #[derive(Deserialize, JsonSchema)]",
    note = "the types of its fields need both, too"
)]
pub trait Parameters: Sized {
    /// From JSON text; the error begins with the path of what does not fit.
    fn read(text: &str) -> Result<Self, String>;

    /// As JSON Schema.
    fn schema() -> Value;
}

// Bounds of the traits themselves would be what the compiler complains of.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> Parameters for T {
    fn read(text: &str) -> Result<Self, String> {
        json::read(text)
    }

    fn schema() -> Value {
        schema::read::<T>()
    }
}

/// What an action can give.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an action",
    label = "needs #[derive(Serialize, JsonSchema)]",
    note = "the types of its fields need both, too"
)]
pub trait Output {
    /// As JSON text.
    fn write(&self) -> serde_json::Result<String>;

    /// As JSON Schema.
    fn schema() -> Value;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema> Output for T {
    fn write(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    fn schema() -> Value {
        schema::written::<T>()
    }
}

/// The attribute's words.
#[derive(Debug, Clone, Copy)]
pub struct ActionMeta {
    /// Kebab-case.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// The doc comment.
    pub description: &'static str,
    /// Further names.
    pub aliases: &'static [&'static str],
    /// The same idempotency key gives the same effect.
    pub idempotent: bool,
    /// Never run again by itself.
    pub at_most_once: bool,
    /// Changes something outside.
    pub side_effects: bool,
    /// Another action can undo it.
    pub reversible: bool,
    /// Looks at `ctx.dry_run()`.
    pub dry_run: bool,
    /// Patterns that it connects to.
    pub http_hosts: &'static [&'static str],
    /// Names of patterns that the installer gives.
    pub http_slots: &'static [&'static str],
    /// Bytes of the largest answer.
    pub response_bytes_max: Option<u64>,
    /// Keeps key-value data.
    pub kv: bool,
    /// Reads or stores artifacts.
    pub artifacts: bool,
    /// Used through placeholders.
    pub secrets: &'static [SecretMeta],
    /// Names of secrets that it sees.
    pub reveal: &'static [&'static str],
    /// Reads the time or waits.
    pub clock: bool,
    /// Uses random numbers.
    pub random: bool,
    /// Bytes of memory that an attempt needs.
    pub memory_bytes_max: Option<u64>,
}

/// A secret that the action uses through placeholders.
#[derive(Debug, Clone, Copy)]
pub struct SecretMeta {
    /// As the manifest calls it.
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
    let parameters = A::Parameters::read(parameters).map_err(|error| misfit(A::META.name, &error))?;
    let output = A::call(ctx, parameters)?;
    output.write().map_err(|error| no_json(A::META.name, &error))
}

// Apart, because `run` is there once for each action.

fn misfit(action: &str, error: &str) -> Failure {
    Failure::permanent("invalid-parameters", format!("the parameters of {action} do not fit: {error}"))
}

fn no_json(action: &str, error: &serde_json::Error) -> Failure {
    Failure::permanent("invalid-output", format!("the result of {action} is not JSON: {error}"))
}
