//! What a run found: a table for people, and the same as JSON.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::check::{Repeats, Spoken, Violation};
use super::nodes::Tally;
use super::options::Options;
use super::supervisor::Faults;
use crate::error::{Error, Result};

/// Violations that are printed with their events; all of them are in the file.
const SHOWN_MAX: usize = 5;

#[derive(Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    pub seconds: f64,
    pub clients: u32,
    /// Executions by family.
    pub executions: BTreeMap<&'static str, usize>,
    /// Executions by how they ended.
    pub ends: BTreeMap<String, usize>,
    /// Accepted, and not there or not ended.
    pub lost: usize,
    pub double_results: usize,
    pub attempts: usize,
    pub lost_attempts: usize,
    pub streams_broken: u32,
    pub repeats: Repeats,
    /// Requests that the ledger answered badly on purpose.
    pub ledger_faults: usize,
    pub answers: Spoken,
    pub faults: Faults,
    /// Families that this host refuses as not supported, or whose route it does not have.
    pub left_out: Vec<String>,
    pub violations: Vec<Violation>,
}

impl Report {
    /// Faults that were to happen, and of which the run has no trace: it would prove less than it says.
    pub fn unproven(&self, options: &Options) -> Vec<&'static str> {
        if options.lasts.as_secs() < 60 {
            return Vec::new();
        }
        let mut traces = vec![
            (self.faults.kills > 0, "no host was killed"),
            (self.lost_attempts > 0, "no kill hit a running attempt"),
            (self.repeats.after_a_lost_answer > 0, "no effect was made again after a lost answer"),
            (self.answers.lost > 0, "no client lost a connection"),
        ];
        match &self.faults.nodes {
            Some(nodes) => traces.extend(nodes.traces()),
            None => traces.extend(self.traces_of_one()),
        }
        traces.into_iter().filter(|(there, _)| !there).map(|(_, missing)| missing).collect()
    }

    fn traces_of_one(&self) -> [(bool, &'static str); 4] {
        let full = !self.faults.left_out.iter().any(|told| told.starts_with("disk full"));
        [
            (self.faults.stops > 0, "no host was stopped"),
            (!full || self.faults.full_disks_noticed > 0, "no host noticed a full disk"),
            (self.faults.clock_jumps_back > 0, "no clock jumped back"),
            (self.faults.clock_jumps_forward > 0, "no clock jumped forward"),
        ]
    }

    pub fn print(&self) {
        println!("\n{}", self.table());
        for told in &self.left_out {
            println!("  left out: {told}");
        }
        for told in &self.faults.left_out {
            println!("  left out: the fault {told}");
        }
    }

    fn table(&self) -> String {
        let total: usize = self.executions.values().sum();
        let faults = &self.faults;
        let list = |map: Vec<(&str, usize)>| {
            map.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        let ends = self.ends.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        let families = self.executions.iter().map(|(name, count)| (*name, *count)).collect();
        let mut rows = vec![
            ("seed", self.seed.to_string()),
            ("executions", format!("{total}: {}", list(ends))),
            ("of", list(families)),
            ("kills", format!("{}, of them {} while starting", faults.kills, faults.kills_while_starting)),
            ("lost", self.lost.to_string()),
            ("double results", self.double_results.to_string()),
            ("attempts", format!("{}, of them {} lost to a kill", self.attempts, self.lost_attempts)),
            ("effects", self.repeats.effects.to_string()),
            (
                "repeated",
                format!(
                    "{} after a kill, {} after a lost answer: all inside the documented window",
                    self.repeats.after_a_kill, self.repeats.after_a_lost_answer
                ),
            ),
        ];
        rows.extend(match &faults.nodes {
            Some(nodes) => faults.rows_of_nodes(nodes),
            None => faults.rows_of_one(),
        });
        rows.extend([
            ("full queues", faults.queues_full.to_string()),
            ("ledger's faults", self.ledger_faults.to_string()),
            (
                "answers",
                format!(
                    "{} accepted, {} \"later\", {} too late, {} lost connections, {} streams broken",
                    self.answers.accepted,
                    self.answers.later,
                    self.answers.too_late,
                    self.answers.lost,
                    self.streams_broken
                ),
            ),
            ("violations", self.violations.len().to_string()),
        ]);
        let line = |(name, value): &(&str, String)| format!("  {name:<16} {value}");
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The violated promises, with the logs of the executions that they are about.
    pub fn print_violations(&self, logs: &BTreeMap<String, Vec<serde_json::Value>>) {
        for violation in self.violations.iter().take(SHOWN_MAX) {
            println!("\nVIOLATED (seed {}): {}", self.seed, violation.promise);
            println!("  execution {}: {}", violation.execution, violation.found);
            for event in logs.get(&violation.execution).into_iter().flatten() {
                println!("    {event}");
            }
        }
        let more = self.violations.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            println!("\n… and {more} more, in the report");
        }
    }

    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join("report.json");
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(&path, text).map_err(Error::file(&path))?;
        Ok(path)
    }
}

impl Faults {
    fn rows_of_one(&self) -> Vec<(&'static str, String)> {
        let full_disks = format!(
            "{}, noticed {}, healed within {} ms",
            self.full_disks,
            self.full_disks_noticed,
            self.heals_ms.iter().max().unwrap_or(&0)
        );
        let jumps = format!(
            "{} back, {} forward, up to {} min",
            self.clock_jumps_back,
            self.clock_jumps_forward,
            self.clock_shift_ms_max / 60_000
        );
        vec![
            ("stops", format!("{} and {} ends in order", self.stops, self.ends_in_order)),
            ("full disks", full_disks),
            ("clock jumps", jumps),
            ("recovery", times(&self.recoveries_ms)),
        ]
    }

    fn rows_of_nodes(&self, nodes: &Tally) -> Vec<(&'static str, String)> {
        let mut rows = vec![("ends in order", self.ends_in_order.to_string())];
        rows.extend(nodes.rows());
        rows.push(("clocks", format!("{} min apart", self.clock_shift_ms_max / 60_000)));
        rows.push(("ready again", times(&self.heals_ms)));
        rows
    }
}

fn times(values: &[u64]) -> String {
    format!("p50 {} ms, p99 {} ms", percentile(values, 50), percentile(values, 99))
}

/// 0 of nothing.
pub fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_happened() {
        let values: Vec<u64> = (1..=200).rev().collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&values, percent)), [100, 198, 200]);
        assert_eq!((percentile(&[7], 99), percentile(&[], 99)), (7, 0));
    }
}
