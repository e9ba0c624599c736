//! Expressions: CEL inside `${ … }`, compiled once per version and evaluated against what an execution knows.
//!
//! The evaluator has no cost limit of its own, so everything is bounded before it runs: see `limits`.

mod ast;
mod evaluate;
mod program;
mod scope;
mod template;
mod variables;

pub use program::{Expression, ExpressionError};
pub use scope::{EvaluationError, Scope, StepView};
pub use template::Template;
pub use variables::Variables;
