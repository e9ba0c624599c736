//! What the attempts of a tenant used: sums by day and action. How it is stored is the store's business.

mod day;
mod sums;

pub use day::Day;
pub use sums::{Account, Sums, Used};
