//! What the shipped policies decide, what a policy author is told, and how a host asks.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod decisions;
mod findings;
mod matrix;
mod steps;
mod suite;
mod suites;
mod support;
mod vocabulary;
