//! `cargo xtask demo`: the whole product in one run, as a user meets it: the binary, its commands, its HTTP API.
//!
//! Every scene checks what it shows; a scene that does not happen as told ends the demo with an error.

mod client;
mod events;
mod host;
mod image;
mod pipeline;
mod scenes;
mod service;
mod stage;

use std::path::PathBuf;
use std::time::Instant;

use crate::artifacts::{self, Profile};
use crate::error::{Error, Result};
use crate::{shell, tools, workspace};

use client::Client;
use host::Host;
use service::Service;

/// What becomes of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    Stop,
    Keep,
}

/// The tenant of every scene.
const TENANT: &str = "tenant-123";

/// What the operator allows: the service's range, and that the plugin `http` may call it.
const CONFIGURATION: &str = r#"# The demo's service listens on loopback. Without these lines the shipped policies refuse every request to it.
[egress]
allow_cidrs = ["127.0.0.0/8"]

[plugins.http]
allow_hosts = ["http://127.0.0.1:*"]
"#;

pub fn run(at_end: AtEnd) -> Result<()> {
    let started = Instant::now();
    heading("Preparing: tools, the host, the plugins");
    tools::prepare()?;
    let artifacts = artifacts::build(Profile::Dev)?;
    let folder = fresh_folder()?;
    let service = Service::start()?;

    heading("Starting the host on an empty data directory");
    let mut host = Host::start(&artifacts.quantum, &folder)?;
    println!(
        "{} answers; its data, key, configuration and log are in {}",
        host.url,
        workspace::relative(&folder)
    );
    let client = Client::new(artifacts.quantum, folder, host.url.clone());
    let client = scenes::tenant(client)?;
    scenes::release(&client, &service)?;
    scenes::refusal(&client, &service)?;
    pipeline::pipeline(&client, &service)?;
    let client = scenes::crash(client, &mut host, &service)?;

    heading("What to type next");
    scenes::requests(&client)?;
    host.end(at_end)?;
    println!("\nThe demo took {}, building included.", shell::seconds(started.elapsed()));
    Ok(())
}

/// `target/demo`, emptied: every demo starts like a first one.
fn fresh_folder() -> Result<PathBuf> {
    let folder = workspace::target_dir()?.join("demo");
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::file(&folder)(error));
        }
        _ => std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?,
    }
    let configuration = folder.join("quantum.toml");
    std::fs::write(&configuration, CONFIGURATION).map_err(Error::file(&configuration))?;
    Ok(folder)
}

fn heading(text: &str) {
    println!("\n\x1b[1m== {text}\x1b[0m");
}
