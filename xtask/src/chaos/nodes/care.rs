//! Looks at every node again and again: who has been away for long enough comes back, and who must be well is asked.

use std::time::{Duration, Instant};

use super::super::host::{Host, Look};
use super::super::supervisor::{look_at_limits, millis};
use super::build::Build;
use super::node::State;
use super::supervisor::Supervisor;
use crate::error::Error;
use crate::error::Result;

/// Between two questions whether a node is ready.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How long a node may need until `/readyz` says so, once the database can be reached: it tries every second.
const HEAL_MAX: Duration = Duration::from_secs(30);
/// How long a node may need to end in order: its attempts have ten seconds, and the database may be away.
const END_MAX: Duration = Duration::from_secs(60);
/// How long a node stays away whose start found no database, as under a supervisor of processes.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

impl Supervisor<'_> {
    /// Whatever has its time now.
    pub(super) fn look(&mut self) -> Result<()> {
        if self.nodes.database.is_due() {
            self.bring_database_back();
        }
        for number in 0..self.nodes.nodes.len() {
            let now = Instant::now();
            let node = self.node(number)?;
            if node.bad_until.is_some_and(|until| now >= until) {
                node.clear_up();
                node.heals_since = Some(now);
            }
            let state = std::mem::replace(&mut node.state, State::Down { until: now });
            let next = self.next_state(number, state)?;
            self.node(number)?.state = next;
            self.ask(number)?;
        }
        Ok(())
    }

    fn bring_database_back(&mut self) {
        for node in self.nodes.nodes.iter().filter(|node| node.is_well()) {
            let State::Up(host) = &node.state else { continue };
            self.nodes.tally.outages_noticed += u32::from(self.probe.is_ready(&host.admin) == Some(false));
        }
        self.nodes.database.start_again();
        for node in &mut self.nodes.nodes {
            node.heals_since = Some(Instant::now());
        }
    }

    fn next_state(&mut self, number: usize, state: State) -> Result<State> {
        let now = Instant::now();
        Ok(match state {
            State::Down { until } if now >= until => self.start(number)?,
            State::Starting(starting) => {
                let since = starting.since;
                match starting.look() {
                    Look::Listens(host) => {
                        let faults = &mut self.faults;
                        look_at_limits(&self.probe, self.load.scenarios, &host.url, faults);
                        self.welcome(number, host)?
                    }
                    Look::NotYet(starting) => State::Starting(starting),
                    Look::Failed(told) => self.refused(number, since, &told)?,
                }
            }
            State::Up(mut host) => match host.ended() {
                None => State::Up(host),
                Some(status) => {
                    self.hosts().left(number);
                    self.wrong(number, &format!("the host ended by itself with {status}"));
                    State::Down { until: now }
                }
            },
            State::Paused { host, until } if now >= until => {
                let writer = self.node(number)?.writer();
                let at_ms = jiff::Timestamp::now().as_millisecond();
                let lost = self.nodes.lost.iter_mut().rfind(|lost| lost.writer == writer);
                lost.into_iter().for_each(|lost| lost.until_ms = Some(at_ms));
                host.go_on().map_err(Error::network("a node"))?;
                self.welcome(number, host)?
            }
            State::Ending { host, since, down } => self.ending(number, host, since, down),
            other => other,
        })
    }

    fn start(&mut self, number: usize) -> Result<State> {
        let starting =
            if self.is_over { self.nodes.spawn_of(number, Build::This) } else { self.nodes.spawn(number) };
        Ok(State::Starting(starting?))
    }

    /// From now on it is sent requests, and must become ready.
    fn welcome(&mut self, number: usize, host: Host) -> Result<State> {
        self.hosts().listens(number, &host.url);
        self.node(number)?.heals_since = Some(Instant::now());
        Ok(State::Up(host))
    }

    /// A start that ended: it may, when the database was away meanwhile.
    fn refused(&mut self, number: usize, since: Instant, told: &str) -> Result<State> {
        let database = &self.nodes.database;
        let was_up = database.is_up() && database.up_since < since;
        let node = self.node(number)?;
        let was_clear = node.bad_until.is_none() && node.clear_since < since;
        if was_up && was_clear {
            self.wrong(number, told);
        } else {
            self.nodes.tally.starts_without_database += 1;
        }
        Ok(State::Down { until: Instant::now() + AGAIN_AFTER })
    }

    fn ending(&mut self, number: usize, mut host: Host, since: Instant, down: Duration) -> State {
        let until = Instant::now() + down;
        match host.ended() {
            Some(status) if status.success() => {}
            Some(status) => self.wrong(number, &format!("the host ended with {status} after SIGTERM")),
            None if since.elapsed() < END_MAX => return State::Ending { host, since, down },
            None => {
                let waited = END_MAX.as_secs();
                self.wrong(number, &format!("the host did not end within {waited} s after SIGTERM"));
            }
        }
        State::Down { until }
    }

    /// Whether a node that must become ready has. Nothing may keep it from the database.
    fn ask(&mut self, number: usize) -> Result<()> {
        let is_up = self.nodes.database.is_up();
        let node = self.node(number)?;
        let State::Up(host) = &node.state else { return Ok(()) };
        let Some(since) = node.heals_since else { return Ok(()) };
        if !is_up || node.bad_until.is_some() || node.asked_at.elapsed() < ASK_EVERY {
            return Ok(());
        }
        let admin = host.admin.clone();
        node.asked_at = Instant::now();
        if self.probe.is_ready(&admin) == Some(true) {
            self.faults.heals_ms.push(millis(since.elapsed()));
            self.node(number)?.heals_since = None;
        } else if since.elapsed() > HEAL_MAX {
            self.wrong(number, &format!("it is not ready after {} s", HEAL_MAX.as_secs()));
            self.node(number)?.heals_since = None;
        }
        Ok(())
    }
}
