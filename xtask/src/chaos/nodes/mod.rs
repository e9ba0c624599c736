//! Several hosts on one PostgreSQL: who they are, what happens to them, and who watches from inside of the database.

mod plan;
mod proxy;
mod witness;
mod database;
mod node;
mod supervisor;
mod care;
mod tally;

pub use node::Nodes;
pub use supervisor::run;
pub use tally::Tally;
