//! What the attempts of a tenant used: sums by day and action, and quotas on them. How it is stored is the store's
//! business, when it is asked the engine's.

mod day;
mod quota;
mod sums;

pub use day::Day;
pub use quota::{QuotaReached, quota_reached};
pub use sums::{Account, Sums, Used};
