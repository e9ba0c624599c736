//! The simulation behind docs/scaling.md: tenants on cells, each cell a PostgreSQL with its nodes. Which placement
//! spreads a heavy tail of loads, what a new cell moves, and who is down with a dead one.
//!
//! Nothing of the host runs here, and no time is measured: the same seed gives the same table on every machine.

mod chance;
mod decision;
mod figures;
mod options;
mod placement;
mod rebalance;
mod report;
mod setup;
mod simulate;
mod tenants;
#[cfg(test)]
mod tests;

pub use options::Options;
pub use placement::Strategy;
pub use report::Report;
pub use setup::Setup;
pub use simulate::{Hour, World, simulate};
