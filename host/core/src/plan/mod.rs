//! A plan: one version of an intent made concrete. Actions are resolved to exact components, expressions compiled, the
//! graph checked. An execution ends with the plan that it started with.

mod build;
mod compiled;
mod document;
pub mod graph;

pub use build::build;
pub use compiled::{CompiledStep, Plan};
pub use document::{
    PLAN_FORMAT, PinnedAction, PlanDocument, PlannedAction, PlannedIntent, PlannedStep, PlannedUndo,
};
