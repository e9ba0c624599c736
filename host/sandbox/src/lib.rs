//! Runs attempts of plugin steps as WebAssembly components, and decides each of their effects: outgoing requests, uses
//! of secrets, and what they keep.
//!
//! Nothing that a guest does may end the host, reach another tenant, or use more than its limits. Components are
//! untrusted bytes; so are their results, their log lines and the servers that they talk to.

mod error;
mod options;
pub mod limits;
mod sandbox;
mod engine;
mod places;
mod breaker;
mod component;
mod fit;
mod attempt;
mod outcome;
mod backtrace;
mod host;
mod secret;
mod egress;
mod recording;

pub use component::{COMPILE_COMMAND, LoadError, compile_as_child};
pub use egress::{AddressClasses, EgressOptions, Resolver, SystemResolver, limits as egress_limits};
pub use error::Error;
pub use fit::FitReport;
pub use options::{Compilation, CompileLimits, Ports, SandboxOptions};
pub use recording::Replayed;
pub use sandbox::Sandbox;
