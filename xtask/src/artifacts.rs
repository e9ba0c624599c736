//! Builds what the tasks run: the binary `quantum`, and beside it the packed plugins that ship.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::{shell, workspace};

/// How the host is compiled. Plugins always use the profile `plugin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

/// Where the built things lie.
#[derive(Debug, Clone)]
pub struct Artifacts {
    pub quantum: PathBuf,
    /// Packed components, one file a plugin: the folder `plugins` beside the binary, where the host looks for them.
    pub plugins: PathBuf,
    /// The packed plugin that means harm, where no host looks.
    pub hostile: PathBuf,
}

impl Artifacts {
    pub fn of(profile: Profile) -> Result<Self> {
        let folder = workspace::target_dir()?.join(match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        });
        let quantum = folder.join(format!("quantum{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { quantum, plugins: folder.join("plugins"), hostile: folder.join("hostile") })
    }

    pub fn quantum(&self) -> Command {
        let mut command = Command::new(&self.quantum);
        command.current_dir(workspace::root());
        command
    }
}

/// Builds the host alone, then packs the plugins with it.
pub fn build(profile: Profile) -> Result<Artifacts> {
    let artifacts = host(profile)?;
    pack_plugins(&artifacts)?;
    Ok(artifacts)
}

/// The same for tests: with the plugin that means harm.
pub fn build_for_tests() -> Result<Artifacts> {
    let artifacts = build(Profile::Dev)?;
    pack_hostile(&artifacts)?;
    Ok(artifacts)
}

pub fn host(profile: Profile) -> Result<Artifacts> {
    let mut command = shell::cargo(&["build", "--package", "quantum-server", "--bin", "quantum"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    shell::run(&mut command)?;
    Artifacts::of(profile)
}

/// Packs every plugin that ships into the folder beside the binary.
pub fn pack_plugins(artifacts: &Artifacts) -> Result<()> {
    for plugin in workspace::bundled_plugins()? {
        pack(artifacts, &plugin, &artifacts.plugins)?;
    }
    Ok(())
}

/// Packs the plugin that means harm for the tests.
pub fn pack_hostile(artifacts: &Artifacts) -> Result<()> {
    pack(artifacts, &workspace::hostile_plugin(), &artifacts.hostile)
}

fn pack(artifacts: &Artifacts, plugin: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let mut command = artifacts.quantum();
    command.args(["plugin", "build"]).arg(short(plugin)).arg("--out").arg(short(folder));
    shell::run(&mut command)
}

/// Runs the cases of every plugin that ships in the real sandbox.
pub fn test_plugins(artifacts: &Artifacts) -> Result<()> {
    for plugin in workspace::bundled_plugins()? {
        shell::run(artifacts.quantum().args(["plugin", "test"]).arg(short(&plugin)))?;
    }
    Ok(())
}

/// Relative where it can be, for commands that people read; they run at the root.
fn short(path: &Path) -> PathBuf {
    path.strip_prefix(workspace::root()).unwrap_or(path).to_owned()
}
