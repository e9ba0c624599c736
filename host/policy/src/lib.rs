//! Authorization: loads Cedar policies, compiles them, and decides what people and running steps may do.
//!
//! A request is denied when any policy that applies to it cannot be evaluated. Nothing here does IO after loading.

mod authorizer;
mod check;
mod compile;
mod context;
mod draft;
mod entity;
mod facts;
mod finding;
mod gate;
mod known;
mod lint;
mod needs;
mod question;
mod rule;
mod side;
mod slice;
mod source;
#[cfg(test)]
mod tests;
mod words;

pub use authorizer::{Authorizer, Ruling};
pub use check::{check, check_shipped};
pub use compile::PolicySet;
pub use facts::{
    Auth, Caller, Change, Context, ExecutionFacts, IntentFacts, PluginFacts, Resource, SecretFacts,
};
pub use finding::{CheckReport, PolicyFinding};
pub use source::PolicySources;
