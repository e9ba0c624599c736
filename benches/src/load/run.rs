//! The whole run: starts, phases, report. It ends within a bound, and leaves no process behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::try_join_all;

use super::client::Client;
use super::drive::drive;
use super::error::Error;
use super::host::Host;
use super::metrics::Counters;
use super::options::Options;
use super::report::{Phase, Report, Starts, Used};
use super::setup::{self, Operator};
use crate::process;

/// Starts with a warm cache; their median is the figure.
const WARM_STARTS: usize = 5;
/// Before each phase, unmeasured: connections are made and caches filled.
const WARM_UP: Duration = Duration::from_secs(1);
/// Seconds for everything beside the phases, and for the last answers of each phase.
const SETUP_SECONDS_MAX: u64 = 300;
const PHASE_SECONDS_EXTRA: u64 = 60;

/// Measures, prints the table, and writes the JSON.
pub async fn run(options: &Options) -> Result<(), Error> {
    let phases = options.clients.len() as u64;
    let seconds = SETUP_SECONDS_MAX + phases * (options.seconds + PHASE_SECONDS_EXTRA);
    let measured = tokio::time::timeout(Duration::from_secs(seconds), measure(options)).await;
    let report = measured.map_err(|_| Error::Bound { seconds })??;
    let json = options.json.clone().unwrap_or_else(|| bench_dir(&options.quantum).join("load.json"));
    report.write(&json)?;
    println!("{}the figures as JSON: {}", report.table(), json.display());
    Ok(())
}

async fn measure(options: &Options) -> Result<Report, Error> {
    // In the target folder and not in the system's temporary one, which may be memory: flushes must reach a disk.
    let parent = bench_dir(&options.quantum);
    std::fs::create_dir_all(&parent).map_err(Error::file(&parent))?;
    let folder = tempfile::tempdir_in(&parent).map_err(Error::file(&parent))?;
    let operator = Operator { quantum: &options.quantum, data_dir: folder.path() };
    let host = Host::start(&options.quantum, folder.path()).await?;
    let first_ms = millis(host.started_in);
    let token = operator.tenant(&host).await?;
    setup::apply(&mut Client::connect(&host.url, &token).await?, options.steps).await?;
    host.stop().await?;
    let (host, warm_ms) = start_warm(&options.quantum, folder.path()).await?;
    let mut phases = Vec::new();
    for clients in &options.clients {
        println!("{clients} clients for {} s …", options.seconds);
        phases.push(phase(&host, &token, *clients, Duration::from_secs(options.seconds)).await?);
    }
    host.stop().await?;
    Ok(Report {
        steps: options.steps,
        processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        start: Starts::new(first_ms, warm_ms),
        hello_bytes: hello_bytes(&options.quantum),
        phases,
    })
}

/// The last host that was started, and the milliseconds of all of them.
async fn start_warm(quantum: &Path, data_dir: &Path) -> Result<(Host, Vec<f64>), Error> {
    let mut host = Host::start(quantum, data_dir).await?;
    let mut warm_ms = vec![millis(host.started_in)];
    while warm_ms.len() < WARM_STARTS {
        host.stop().await?;
        host = Host::start(quantum, data_dir).await?;
        warm_ms.push(millis(host.started_in));
    }
    Ok((host, warm_ms))
}

async fn phase(host: &Host, token: &str, count: usize, span: Duration) -> Result<Phase, Error> {
    let connecting = (0..count).map(|number| Client::connect_as(number, &host.url, token));
    let mut clients = try_join_all(connecting).await?;
    drive(&mut clients, WARM_UP).await?;
    let before = (Counters::read(&host.admin_url).await?, used(host));
    let driven = drive(&mut clients, span).await?;
    let after = (Counters::read(&host.admin_url).await?, used(host));
    let spent = |after: Option<f64>, before: Option<f64>| Some(after? - before?);
    let used = Used {
        host_cpu_seconds: spent(after.1.host_cpu_seconds, before.1.host_cpu_seconds),
        generator_cpu_seconds: spent(after.1.generator_cpu_seconds, before.1.generator_cpu_seconds),
        host_rss_bytes_peak: after.1.host_rss_bytes_peak,
    };
    Ok(Phase::new(count, &driven, after.0.since(before.0), used))
}

fn used(host: &Host) -> Used {
    Used {
        host_cpu_seconds: process::cpu_seconds(host.pid),
        generator_cpu_seconds: process::cpu_seconds(std::process::id()),
        host_rss_bytes_peak: process::rss_bytes_peak(host.pid),
    }
}

/// `target/bench` of the binary `target/release/quantum`.
fn bench_dir(quantum: &Path) -> PathBuf {
    quantum.ancestors().nth(2).unwrap_or(Path::new("")).join("bench")
}

fn hello_bytes(quantum: &Path) -> Option<u64> {
    let hello = quantum.parent()?.join("plugins/hello.wasm");
    std::fs::metadata(hello).ok().map(|file| file.len())
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_lie_beside_the_profile_of_the_host_that_was_measured() {
        assert_eq!(bench_dir(Path::new("/w/target/release/quantum")), Path::new("/w/target/bench"));
    }
}
