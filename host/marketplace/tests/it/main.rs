//! Hostile and honest files, one `check` each.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper of it does")]

mod boundary;
mod gate;
mod hostile;
mod package;
mod sample;
