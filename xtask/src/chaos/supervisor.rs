//! Lets hosts live as their fate says, one after another on the same data folder, and notes what they went through.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::caller::Probe;
use super::check::Violation;
use super::fault::{Death, Fate, Life, Trouble};
use super::host::{Host, Place, Starting};
use super::hosts::Hosts;
use super::load::{Begun, Load};
use super::nodes::Tally;
use super::scenario::Scenario;
use crate::error::{Error, Result};

/// How long a host may need to write again once there is room: clients and the engine try every second.
const HEAL_MAX: Duration = Duration::from_secs(30);

pub const UNHARMED: &str = "a host lives until somebody ends it, and writes whenever it can";
const LIMITS: &str = "no more executions run beside each other than the limit says";

/// What the faults of a run really were.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Faults {
    pub kills: u32,
    /// Of them, before the host listened.
    pub kills_while_starting: u32,
    /// SIGTERM.
    pub ends_in_order: u32,
    pub stops: u32,
    /// Times without room on the disk.
    pub full_disks: u32,
    /// Of them, those that the host noticed: `/readyz` said so.
    pub full_disks_noticed: u32,
    /// Times that the next host's clock was earlier than the one before.
    pub clock_jumps_back: u32,
    pub clock_jumps_forward: u32,
    pub clock_shift_ms_max: i64,
    /// Looks at an intent of which as many executions ran as may.
    pub queues_full: u32,
    /// From a SIGKILL, or the end after a SIGTERM, to the next answer of the API, in milliseconds.
    pub recoveries_ms: Vec<u64>,
    /// From room on the disk to an accepted start, in milliseconds.
    pub heals_ms: Vec<u64>,
    /// What a host must not do, whatever happens to it.
    pub wrong: Vec<Violation>,
    /// Faults that this machine cannot make, with the reason.
    pub left_out: Vec<String>,
    /// With several nodes.
    pub nodes: Option<Tally>,
}

pub struct Supervisor<'a> {
    pub place: &'a Place,
    pub load: &'a Load<'a>,
    probe: Probe,
    fate: Fate,
    pub faults: Faults,
    /// Executions that were started to see whether the host writes.
    pub probes: Vec<Begun>,
    /// The clock of the host before.
    clock_shift_ms: i64,
    killed_at: Option<Instant>,
}

impl<'a> Supervisor<'a> {
    pub fn new(place: &'a Place, load: &'a Load<'a>, fate: Fate) -> Self {
        let (probe, faults) = (Probe { caller: load.requester.clone() }, Faults::default());
        Self { place, load, probe, fate, faults, probes: Vec::new(), clock_shift_ms: 0, killed_at: None }
    }

    fn hosts(&self) -> &Hosts {
        &self.load.requester.hosts
    }

    /// Kills the host and lets others live and die until the time is over; then one lives that nobody hurts.
    pub fn run(&mut self, first: Host, until: Instant) -> Result<Host> {
        let last = self.lives(first, until);
        if last.is_err() {
            self.hosts().give_up();
        }
        last
    }

    fn lives(&mut self, first: Host, until: Instant) -> Result<Host> {
        self.kill(first);
        while Instant::now() < until {
            let life = self.fate.next_life();
            self.live(&life)?;
        }
        // The last clock is the latest of all: what waits for a time that some host knew is due then.
        let last = self.start(self.faults.clock_shift_ms_max)?;
        let host = self.ready(last)?;
        self.hosts().stop();
        Ok(host)
    }

    fn live(&mut self, life: &Life) -> Result<()> {
        let starting = self.start(life.clock_shift_ms)?;
        match life.death {
            Death::Starting { after_ms } => {
                super::pause(Duration::from_millis(after_ms));
                drop(starting);
                self.faults.kills += 1;
                self.faults.kills_while_starting += 1;
                self.killed_at = Some(Instant::now());
            }
            Death::Ready { uptime_ms } => {
                let host = self.lived(starting, life.trouble, uptime_ms)?;
                self.kill(host);
            }
            Death::Asked { uptime_ms } => {
                let host = self.lived(starting, life.trouble, uptime_ms)?;
                self.faults.ends_in_order += 1;
                if let Err(told) = host.end() {
                    self.wrong(told);
                }
                self.killed_at = Some(Instant::now());
            }
        }
        Ok(())
    }

    fn wrong(&mut self, told: String) {
        self.faults.wrong.push(Violation::new(UNHARMED, "", told));
    }

    /// The host at the end of its life.
    fn lived(&mut self, starting: Starting, trouble: Option<Trouble>, uptime_ms: u64) -> Result<Host> {
        let host = self.ready(starting)?;
        if let Some(trouble) = trouble {
            self.make(trouble, &host);
        }
        super::pause(Duration::from_millis(uptime_ms));
        Ok(host)
    }

    fn start(&mut self, clock_shift_ms: i64) -> Result<Starting> {
        match clock_shift_ms - self.clock_shift_ms {
            0 => {}
            ..0 => self.faults.clock_jumps_back += 1,
            1.. => self.faults.clock_jumps_forward += 1,
        }
        self.clock_shift_ms = clock_shift_ms;
        self.faults.clock_shift_ms_max = self.faults.clock_shift_ms_max.max(clock_shift_ms);
        self.place.spawn(clock_shift_ms)
    }

    /// A host that does not start on what the ones before left is the end of the run.
    fn ready(&mut self, starting: Starting) -> Result<Host> {
        let host = starting.wait().map_err(|found| {
            Error::chaos(format!("{found}; the end of its log:\n{}", self.place.log_end()))
        })?;
        self.hosts().moved_to(&host.url);
        if self.probe.answers(&host.url)
            && let Some(killed_at) = self.killed_at.take()
        {
            self.faults.recoveries_ms.push(millis(killed_at.elapsed()));
        }
        look_at_limits(&self.probe, self.load.scenarios, &host.url, &mut self.faults);
        Ok(host)
    }

    fn kill(&mut self, host: Host) {
        match host.kill() {
            Ok(()) => self.faults.kills += 1,
            Err(found) => {
                let end = self.place.log_end();
                self.wrong(format!("{found}; the end of its log:\n{end}"));
            }
        }
        self.killed_at = Some(Instant::now());
    }

    fn make(&mut self, trouble: Trouble, host: &Host) {
        let made = match trouble {
            Trouble::Stopped { after_ms, for_ms } => {
                super::pause(Duration::from_millis(after_ms));
                self.stop(host, Duration::from_millis(for_ms))
            }
            Trouble::DiskFull { after_ms, for_ms, room } => {
                super::pause(Duration::from_millis(after_ms));
                let made = host.fill_disk(&self.place.data(), room);
                made.and_then(|()| self.full(host, Duration::from_millis(for_ms)))
            }
        };
        if let Err(error) = made {
            let told = format!("{}: {error}", trouble.name());
            if !self.faults.left_out.contains(&told) {
                self.faults.left_out.push(told);
            }
        }
    }

    fn stop(&mut self, host: &Host, most: Duration) -> std::io::Result<()> {
        host.stop()?;
        super::pause(most);
        host.go_on()?;
        self.faults.stops += 1;
        Ok(())
    }

    /// Meanwhile nothing accepted may be lost, and afterwards the host must write again by itself.
    fn full(&mut self, host: &Host, most: Duration) -> std::io::Result<()> {
        super::pause(most);
        self.faults.full_disks += 1;
        self.faults.full_disks_noticed += u32::from(self.probe.is_ready(&host.admin) == Some(false));
        host.free_disk()?;
        let freed_at = Instant::now();
        let written = self.load.probe(self.faults.full_disks, HEAL_MAX);
        match written {
            Ok(begun) => {
                self.faults.heals_ms.push(millis(freed_at.elapsed()));
                self.probes.push(begun);
            }
            Err(error) => {
                let (told, end) = (crate::shell::chain(&error), self.place.log_end());
                let told = format!("the host does not write again after there was room: {told}");
                self.wrong(format!("{told}; the end of its log:\n{end}"));
            }
        }
        Ok(())
    }
}

impl Trouble {
    const fn name(self) -> &'static str {
        match self {
            Self::Stopped { .. } => "SIGSTOP",
            Self::DiskFull { .. } => "disk full",
        }
    }
}

/// Places are computed from rows: a host that just came up must not give away those that are taken.
pub fn look_at_limits(probe: &Probe, scenarios: &[Scenario], url: &str, faults: &mut Faults) {
    let limited = scenarios.iter().filter_map(|scenario| Some((scenario, scenario.limit?)));
    for (scenario, limit) in limited {
        let running = probe.running(url, &scenario.name).unwrap_or(0);
        if running > limit {
            let told = format!("{running} executions of {} ran, and {limit} may", scenario.name);
            faults.wrong.push(Violation::new(LIMITS, "", told));
        }
        faults.queues_full += u32::from(running == limit);
    }
}

pub fn millis(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
