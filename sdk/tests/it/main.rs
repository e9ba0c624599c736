//! The SDK as an author uses it: the manifest that attributes and types make, how parameters and failures travel,
//! what an action does with artifacts, values, secrets and streams, and the contract behind it.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper of it does")]

mod contract;
mod effects;
mod manifest;
mod messages;
mod run;
mod sample;
