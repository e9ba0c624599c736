//! The nodes of a run: each with a data folder, a clock and a way to the database of its own.

use std::ffi::OsStr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::check::Violation;
use super::super::host::{Host, Place, Starting};
use super::super::hosts::Hosts;
use super::super::stage::CONFIGURATION;
use super::super::supervisor::UNHARMED;
use super::build::{Build, Upgrade};
use super::database::Database;
use super::proxy::{Proxy, Weather};
use super::tally::{Lost, OLDER, Tally};
use crate::error::{Error, Result};

/// Milliseconds of a node's lease: short, so that much is taken over in a run of minutes.
pub const LEASE_MS: u64 = 2_000;
/// By how much the clock of each second node is ahead of the machine's, and that of the others. None runs behind: tokens
/// are made by the machine's.
pub const CLOCKS_MS: [i64; 2] = [0, 60 * 60 * 1_000];

/// What a host says of a commit under an old epoch.
const REFUSED_COMMIT: &str = "a commit was refused: another node runs this execution by now";

/// All that plays beside the clients and the ledger.
pub struct Nodes {
    /// Of the run.
    place: Place,
    // Fields are dropped in this order: who uses the database, then the database.
    pub nodes: Vec<Node>,
    pub database: Database,
    /// What others had to take over from.
    pub lost: Vec<Lost>,
    pub tally: Tally,
    /// None: all processes are of one build.
    pub upgrade: Option<Upgrade>,
}

pub struct Node {
    pub place: Place,
    pub name: String,
    pub proxy: Proxy,
    pub clock_shift_ms: i64,
    /// Processes so far.
    pub processes: u32,
    /// Of its process.
    pub build: Build,
    pub state: State,
    /// When the network clears up; none: it is clear.
    pub bad_until: Option<Instant>,
    /// Since when the network has been clear.
    pub clear_since: Instant,
    /// Since when its `/readyz` is to say that it is ready; none: it has said so, or need not.
    pub heals_since: Option<Instant>,
    /// When that was asked last.
    pub asked_at: Instant,
}

pub enum State {
    Down { until: Instant },
    Starting(Starting),
    Up(Host),
    Paused { host: Host, until: Instant },
    Ending { host: Host, since: Instant, down: Duration },
}

impl Nodes {
    /// The first one alone, which makes the keys; then the others.
    pub fn start(place: &Place, count: usize, upgrade: Option<Upgrade>, hosts: &Hosts) -> Result<Self> {
        let older = upgrade.as_ref().map(|upgrade| upgrade.older.clone());
        let first = Place { quantum: older.unwrap_or_else(|| place.quantum.clone()), ..place.clone() };
        let database = Database::start(&first)?;
        let mut nodes = Vec::with_capacity(count);
        for number in 0..count {
            nodes.push(Node::new(place, number, &database)?);
        }
        let tally = Tally { nodes: count, older: upgrade.as_ref().map(|_| 0), ..Tally::default() };
        let mut all = Self { place: place.clone(), nodes, database, lost: Vec::new(), tally, upgrade };
        for number in 0..count {
            let started = all.spawn(number)?.wait();
            let node = all.node(number)?;
            let host = started.map_err(|told| Error::chaos(format!("{told}:\n{}", node.place.log_end())))?;
            hosts.listens(number, &host.url);
            node.state = State::Up(host);
        }
        Ok(all)
    }

    /// A new process of a node.
    pub fn spawn(&mut self, number: usize) -> Result<Starting> {
        let build = self.upgrade.as_mut().map_or(Build::This, Upgrade::draw);
        self.spawn_of(number, build)
    }

    pub fn spawn_of(&mut self, number: usize, build: Build) -> Result<Starting> {
        self.tally.note_process(build);
        let older = self.upgrade.as_ref().map(|upgrade| upgrade.older.clone());
        let node = self.nodes.get_mut(number).ok_or_else(|| Error::chaos("there is no such node"))?;
        let quantum = older.filter(|_| build == Build::Older);
        node.build = build;
        node.spawn(&self.database, quantum)
    }

    pub fn node(&mut self, number: usize) -> Result<&mut Node> {
        self.nodes.get_mut(number).ok_or_else(|| Error::chaos("there is no such node"))
    }

    /// This build prepares the database when it is its time to.
    pub fn prepare(&mut self) -> Result<()> {
        if let Some(upgrade) = &mut self.upgrade
            && upgrade.must_prepare()
            && self.database.is_up()
        {
            self.database.prepare(&self.place)?;
            upgrade.is_prepared = true;
        }
        Ok(())
    }

    pub fn first_url(&self) -> &str {
        let up = self.nodes.iter().find_map(|node| match &node.state {
            State::Up(host) => Some(host.url.as_str()),
            _ => None,
        });
        up.unwrap_or_default()
    }

    /// With what the witness and the logs know.
    pub fn tally(&self) -> Tally {
        let mut tally = self.tally.clone();
        tally.commits = self.database.commits();
        tally.note_take_overs(&self.lost, &self.database.handovers());
        let logs = self.nodes.iter().map(|node| std::fs::read(node.place.log()).unwrap_or_default());
        tally.refused_commits =
            logs.map(|log| String::from_utf8_lossy(&log).matches(REFUSED_COMMIT).count()).sum();
        tally
    }

    /// Where their logs are.
    pub fn logs(&self) -> Vec<PathBuf> {
        self.nodes.iter().map(|node| node.place.log()).collect()
    }

    /// SIGTERM to all that live, once everything is over. Gives what one must not do.
    pub fn end(&mut self) -> Vec<Violation> {
        let mut found = Vec::new();
        for node in &mut self.nodes {
            let down = State::Down { until: Instant::now() };
            if let State::Up(host) = std::mem::replace(&mut node.state, down) {
                found.extend(host.end().err().map(|told| Violation::new(UNHARMED, "", told)));
            }
        }
        found
    }
}

/// A data folder with the settings of all nodes and a lease that is short.
fn furnish(place: &Place) -> Result<()> {
    let data = place.data();
    std::fs::DirBuilder::new().mode(0o700).create(&data).map_err(Error::file(&data))?;
    let configuration = data.join("quantum.toml");
    let text = format!("{CONFIGURATION}\n[engine]\nlease_ms = {LEASE_MS}\n");
    std::fs::write(&configuration, text).map_err(Error::file(&configuration))
}

impl Node {
    fn new(run: &Place, number: usize, database: &Database) -> Result<Self> {
        let name = format!("n{}", number + 1);
        let place = Place { node: Some(name.clone()), ..run.clone() };
        furnish(&place)?;
        let clock_shift_ms = CLOCKS_MS.get(number % CLOCKS_MS.len()).copied().unwrap_or(0);
        let now = Instant::now();
        Ok(Self {
            place,
            name,
            proxy: Proxy::start(database.port())?,
            clock_shift_ms,
            processes: 0,
            build: Build::This,
            state: State::Down { until: now },
            bad_until: None,
            clear_since: now,
            heals_since: None,
            asked_at: now,
        })
    }

    /// Its process now, as the witness knows it.
    pub fn writer(&self) -> String {
        let build = if self.build == Build::Older { OLDER } else { "" };
        format!("{}.{}{build}", self.name, self.processes)
    }

    /// A new process. `quantum`: of another build than that of its place.
    fn spawn(&mut self, database: &Database, quantum: Option<PathBuf>) -> Result<Starting> {
        self.processes += 1;
        let store = database.url(self.proxy.port(), &self.writer());
        // The folder of the run's own place is the one that all nodes share.
        let shared = Place { node: None, ..self.place.clone() }.data();
        let arguments: [&OsStr; 6] = [
            "--store".as_ref(),
            store.as_ref(),
            "--shared-dir".as_ref(),
            shared.as_ref(),
            "--node".as_ref(),
            self.name.as_ref(),
        ];
        let quantum = quantum.unwrap_or_else(|| self.place.quantum.clone());
        let place = Place { quantum, ..self.place.clone() };
        place.spawn_with(self.clock_shift_ms, &arguments)
    }

    /// Nothing happens to it now.
    pub fn is_well(&self) -> bool {
        matches!(self.state, State::Up(_)) && self.bad_until.is_none()
    }

    pub fn set_weather(&mut self, weather: Weather, lasts: Duration) {
        self.proxy.set(weather);
        self.bad_until = Some(Instant::now() + lasts);
        self.heals_since = None;
    }

    pub fn clear_up(&mut self) {
        self.proxy.set(Weather::Clear);
        (self.bad_until, self.clear_since) = (None, Instant::now());
    }
}
