//! What steps store: over the ports that the sandbox asks, and over the use cases.

mod artifacts;
mod collect;
mod isolation;
mod key_value;
mod recordings;
mod secrets;
mod world;
