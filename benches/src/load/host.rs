//! The host as a child process: started on a data directory, asked to stop with SIGTERM, never left behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use http::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::client::Client;
use super::error::Error;

/// A first start compiles the bundled components.
const READY_MAX: Duration = Duration::from_secs(120);
/// How often the ready file is looked at: the start is measured with it.
const READY_POLL: Duration = Duration::from_millis(1);
/// For running attempts to end and the store to close.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Bytes of the log that an error shows.
const LOG_BYTES_SHOWN: usize = 4_000;

pub struct Host {
    /// `http://host:port` of the API.
    pub url: String,
    /// The same of health and metrics.
    pub admin_url: String,
    pub pid: u32,
    /// From the start of the process until it answered that it is ready.
    pub started_in: Duration,
    child: Child,
}

impl Host {
    /// Returns when the host is ready.
    pub async fn start(quantum: &Path, data_dir: &Path) -> Result<Self, Error> {
        let ready_file = data_dir.join("ready");
        _ = std::fs::remove_file(&ready_file);
        let log = data_dir.join("host.log");
        let began = Instant::now();
        let mut child = spawn(quantum, data_dir, &ready_file, &log)?;
        let (url, admin_url) = match wait_ready(&mut child, &ready_file).await {
            Ok(urls) => urls,
            Err(found) => return Err(Error::NotReady { found, log: tail(&log) }),
        };
        let mut client = Client::connect(&admin_url, "").await?;
        client.get("/readyz").await?.expect("ask whether the host is ready", StatusCode::OK)?;
        let started_in = began.elapsed();
        // A child that has not been waited for has an id.
        let pid = child.id().unwrap_or_default();
        Ok(Self { url, admin_url, pid, started_in, child })
    }

    /// Err: it did not end, or not well. It is killed then.
    pub async fn stop(mut self) -> Result<(), Error> {
        let failed = |found: String| Error::NotStopped { found };
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            kill_process(pid, Signal::TERM).map_err(|error| failed(error.to_string()))?;
        }
        let ended = tokio::time::timeout(STOP_MAX, self.child.wait()).await;
        let ended =
            ended.map_err(|_| failed(format!("it still ran {} s after SIGTERM", STOP_MAX.as_secs())))?;
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(format!("it ended with {status}"))),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

fn spawn(quantum: &Path, data_dir: &Path, ready_file: &Path, log: &Path) -> Result<Child, Error> {
    let open = || File::options().create(true).append(true).open(log).map_err(Error::file(log));
    let mut command = Command::new(quantum);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
    command.arg("--ready-file").arg(ready_file);
    command.stdin(Stdio::null()).stdout(open()?).stderr(open()?).kill_on_drop(true);
    command.spawn().map_err(|source| Error::Start { path: quantum.to_owned(), source })
}

/// The two lines of the ready file; Err says what was found instead.
async fn wait_ready(child: &mut Child, ready_file: &PathBuf) -> Result<(String, String), String> {
    let began = Instant::now();
    while began.elapsed() < READY_MAX {
        if let Some(urls) = std::fs::read_to_string(ready_file).ok().as_deref().and_then(urls) {
            return Ok(urls);
        }
        match child.try_wait() {
            Ok(None) => tokio::time::sleep(READY_POLL).await,
            Ok(Some(status)) => return Err(format!("it ended with {status}")),
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!("it did not listen within {} s", READY_MAX.as_secs()))
}

fn urls(text: &str) -> Option<(String, String)> {
    let mut lines = text.lines().map(|line| line.trim_end_matches('/').to_owned());
    Some((lines.next()?, lines.next()?))
}

fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let start = bytes.len().saturating_sub(LOG_BYTES_SHOWN);
    String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_binary_that_ends_at_once_is_no_host_and_its_log_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("host.log"), "the port is taken\n").unwrap();
        let Err(error) = Host::start(Path::new("false"), folder.path()).await else { panic!("it started") };
        let text = error.to_string();
        assert!(
            text.contains("it ended with exit status: 1") && text.contains("the port is taken"),
            "{text}"
        );
    }

    #[test]
    fn both_addresses_are_read_from_the_ready_file() {
        let both = urls("http://127.0.0.1:1/\nhttp://127.0.0.1:2\n").unwrap();
        assert_eq!(both, ("http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()));
        assert_eq!(urls("http://127.0.0.1:1\n"), None);
    }
}
