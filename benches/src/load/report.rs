//! The figures: a table for people, JSON for programs, and both beside the targets.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::drive::Driven;
use super::error::Error;
use super::metrics::Counters;

/// Everything that one run found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Sequential steps of an execution.
    pub steps: usize,
    /// Processors that the host and the generator share.
    pub processors: usize,
    pub start: Starts,
    /// Bytes of the component; none: it does not lie beside the host.
    pub hello_bytes: Option<u64>,
    pub phases: Vec<Phase>,
}

/// Milliseconds from the start of the process until it answers that it is ready.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Starts {
    /// On an empty data directory: keys are made and components compiled.
    pub first_ms: f64,
    /// On a data directory that was used before; the median of these.
    pub warm_ms: f64,
    pub warm_all_ms: Vec<f64>,
}

/// So many clients in a closed loop.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    pub clients: usize,
    pub executions: u64,
    pub seconds: f64,
    pub executions_per_second: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub awaited_commits_per_execution: f64,
    pub flushes_per_execution: f64,
    /// Microseconds on a processor; none: the machine does not tell.
    pub host_cpu_us_per_execution: Option<f64>,
    pub generator_cpu_us_per_execution: Option<f64>,
    /// Since the host's start.
    pub host_rss_bytes_peak: Option<u64>,
}

/// Readings around a phase.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    pub host_cpu_seconds: Option<f64>,
    pub generator_cpu_seconds: Option<f64>,
    pub host_rss_bytes_peak: Option<u64>,
}

impl Starts {
    /// `warm_ms` holds at least one.
    pub fn new(first_ms: f64, mut warm_ms: Vec<f64>) -> Self {
        warm_ms.sort_by(f64::total_cmp);
        let median = warm_ms.get(warm_ms.len() / 2).copied().unwrap_or_default();
        Self { first_ms, warm_ms: median, warm_all_ms: warm_ms }
    }
}

impl Phase {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn new(clients: usize, driven: &Driven, counters: Counters, used: Used) -> Self {
        let executions = driven.latency_us.len();
        let each = |sum: f64| sum / executions.max(1) as f64;
        let at = |quantile| driven.latency_us.value_at_quantile(quantile) as f64 / 1_000.0;
        let seconds = driven.elapsed.as_secs_f64();
        Self {
            clients,
            executions,
            seconds,
            executions_per_second: executions as f64 / seconds,
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: driven.latency_us.max() as f64 / 1_000.0,
            awaited_commits_per_execution: each(counters.commits),
            flushes_per_execution: each(counters.flushes),
            host_cpu_us_per_execution: used.host_cpu_seconds.map(|seconds| each(seconds * 1e6)),
            generator_cpu_us_per_execution: used.generator_cpu_seconds.map(|seconds| each(seconds * 1e6)),
            host_rss_bytes_peak: used.host_rss_bytes_peak,
        }
    }
}

impl Report {
    pub fn table(&self) -> String {
        let mut text = format!(
            "\n{} sequential steps an execution, closed loop over HTTP, synchronous=FULL, {} processors\n\n\
             clients  executions/s     p50 ms     p90 ms     p99 ms     max ms  commits  flushes  cpu µs  (client)  peak MiB\n",
            self.steps, self.processors
        );
        for phase in &self.phases {
            text.push_str(&phase.row());
        }
        let Starts { first_ms, warm_ms, .. } = &self.start;
        _ = write!(text, "\nstart: first {first_ms:.0} ms, with a warm cache {warm_ms:.0} ms");
        if let Some(bytes) = self.hello_bytes {
            _ = write!(text, "; hello.wasm: {bytes} bytes");
        }
        text.push('\n');
        text
    }

    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_string_pretty(self).map_err(Error::Json)?;
        text.push('\n');
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        std::fs::write(path, text).map_err(Error::file(path))
    }
}

impl Phase {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn row(&self) -> String {
        let known = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"));
        let peak = self.host_rss_bytes_peak.map(|bytes| bytes as f64 / f64::from(1024 * 1024));
        format!(
            "{:>7}  {:>12.0}  {:>9.2}  {:>9.2}  {:>9.2}  {:>9.2}  {:>7.2}  {:>7.2}  {:>6}  {:>8}  {:>8}\n",
            self.clients,
            self.executions_per_second,
            self.p50_ms,
            self.p90_ms,
            self.p99_ms,
            self.max_ms,
            self.awaited_commits_per_execution,
            self.flushes_per_execution,
            known(self.host_cpu_us_per_execution),
            known(self.generator_cpu_us_per_execution),
            known(peak),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hdrhistogram::Histogram;

    use super::*;

    fn phase() -> Phase {
        let mut latency_us = Histogram::new_with_max(60_000_000, 3).unwrap();
        (1..=100u64).for_each(|millis| latency_us.record(millis * 1_000).unwrap());
        let driven = Driven { latency_us, elapsed: Duration::from_secs(2) };
        let counters = Counters { commits: 400.0, flushes: 50.0 };
        let used = Used { host_cpu_seconds: Some(0.1), generator_cpu_seconds: None, ..Used::default() };
        Phase::new(16, &driven, counters, used)
    }

    #[test]
    fn figures_are_for_one_execution_and_times_in_milliseconds() {
        let phase = phase();
        assert_eq!((phase.executions, phase.executions_per_second), (100, 50.0));
        assert_eq!((phase.awaited_commits_per_execution, phase.flushes_per_execution), (4.0, 0.5));
        assert_eq!(phase.host_cpu_us_per_execution, Some(1_000.0));
        assert!((phase.p50_ms - 50.0).abs() < 0.1 && (phase.p99_ms - 99.0).abs() < 0.1, "{phase:?}");
    }

    #[test]
    fn the_table_has_a_row_a_phase_under_a_head_of_the_same_width_and_a_dash_for_what_is_not_known() {
        let start = Starts::new(900.0, vec![30.0, 10.0, 20.0]);
        let report = Report { steps: 3, processors: 2, start, hello_bytes: Some(7), phases: vec![phase()] };
        let table = report.table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[3].chars().count(), lines[4].chars().count(), "{table}");
        let words: Vec<&str> = lines[4].split_whitespace().collect();
        assert_eq!((words[0], words[1], words[9], words[10]), ("16", "50", "-", "-"), "{table}");
        assert!(table.contains("first 900 ms, with a warm cache 20 ms; hello.wasm: 7 bytes"), "{table}");
    }
}
