//! The host as one program: settings, wiring and the command line. It builds and connects the other rooms, and holds
//! no logic of theirs.

mod backup;
mod bundled;
mod gate;
mod keys;
mod places;
mod policies;
mod serve;
mod warm;
mod wire;
pub mod cli;
pub mod plugin;
pub mod settings;

pub use keys::{KeyError, Keys};
pub use serve::{ServeError, serve};
pub use wire::{Host, WireError};

/// An error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        let cause_text = cause.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        at = cause.source();
    }
    text
}
