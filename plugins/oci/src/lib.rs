//! Container images: assembled from files and a base inside the sandbox, without running anything, and pushed to a
//! registry. Where it may connect to is the installer's word: the slot `registry`.

mod build;
mod push;
mod settings;
mod reference;
mod digest;
mod platform;
mod files;
mod path;
mod archive;
mod bytes;
mod reading;
mod layer;
mod image;
mod config;
mod time;
mod registry;
#[cfg(test)]
mod tests;

use quantum_sdk::plugin;

use build::build_container;
use push::push_to_registry;
use settings::Config;

plugin!(build_container, push_to_registry; config = Config);
