//! What Quantum costs. The benches are in `benches/`; the load generator is here, the simulation of cells, and how figures
//! are told.
//!
//! Nothing here is part of the host, and no test depends on how long something took.

pub mod cells;
pub mod load;
pub mod process;
pub mod report;
pub mod run;
