//! The plugin: its actions together, behind the exports of the component.

use serde_json::Value;

use crate::action::{self, Action};
use crate::context::Context;
use crate::failure::{Failure, Result};

/// What `plugin!` implements.
pub trait Plugin {
    /// Runs the action of this name or alias.
    fn run(ctx: &Context, action: &str, parameters: &str) -> Result<String>;
    /// What the plugin says of itself.
    fn manifest() -> Value;
}

/// None: the action is called differently.
pub fn run<A: Action>(ctx: &Context, name: &str, parameters: &str) -> Option<Result<String>> {
    A::META.answers_to(name).then(|| action::run::<A>(ctx, parameters))
}

/// For a name that no action answers to.
#[doc(hidden)]
pub fn unknown(name: &str) -> Failure {
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

        impl $crate::__private::Plugin for QuantumPlugin {
            fn run(ctx: &$crate::Context, action: &str, parameters: &str) -> $crate::Result<String> {
                $(
                    if let Some(result) = $crate::__private::run::<$action>(ctx, action, parameters) {
                        return result;
                    }
                )+
                Err($crate::__private::unknown(action))
            }

            fn manifest() -> $crate::__private::Value {
                let meta = $crate::__private::PluginMeta {
                    id: option_env!("QUANTUM_PLUGIN_ID").unwrap_or(""),
                    title: option_env!("QUANTUM_PLUGIN_TITLE").unwrap_or(""),
                    publisher: option_env!("QUANTUM_PLUGIN_PUBLISHER").unwrap_or(""),
                    version: env!("CARGO_PKG_VERSION"),
                    description: env!("CARGO_PKG_DESCRIPTION"),
                };
                let actions = vec![$($crate::__private::ActionEntry::of::<$action>()),+];
                let config: Vec<$crate::__private::Value> = vec![$($crate::__private::config_schema::<$config>())?];
                $crate::__private::manifest(&meta, &actions, config.into_iter().next())
            }
        }

        $crate::__export!(QuantumPlugin);
    };
}

/// The exports of the component.
#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ident) => {
        const _: () = {
    $crate::bindings::export_plugin!($plugin with_types_in $crate::bindings);
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
