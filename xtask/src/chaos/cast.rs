//! Who plays: one host on SQLite, or several on one PostgreSQL. The load and the check are the same for both.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::check::Violation;
use super::fault::Fate;
use super::host::{Host, Place};
use super::hosts::Hosts;
use super::load::{Begun, Load};
use super::nodes::{self, Nodes, Upgrade};
use super::options::Options;
use super::supervisor::{Faults, Supervisor, UNHARMED};
use crate::error::{Error, Result};

pub enum Cast {
    One(Host, PathBuf),
    Several(Box<Nodes>),
}

/// What the faults have left.
pub struct Left {
    pub cast: Cast,
    pub faults: Faults,
    /// Executions that were started to see whether a host writes.
    pub probes: Vec<Begun>,
}

impl Cast {
    /// They listen.
    pub fn enter(place: &Place, options: &Options, hosts: &Hosts) -> Result<Self> {
        if let Some(count) = options.nodes {
            let upgrade = Upgrade::of(options);
            return Ok(Self::Several(Box::new(Nodes::start(place, count, upgrade, hosts)?)));
        }
        // With the machine's own clock: commands make their tokens by it, and they live for minutes.
        let first = place.spawn(0)?.wait();
        let first = first.map_err(|told| Error::chaos(format!("{told}:\n{}", place.log_end())))?;
        hosts.moved_to(&first.url);
        Ok(Self::One(first, place.log()))
    }

    /// Of the one that came first.
    pub fn first_url(&self) -> &str {
        match self {
            Self::One(host, _) => &host.url,
            Self::Several(nodes) => nodes.first_url(),
        }
    }

    /// Folders that hold what they know.
    pub fn data(&self, run: &Place) -> Vec<PathBuf> {
        let own = match self {
            Self::One(..) => Vec::new(),
            Self::Several(nodes) => nodes.nodes.iter().map(|node| node.place.data()).collect(),
        };
        own.into_iter().chain([run.data()]).collect()
    }

    /// Faults until the time is over. What is left then is not hurt any more.
    pub fn play(self, place: &Place, load: &Load<'_>, options: &Options) -> Result<Left> {
        let until = Instant::now() + options.lasts;
        match self {
            Self::One(first, log) => {
                let mut supervisor = Supervisor::new(place, load, Fate::new(options.seed));
                let last = supervisor.run(first, until)?;
                let Supervisor { faults, probes, .. } = supervisor;
                Ok(Left { cast: Self::One(last, log), faults, probes })
            }
            Self::Several(mut nodes) => {
                let (faults, ended) = nodes::run(&mut nodes, load, options.seed, until);
                if let Err(error) = ended {
                    nodes.database.keep(&place.folder)?;
                    return Err(error);
                }
                Ok(Left { cast: Self::Several(nodes), faults, probes: Vec::new() })
            }
        }
    }

    /// SIGTERM, once everything is over. Gives what a host must not do, and notes what is known only then.
    pub fn leave(self, folder: &Path, faults: &mut Faults) -> Result<Vec<Violation>> {
        let (mut found, logs) = match self {
            Self::One(host, log) => {
                let ended = host.end().err().map(|told| Violation::new(UNHARMED, "", told));
                (Vec::from_iter(ended), vec![log])
            }
            Self::Several(mut nodes) => {
                let mut found = nodes.end();
                found.extend(nodes.database.violations());
                nodes.database.keep(folder)?;
                faults.nodes = Some(nodes.tally());
                (found, nodes.logs())
            }
        };
        found.extend(logs.iter().filter_map(|log| panics(log)));
        Ok(found)
    }
}

/// A host catches a panic and goes on; it is a defect all the same.
fn panics(log: &Path) -> Option<Violation> {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("panicked at")).collect();
    let first = lines.first()?;
    let (name, count) = (log.file_name().unwrap_or_default().to_string_lossy(), lines.len());
    Some(Violation::new("nothing panics", "", format!("{count} times in {name}, first: {first}")))
}
