//! Write actions for Quantum. An action is a function from typed parameters to a typed result; it runs in a sandbox
//! and reaches the world only through what it declares.
//!
//! ```
//! use quantum_sdk::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Greet {
//!     /// Who is greeted.
//!     name: String,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Greeting {
//!     text: String,
//! }
//!
//! /// Greets someone.
//! #[action(idempotent, no_side_effects)]
//! fn greet(ctx: &Context, p: Greet) -> Result<Greeting> {
//!     ctx.log().info("greeting", &[("name", &p.name)]);
//!     Ok(Greeting { text: format!("Hello, {}", p.name) })
//! }
//!
//! plugin!(greet);
//!
//! # fn main() {
//! let host = quantum_sdk::testing::Host::new();
//! let answer = host.run::<greet>(serde_json::json!({ "name": "Ada" })).unwrap();
//! assert_eq!(answer["text"], "Hello, Ada");
//! # }
//! ```
//!
//! Natively (`cargo test`) actions run against [`testing::Host`]. `quantum plugin build` makes the component and writes
//! its manifest from the attributes, the types and their doc comments.

#![warn(missing_docs)]

mod action;
pub mod artifacts;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
mod capabilities;
mod context;
mod failure;
#[cfg(target_family = "wasm")]
mod guest;
pub mod http;
mod io;
mod json;
pub mod kv;
mod log;
mod manifest;
mod plugin;
pub mod prelude;
mod schema;
pub mod secrets;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use context::Context;
pub use failure::{Failure, Problem, Result};
pub use log::{Field, Level, Log};
/// ```
/// use quantum_sdk::prelude::*;
///
/// /// Greets someone. The first sentence is the title, the whole comment the description.
/// #[action(name = "say-hello", aliases("greet"), idempotent, no_side_effects)]
/// fn hello(_ctx: &Context, name: String) -> Result<String> {
///     Ok(format!("Hello, {name}"))
/// }
///
/// assert_eq!(quantum_sdk::testing::Host::new().run::<hello>("Ada".into()).unwrap(), "Hello, Ada");
/// ```
pub use quantum_sdk_macros::action;

/// The examples of the guide's pages, compiled and run with those of this documentation.
#[cfg(doctest)]
mod capability_pages {
    macro_rules! pages {
        ($($name:ident = $file:literal),+ $(,)?) => {
            $(#[doc = include_str!(concat!("../../docs/capabilities/", $file))] pub struct $name;)+
        };
    }

    pages!(
        Artifacts = "artifacts.md",
        Clock = "clock.md",
        Context = "context.md",
        Http = "http.md",
        Kv = "kv.md",
        Log = "log.md",
        Random = "random.md",
        Secrets = "secrets.md",
    );
}

/// What the macros expand to. Not an interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::action::{Action, ActionMeta, SecretMeta};
    pub use crate::manifest::PluginMeta;
    pub use crate::plugin::{Plugin, manifest, run};
    pub use crate::schema::read as config_schema;
    pub use serde_json::Value;
}
