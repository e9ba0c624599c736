//! The SDK as an author uses it: the manifest that attributes and types make, and how parameters and failures travel.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper of it does")]

mod manifest;
mod run;
mod sample;
