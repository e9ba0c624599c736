//! The plugin: its actions together, behind the exports of the component.

use serde_json::Value;

use crate::action::{self, Action};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::manifest::{self, ActionEntry, PluginMeta};

/// What `plugin!` implements.
pub trait Plugin {
    /// Runs the action of this name or alias.
    fn run(ctx: &Context, action: &str, parameters: &str) -> Result<String>;
    /// What the plugin says of itself.
    fn manifest() -> Value;
}

/// Runs one of these actions.
pub fn run<A: Actions>(ctx: &Context, action: &str, parameters: &str) -> Result<String> {
    A::run(ctx, action, parameters).unwrap_or_else(|| Err(unknown(action)))
}

/// The manifest of a plugin of these actions.
pub fn manifest<A: Actions>(meta: &PluginMeta, config: Option<Value>) -> Value {
    manifest::manifest(meta, &A::entries(), config)
}

/// Actions together, as a pair of the first and the rest. Calls are static, so that what no action uses is not imported.
pub trait Actions {
    /// None: no action is called so.
    fn run(ctx: &Context, name: &str, parameters: &str) -> Option<Result<String>>;

    /// What the manifest says of them, in their order.
    fn entries() -> Vec<ActionEntry>;
}

impl Actions for () {
    fn run(_: &Context, _: &str, _: &str) -> Option<Result<String>> {
        None
    }

    fn entries() -> Vec<ActionEntry> {
        Vec::new()
    }
}

impl<First: Action, Rest: Actions> Actions for (First, Rest) {
    fn run(ctx: &Context, name: &str, parameters: &str) -> Option<Result<String>> {
        if First::META.answers_to(name) {
            return Some(action::run::<First>(ctx, parameters));
        }
        Rest::run(ctx, name, parameters)
    }

    fn entries() -> Vec<ActionEntry> {
        let mut entries = vec![ActionEntry::of::<First>()];
        entries.extend(Rest::entries());
        entries
    }
}

/// For a name that no action answers to.
fn unknown(name: &str) -> Failure {
    Failure::permanent("unknown-action", format!("this plugin has no action \"{name}\""))
}

/// Makes a plugin of actions. Once in a crate; `config` names the type of the installation's configuration.
///
/// ```
/// use quantum_sdk::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Settings {
///     /// What the text starts with.
///     salutation: String,
/// }
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Greet { name: String }
///
/// /// Greets someone as the installation wants it.
/// #[action(idempotent, no_side_effects)]
/// fn greet(ctx: &Context, p: Greet) -> Result<String> {
///     let settings: Settings = ctx.config()?;
///     Ok(format!("{}, {}", settings.salutation, p.name))
/// }
///
/// plugin!(greet; config = Settings);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! plugin {
    ($($action:ident),+ $(,)? $(; config = $config:ty)?) => {
        #[doc(hidden)]
        pub struct QuantumPlugin;

        const _: () = {
            type Actions = $crate::__actions!($($action),+);

            impl $crate::__private::Plugin for QuantumPlugin {
                fn run(ctx: &$crate::Context, action: &str, parameters: &str) -> $crate::Result<String> {
                    $crate::__private::run::<Actions>(ctx, action, parameters)
                }

                fn manifest() -> $crate::__private::Value {
                    let meta = $crate::__private::PluginMeta {
                        id: option_env!("QUANTUM_PLUGIN_ID").unwrap_or(""),
                        title: option_env!("QUANTUM_PLUGIN_TITLE").unwrap_or(""),
                        publisher: option_env!("QUANTUM_PLUGIN_PUBLISHER").unwrap_or(""),
                        version: env!("CARGO_PKG_VERSION"),
                        description: env!("CARGO_PKG_DESCRIPTION"),
                    };
                    $crate::__private::manifest::<Actions>(&meta, $crate::__config!($($config)?))
                }
            }
        };

        $crate::__export!(QuantumPlugin);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __actions {
    () => { () };
    ($first:ident $(, $rest:ident)*) => { ($first, $crate::__actions!($($rest),*)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __config {
    () => {
        ::core::option::Option::None
    };
    ($config:ty) => {
        ::core::option::Option::Some($crate::__private::config_schema::<$config>())
    };
}

/// The exports of the component.
#[cfg(all(target_family = "wasm", not(quantum_describe)))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ident) => {
        const _: () = {
    $crate::bindings::export_plugin!($plugin with_types_in $crate::bindings);
        };
    };
}

/// The exports of the component that tells its manifest.
#[cfg(all(target_family = "wasm", quantum_describe))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ident) => {
        const _: () = {
    $crate::bindings::export_plugin!($plugin with_types_in $crate::bindings);
    $crate::bindings::describing::export_describe!($plugin with_types_in $crate::bindings::describing);
        };
    };
}

/// A native build has no exports: its tests call the functions.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ident) => {};
}
