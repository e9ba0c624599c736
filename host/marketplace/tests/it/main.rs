//! Hostile and honest files, one `check` each.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where a helper of it does")]

mod boundary;
mod gate;
mod hostile;
mod package;
mod sample;
