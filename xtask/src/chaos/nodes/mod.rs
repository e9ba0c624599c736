//! Several hosts on one PostgreSQL: who they are, what happens to them, and who watches from inside of the database.

mod plan;
mod build;
mod proxy;
mod witness;
mod database;
mod node;
mod supervisor;
mod care;
mod tally;

pub use build::Upgrade;
pub use node::Nodes;
pub use supervisor::run;
pub use tally::Tally;
