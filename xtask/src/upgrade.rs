//! `cargo xtask upgrade`: a rolling upgrade under faults. Builds the host of an earlier version, lets several nodes begin with
//! it, and has chaos replace them by this one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::{self, Profile};
use crate::chaos;
use crate::error::{Error, Result};
use crate::{shell, tools, workspace};

const NODES_DEFAULT: usize = 3;
/// What an older version may have stored otherwise: where there is no release yet, the one before is that before the last
/// change of these.
const STORED_FORMS: [&str; 3] =
    ["host/store/migrations", "host/core/src/machine/event.rs", "host/core/src/plan/document.rs"];

/// What it is told: a revision, and options of chaos.
#[derive(Debug, PartialEq)]
pub struct Upgrade {
    pub from: Option<String>,
    pub chaos: chaos::Options,
}

impl Upgrade {
    /// From the words after the task's name.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let (mut from, mut rest) = (None, Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--from" => from = Some(revision(words.next())?),
                "--older" => return Err(usage("--older is for chaos: it is what this task builds")),
                other => rest.push(other),
            }
        }
        let mut chaos = chaos::Options::parse(&rest)?;
        chaos.nodes.get_or_insert(NODES_DEFAULT);
        Ok(Self { from, chaos })
    }
}

fn revision(word: Option<&&str>) -> Result<String> {
    let given = word.filter(|word| !word.is_empty() && !word.starts_with('-'));
    given.map(|word| (*word).to_owned()).ok_or_else(|| usage("--from takes a git revision"))
}

fn usage(told: &str) -> Error {
    Error::Usage(format!("{told}\n\n{}", crate::help::of("upgrade").unwrap_or(crate::help::OVERVIEW)))
}

pub fn run(upgrade: Upgrade) -> Result<()> {
    let Upgrade { from, mut chaos } = upgrade;
    tools::prepare()?;
    let from = match from {
        Some(from) => from,
        None => version_before()?,
    };
    chaos.older = Some(build(&from, chaos.profile)?);
    chaos::run_on(&artifacts::build(chaos.profile)?, &chaos)
}

/// The last release; while there is none, the commit before the last one that may store something otherwise.
fn version_before() -> Result<String> {
    if let Ok(tag) = git(&["describe", "--tags", "--abbrev=0", "HEAD^"], Told::No) {
        return Ok(tag);
    }
    let last = git(&[&["log", "-1", "--format=%H", "HEAD", "--"][..], &STORED_FORMS].concat(), Told::Yes)?;
    Ok(format!("{last}^"))
}

/// The host of this revision. It is kept: a second run with the same one builds nothing.
fn build(revision: &str, profile: Profile) -> Result<PathBuf> {
    let commit = git(&["rev-parse", "--verify", &format!("{revision}^{{commit}}")], Told::Yes)?;
    let folder = workspace::target_dir()?.join("upgrade");
    let name = if profile == Profile::Release { "release" } else { "debug" };
    let short = commit.get(..12).unwrap_or(&commit);
    let kept = folder.join(format!("quantum-{short}-{name}{}", std::env::consts::EXE_SUFFIX));
    println!("the older host is that of {revision}, commit {short}");
    if kept.is_file() {
        return Ok(kept);
    }
    let source = folder.join("source");
    check_out(&source, &commit)?;
    let mut command = shell::cargo(&["build", "--package", "quantum-server", "--bin", "quantum"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    // Not that of this checkout: cargo takes packages of the same name and version for the same, wherever their sources lie.
    let own = folder.join("build");
    shell::run(command.arg("--target-dir").arg(&own).current_dir(&source))?;
    let built = own.join(name).join(format!("quantum{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(&built, &kept).map_err(Error::file(&kept))?;
    Ok(kept)
}

/// In a folder of its own: what is being worked on stays as it is.
fn check_out(source: &Path, commit: &str) -> Result<()> {
    let mut command = Command::new("git");
    if source.join(".git").exists() {
        command.arg("-C").arg(source).args(["checkout", "--quiet", "--detach", commit]);
    } else {
        command.args(["worktree", "add", "--quiet", "--force", "--detach"]).arg(source).arg(commit);
    }
    shell::run(command.current_dir(workspace::root()))
}

/// Whether what git has to say about a failure is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

fn git(arguments: &[&str], told: Told) -> Result<String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(workspace::root());
    let text = match told {
        Told::Yes => shell::output(&mut command)?,
        Told::No => shell::output_quietly(&mut command)?,
    };
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_and_the_rest_is_chaos() {
        let upgrade = Upgrade::parse(&["--seed", "7", "--from", "v0.1.0"]).unwrap();
        assert_eq!(upgrade.from.as_deref(), Some("v0.1.0"));
        assert_eq!((upgrade.chaos.seed, upgrade.chaos.nodes), (7, Some(NODES_DEFAULT)));
        assert_eq!(Upgrade::parse(&["--nodes", "5"]).unwrap().chaos.nodes, Some(5));
        for words in [&["--from"][..], &["--from", "--seed"], &["--older", "/"]] {
            let told = Upgrade::parse(words).unwrap_err().to_string();
            assert!(told.contains("cargo xtask upgrade"), "{words:?}: {told}");
        }
    }
}
