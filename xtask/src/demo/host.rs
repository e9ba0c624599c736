//! The host as a child process: started, killed and started again on the same data directory.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::AtEnd;
use crate::error::{Error, Result};

/// How long a start may take: the first one on a slow machine compiles the plugins' components.
const READY_MAX: Duration = Duration::from_secs(120);
/// How often the ready file is looked at.
const READY_POLL: Duration = Duration::from_millis(20);

pub struct Host {
    pub url: String,
    child: Child,
    quantum: PathBuf,
    folder: PathBuf,
    /// The process stays when this value goes.
    kept: bool,
}

impl Host {
    /// Returns when the host listens.
    pub fn start(quantum: &Path, folder: &Path) -> Result<Self> {
        let (child, url) = launch(quantum, folder)?;
        Ok(Self { url, child, quantum: quantum.to_owned(), folder: folder.to_owned(), kept: false })
    }

    /// SIGKILL: the process gets no chance to write anything more.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        let failed = |source| Error::Start { command: "SIGKILL".to_owned(), source };
        self.child.kill().map_err(failed)?;
        let status = self.child.wait().map_err(failed)?;
        match status.signal() {
            Some(9) => Ok(status),
            _ => {
                Err(Error::demo("the host to run until it is killed", format!("it had ended with {status}")))
            }
        }
    }

    /// A new process on the same data directory, at another port.
    pub fn start_again(&mut self) -> Result<()> {
        (self.child, self.url) = launch(&self.quantum, &self.folder)?;
        Ok(())
    }

    /// Stops the host, or leaves it with a word on how to stop it.
    pub fn end(mut self, at_end: AtEnd) -> Result<()> {
        if at_end == AtEnd::Stop {
            println!("\nThe host stops now; `cargo xtask demo --keep` leaves it running.");
            return self.kill().map(drop);
        }
        println!("\nThe host keeps running. Stop it with: kill {}", self.child.id());
        self.kept = true;
        Ok(())
    }
}

/// An error in the middle of the demo must not leave a process behind.
impl Drop for Host {
    fn drop(&mut self) {
        if !self.kept {
            _ = self.child.kill();
            _ = self.child.wait();
        }
    }
}

fn launch(quantum: &Path, folder: &Path) -> Result<(Child, String)> {
    let ready_file = folder.join("ready");
    _ = std::fs::remove_file(&ready_file);
    let log_path = folder.join("host.log");
    let open = || File::options().create(true).append(true).open(&log_path).map_err(Error::file(&log_path));
    let mut command = Command::new(quantum);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder)
        .arg("--ready-file")
        .arg(&ready_file);
    command.current_dir(folder).stdin(Stdio::null()).stdout(open()?).stderr(open()?);
    println!("$ {}", crate::shell::line(&command));
    let mut child =
        command.spawn().map_err(|source| Error::Start { command: crate::shell::line(&command), source })?;
    match wait_ready(&mut child, &ready_file) {
        Ok(url) => Ok((child, url)),
        Err(found) => {
            _ = child.kill();
            _ = child.wait();
            Err(Error::demo(
                "a host that listens",
                format!("{found}; the end of {}:\n{}", log_path.display(), tail(&log_path)),
            ))
        }
    }
}

/// The base URL that the host writes once it listens, or what happened instead.
fn wait_ready(child: &mut Child, ready_file: &Path) -> Result<String, String> {
    let started = Instant::now();
    while started.elapsed() < READY_MAX {
        if let Some(url) = std::fs::read_to_string(ready_file).ok().and_then(|text| base_url(&text)) {
            return Ok(url);
        }
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("it ended with {status}"));
        }
        pause();
    }
    Err(format!("it did not listen within {} s", READY_MAX.as_secs()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file of another process gives no event that std can wait for"
)]
fn pause() {
    std::thread::sleep(READY_POLL);
}

/// The first line; the second is that of health and metrics. None while the file is empty: it is written with one call.
fn base_url(text: &str) -> Option<String> {
    let url = text.lines().next()?.trim_end_matches('/');
    url.starts_with("http://").then(|| url.to_owned())
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_ends_at_once_is_told_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("host.log"), "the port is taken\n").unwrap();
        let Err(error) = Host::start(Path::new("false"), folder.path()) else { panic!("it started") };
        let text = error.to_string();
        assert!(
            text.contains("it ended with exit status: 1") && text.contains("the port is taken"),
            "{text}"
        );
    }

    #[test]
    fn the_url_is_read_without_its_line_end_and_last_slash() {
        assert_eq!(base_url("http://127.0.0.1:4000/\n").as_deref(), Some("http://127.0.0.1:4000"));
        assert_eq!(base_url(""), None);
    }
}
