//! Lets happen what the plan says, brings back who is away, and notes what the nodes did meanwhile.

use std::time::{Duration, Instant};

use super::super::caller::Probe;
use super::super::check::Violation;
use super::super::hosts::Hosts;
use super::super::load::Load;
use super::super::supervisor::{Faults, UNHARMED};
use super::build::Build;
use super::node::{CLOCKS_MS, LEASE_MS, Node, Nodes, State};
use super::plan::{Event, Plan, What};
use super::proxy::Weather;
use super::tally::{Happened, Loss, Lost};
use crate::error::{Error, Result};

/// Between two looks at everything.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long everybody may need to be there once nothing happens any more.
const GATHER_MAX: Duration = Duration::from_secs(120);

/// Hurts the nodes until the time is over; then all of them live, with the clock that is the latest of all.
pub fn run(nodes: &mut Nodes, load: &Load<'_>, seed: u64, until: Instant) -> (Faults, Result<()>) {
    let probe = Probe { caller: load.requester.clone() };
    let faults = Faults { clock_shift_ms_max: CLOCKS_MS.into_iter().max().unwrap_or(0), ..Faults::default() };
    let hosts = &load.requester.hosts;
    let gone = Gone(hosts);
    if let Some(upgrade) = &mut nodes.upgrade {
        upgrade.begin();
    }
    let mut supervisor = Supervisor { nodes, load, probe, faults, is_over: false };
    let ended = supervisor.run(seed, until);
    if ended.is_ok() {
        hosts.stop();
        std::mem::forget(gone);
    }
    (supervisor.faults, ended)
}

/// Dropped, also by a panic, it tells the clients that nobody comes any more.
struct Gone<'a>(&'a Hosts);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

pub(super) struct Supervisor<'a> {
    pub nodes: &'a mut Nodes,
    pub load: &'a Load<'a>,
    pub probe: Probe,
    pub faults: Faults,
    /// Nothing happens any more, and whoever starts is of this build.
    pub is_over: bool,
}

impl Supervisor<'_> {
    fn run(&mut self, seed: u64, until: Instant) -> Result<()> {
        let mut plan = Plan::new(seed, self.nodes.nodes.len());
        let mut next = plan.next_event();
        let mut due = Instant::now() + Duration::from_millis(next.after_ms);
        while Instant::now() < until {
            self.look()?;
            if Instant::now() >= due {
                self.happen(&next)?;
                next = plan.next_event();
                due = Instant::now() + Duration::from_millis(next.after_ms);
            }
            self.nodes.prepare()?;
            super::super::pause(LOOK_EVERY);
        }
        self.is_over = true;
        self.gather()?;
        self.come_to_rest()
    }

    /// Returns when all are there and say that they are ready.
    fn gather(&mut self) -> Result<()> {
        let since = Instant::now();
        self.nodes.nodes.iter_mut().for_each(|node| node.heals_since = Some(since));
        loop {
            self.look()?;
            let there = |node: &Node| node.is_well() && node.heals_since.is_none();
            if self.nodes.database.is_up() && self.nodes.nodes.iter().all(there) {
                return Ok(());
            }
            if since.elapsed() > GATHER_MAX {
                let name = |node: &Node| (!there(node)).then(|| node.name.clone());
                let missing: Vec<_> = self.nodes.nodes.iter().filter_map(name).collect();
                let (missing, waited) = (missing.join(", "), GATHER_MAX.as_secs());
                return Err(Error::chaos(format!("{missing} did not come back within {waited} s")));
            }
            super::super::pause(LOOK_EVERY);
        }
    }

    /// The last clock is the latest of all: what waits for a time that some node knew is due then; and the last build is this
    /// one. One node after another ends in order and comes back.
    fn come_to_rest(&mut self) -> Result<()> {
        let latest = self.faults.clock_shift_ms_max;
        for number in 0..self.nodes.nodes.len() {
            let node = self.node(number)?;
            if node.clock_shift_ms < latest || node.build != Build::This {
                self.end(number, Duration::ZERO)?;
                self.node(number)?.clock_shift_ms = latest;
                self.gather()?;
            }
        }
        Ok(())
    }

    pub(super) fn hosts(&self) -> &Hosts {
        &self.load.requester.hosts
    }

    pub(super) fn node(&mut self, number: usize) -> Result<&mut Node> {
        self.nodes.node(number)
    }

    pub(super) fn wrong(&mut self, number: usize, told: &str) {
        let node = self.nodes.nodes.get(number);
        let (name, end) = node.map(|node| (node.name.clone(), node.place.log_end())).unwrap_or_default();
        let told = format!("{name}: {told}; the end of its log:\n{end}");
        self.faults.wrong.push(Violation::new(UNHARMED, "", told));
    }

    /// The node that an event is for: one that is well, so that something is well besides.
    fn victim(&self, event: &Event) -> Option<usize> {
        let all = &self.nodes.nodes;
        let well = |number: &usize| all.get(*number).is_some_and(Node::is_well);
        if (0..all.len()).filter(well).count() < 2 {
            return None;
        }
        (0..all.len()).map(|step| (event.node + step) % all.len()).find(well)
    }

    fn happen(&mut self, event: &Event) -> Result<()> {
        if event.what.is_about_database() {
            self.hurt_database(event.what);
            return Ok(());
        }
        if let What::Kill { down_ms } = event.what
            && matches!(self.node(event.node)?.state, State::Starting(_))
        {
            self.note(Some(event.node), event.what);
            return self.kill(event.node, Duration::from_millis(down_ms));
        }
        let Some(number) = self.victim(event) else {
            self.nodes.tally.skipped += 1;
            return Ok(());
        };
        self.note(Some(number), event.what);
        let lasting = Duration::from_millis;
        match event.what {
            What::Kill { down_ms } => self.kill(number, lasting(down_ms))?,
            What::End { down_ms } => self.end(number, lasting(down_ms))?,
            What::Pause { for_ms } => self.pause(number, lasting(for_ms))?,
            What::Delay { by_ms, for_ms } => {
                self.node(number)?.set_weather(Weather::Slow(lasting(by_ms)), lasting(for_ms));
                self.nodes.tally.delays += 1;
            }
            What::Hold { for_ms } => {
                self.node(number)?.set_weather(Weather::Held, lasting(for_ms));
                self.nodes.tally.holds += 1;
            }
            What::HalfOpen { for_ms } => {
                let node = self.node(number)?;
                node.set_weather(Weather::Held, lasting(for_ms));
                let count = node.proxy.forget();
                self.nodes.tally.half_open += 1;
                self.nodes.tally.connections_forgotten += count;
            }
            What::Cut { for_ms } => {
                self.node(number)?.set_weather(Weather::Cut, lasting(for_ms));
                self.nodes.tally.cuts += 1;
            }
            What::Disconnect => self.disconnect(number)?,
            What::Restart { .. } | What::Crash { .. } => {}
        }
        Ok(())
    }

    fn hurt_database(&mut self, what: What) {
        if !self.nodes.database.is_up() {
            self.nodes.tally.skipped += 1;
            return;
        }
        self.note(None, what);
        match what {
            What::Restart { down_ms } => {
                self.nodes.database.stop(Duration::from_millis(down_ms));
                self.nodes.tally.database_restarts += 1;
            }
            What::Crash { down_ms } => {
                self.nodes.database.crash(Duration::from_millis(down_ms));
                self.nodes.tally.database_crashes += 1;
            }
            _ => {}
        }
        self.nodes.nodes.iter_mut().for_each(|node| node.heals_since = None);
    }

    fn note(&mut self, node: Option<usize>, what: What) {
        let at_ms = jiff::Timestamp::now().as_millisecond();
        self.nodes.tally.happened.push(Happened { at_ms, node, what });
    }

    fn disconnect(&mut self, number: usize) -> Result<()> {
        if !self.nodes.database.is_up() {
            self.nodes.tally.skipped += 1;
            return Ok(());
        }
        let ports = self.node(number)?.proxy.ports();
        self.nodes.tally.disconnections += self.nodes.database.disconnect(&ports);
        self.nodes.tally.disconnects += 1;
        self.node(number)?.heals_since = Some(Instant::now());
        Ok(())
    }

    fn lose(&mut self, number: usize, loss: Loss) -> Result<()> {
        self.hosts().left(number);
        let writer = self.node(number)?.writer();
        let at_ms = jiff::Timestamp::now().as_millisecond();
        self.nodes.lost.push(Lost { writer, loss, at_ms, until_ms: None });
        Ok(())
    }

    fn kill(&mut self, number: usize, down: Duration) -> Result<()> {
        self.lose(number, Loss::Killed)?;
        match self.become_down(number, down)? {
            State::Up(host) => match host.kill() {
                Ok(()) => self.faults.kills += 1,
                Err(told) => self.wrong(number, &told),
            },
            // Dropped, it is killed.
            State::Starting(_) => {
                self.faults.kills += 1;
                self.faults.kills_while_starting += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, number: usize, down: Duration) -> Result<()> {
        self.lose(number, Loss::Ended)?;
        let State::Up(host) = self.become_down(number, down)? else { return Ok(()) };
        match host.ask_to_end() {
            Ok(()) => self.faults.ends_in_order += 1,
            Err(error) => self.wrong(number, &error.to_string()),
        }
        self.node(number)?.state = State::Ending { host, since: Instant::now(), down };
        Ok(())
    }

    fn pause(&mut self, number: usize, lasts: Duration) -> Result<()> {
        self.lose(number, Loss::Paused)?;
        let State::Up(host) = self.become_down(number, lasts)? else { return Ok(()) };
        host.stop().map_err(Error::network("a node"))?;
        self.nodes.tally.pauses += u32::from(lasts > Duration::from_millis(LEASE_MS));
        self.node(number)?.state = State::Paused { host, until: Instant::now() + lasts };
        Ok(())
    }

    /// What it was before.
    fn become_down(&mut self, number: usize, down: Duration) -> Result<State> {
        let node = self.node(number)?;
        node.heals_since = None;
        Ok(std::mem::replace(&mut node.state, State::Down { until: Instant::now() + down }))
    }
}
