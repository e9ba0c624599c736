//! What several tests share: files of cases, a directory of actions, plans made from documents.

mod actions;
mod cases;
mod plans;

pub use actions::{Actions, tenant};
pub use cases::{check_file, updating};
pub use plans::{alice, new_execution, plan, state_of};
