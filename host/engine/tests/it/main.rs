//! The engine on a real store, with a scripted runner in place of components.

mod bench;
mod cancel;
mod follow;
mod recovery;
mod refusal;
mod retry;
mod sequence;
