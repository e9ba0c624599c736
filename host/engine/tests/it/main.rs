//! The engine on a real store, with a scripted runner in place of components.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where a helper of it does")]

mod bench;
mod cancel;
mod children;
mod elements;
mod follow;
mod nodes;
mod operate;
mod recordings;
mod recovery;
mod refusal;
mod retention;
mod retention_schedules;
mod retry;
mod schedules;
mod sequence;
mod simulation;
mod together;
mod unread;
mod usage;
mod waits;
