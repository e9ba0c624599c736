//! The blueprint: a stored template that gives steps to the intents of its name that have none of their own.

mod check;
mod document;
mod schema;

pub use check::{CheckedBlueprint, check_blueprint};
pub use document::Blueprint;
pub use schema::blueprint_schema;
