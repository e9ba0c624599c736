//! The PostgreSQL of a run: its own cluster, which syncs as in production, with the witness in it.

use std::path::Path;
use std::time::{Duration, Instant};

use quantum_testing::{Postgres, Settings, TestDatabase};

use super::super::check::Violation;
use super::super::host::Place;
use super::tally::Handover;
use super::witness;
use crate::error::{Error, Result};
use crate::shell;

/// The login of the hosts.
const LOGIN: &str = "quantum";

const OWNERS: &str = "an execution is written by its owner alone, and by no process that lost it";
const JOURNAL: &str = "the rows of a journal follow one another, under epochs that only grow";
const OPEN: &str = "nothing is left open";

pub struct Database {
    // Fields are dropped in this order: the database, then its server.
    database: TestDatabase,
    postgres: Postgres,
    /// When it is started again; none: it runs.
    down_until: Option<Instant>,
    /// Since when it has been running without a break.
    pub up_since: Instant,
}

impl Database {
    /// Err: PostgreSQL is not installed, or does not do as asked.
    pub fn start(place: &Place) -> Result<Self> {
        let missing = |_| Error::Missing {
            what: "PostgreSQL",
            why: "chaos with --nodes starts one of its own",
            install: "install it, on Debian: apt-get install postgresql",
        };
        let postgres = Postgres::start_with(&Settings { fsync: true, extra: Vec::new() }).map_err(missing)?;
        let database = postgres.database();
        let made = Self { database, postgres, down_until: None, up_since: Instant::now() };
        made.prepare(place)?;
        made.database.query(witness::INSTALL);
        Ok(made)
    }

    /// With the host of this place. Others may serve.
    pub fn prepare(&self, place: &Place) -> Result<()> {
        let mut prepare = place.quantum(&place.quantum);
        prepare.args(["store", "prepare", "--login", LOGIN, "--owner"]).arg(self.database.url());
        shell::output(&mut prepare).map(drop)
    }

    pub fn port(&self) -> u16 {
        self.postgres.port()
    }

    /// For a process, through a proxy that listens at this port.
    pub fn url(&self, port: u16, writer: &str) -> String {
        let (name, setting) = (self.database.name(), witness::WRITER);
        format!("postgres://{LOGIN}@127.0.0.1:{port}/{name}?options=-c%20{setting}%3D{writer}")
    }

    pub fn is_up(&self) -> bool {
        self.down_until.is_none()
    }

    pub fn stop(&mut self, down: Duration) {
        self.postgres.stop();
        self.down_until = Some(Instant::now() + down);
    }

    pub fn crash(&mut self, down: Duration) {
        self.postgres.kill();
        self.down_until = Some(Instant::now() + down);
    }

    pub fn is_due(&self) -> bool {
        self.down_until.is_some_and(|until| Instant::now() >= until)
    }

    /// Returns when it accepts connections.
    pub fn start_again(&mut self) {
        self.postgres.start_again();
        self.down_until = None;
        self.up_since = Instant::now();
    }

    /// Ends the connections with these ports at their other ends. Gives how many there were.
    pub fn disconnect(&self, ports: &[u16]) -> u32 {
        let ports = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        let sql = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE client_port = ANY ('{{{ports}}}')"
        );
        self.database.query(&sql).parse().unwrap_or(0)
    }

    /// What the witness holds against the hosts.
    pub fn violations(&self) -> Vec<Violation> {
        let rows = |promise, sql: &str| {
            let text = self.database.query(sql);
            text.lines().map(|line| Violation::new(promise, "", line)).collect::<Vec<_>>()
        };
        let mut found = rows(OWNERS, witness::STRANGERS);
        found.extend(rows(JOURNAL, witness::ORDER));
        found.extend(rows(OPEN, witness::OPEN));
        let counts = self.database.query(witness::COUNTS);
        let differ = counts.split_once('|').is_none_or(|(noted, written)| noted != written);
        found.extend(differ.then(|| Violation::new(JOURNAL, "", format!("noted and written: {counts}"))));
        found
    }

    /// Rows of the journal.
    pub fn commits(&self) -> usize {
        let counts = self.database.query(witness::COUNTS);
        counts.split('|').next().and_then(|noted| noted.parse().ok()).unwrap_or(0)
    }

    /// See `witness::HANDOVERS`.
    pub fn handovers(&self) -> Vec<Handover> {
        let text = self.database.query(witness::HANDOVERS);
        let parse = |line: &str| {
            let mut parts = line.split('|');
            let (from, to) = (parts.next()?.to_owned(), parts.next()?.to_owned());
            Some(Handover { from, to, at_ms: parts.next()?.parse().ok()? })
        };
        text.lines().filter_map(parse).collect()
    }

    /// Everything that the witness noted, and what the server said.
    pub fn keep(&self, folder: &Path) -> Result<()> {
        for (name, text) in
            [("commits.txt", self.database.query(witness::ALL)), ("postgres.log", self.postgres.log())]
        {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(Error::file(&path))?;
        }
        Ok(())
    }
}
