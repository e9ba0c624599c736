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
use super::database::Database;
use super::proxy::{Proxy, Weather};
use super::tally::{Lost, Tally};
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
    // Fields are dropped in this order: who uses the database, then the database.
    pub nodes: Vec<Node>,
    pub database: Database,
    /// What others had to take over from.
    pub lost: Vec<Lost>,
    pub tally: Tally,
}

pub struct Node {
    pub place: Place,
    pub name: String,
    pub proxy: Proxy,
    pub clock_shift_ms: i64,
    /// Processes so far.
    pub processes: u32,
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
    pub fn start(place: &Place, count: usize, hosts: &Hosts) -> Result<Self> {
        let database = Database::start(place)?;
        let mut nodes = Vec::with_capacity(count);
        for number in 0..count {
            nodes.push(Node::new(place, number, &database)?);
        }
        let tally = Tally { nodes: count, ..Tally::default() };
        let mut all = Self { nodes, database, lost: Vec::new(), tally };
        for (number, node) in all.nodes.iter_mut().enumerate() {
            let host = node.spawn(&all.database)?.wait();
            let host = host.map_err(|told| Error::chaos(format!("{told}:\n{}", node.place.log_end())))?;
            hosts.listens(number, &host.url);
            node.state = State::Up(host);
        }
        Ok(all)
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
            state: State::Down { until: now },
            bad_until: None,
            clear_since: now,
            heals_since: None,
            asked_at: now,
        })
    }

    /// Its process now, as the witness knows it.
    pub fn writer(&self) -> String {
        format!("{}.{}", self.name, self.processes)
    }

    /// A new process.
    pub fn spawn(&mut self, database: &Database) -> Result<Starting> {
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
        self.place.spawn_with(self.clock_shift_ms, &arguments)
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
