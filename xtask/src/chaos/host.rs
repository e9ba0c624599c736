//! The host as a process that is hurt: SIGKILL, SIGSTOP, a disk without room. Only processes that were started here are
//! touched, each by its own id.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::fault::Room;
use crate::error::{Error, Result};

/// How long a start may take: the first one on a slow machine compiles the plugins' components.
const READY_MAX: Duration = Duration::from_secs(180);
/// How often the ready file is looked at.
const READY_POLL: Duration = Duration::from_millis(2);
/// Set for the host: by how much its clock is ahead of the machine's.
const CLOCK_SHIFT: &str = "QUANTUM_REHEARSAL_CLOCK_SHIFT_MS";

/// A write beyond the limit of a file's size must be an error and not a signal that ends the process, as it is on a
/// disk that is full. An ignored signal stays ignored in the program that takes the shell's place, under its id.
const IGNORE_SIZE_SIGNAL: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

/// Where the hosts of one run live.
#[derive(Debug, Clone)]
pub struct Place {
    pub quantum: PathBuf,
    /// Of the run.
    pub folder: PathBuf,
    /// Of a node among several.
    pub node: Option<String>,
}

impl Place {
    pub fn data(&self) -> PathBuf {
        self.folder.join(self.named("data"))
    }

    /// Of all hosts of this place.
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.named("host")))
    }

    fn ready(&self) -> PathBuf {
        self.folder.join(self.named("ready"))
    }

    fn named(&self, what: &str) -> String {
        self.node.as_ref().map_or_else(|| what.to_owned(), |node| format!("{what}-{node}"))
    }

    /// The binary, knowing nothing of this machine's settings.
    pub fn quantum(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let kept =
            ["PATH", "RUST_BACKTRACE"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.env_clear().envs(kept).env("HOME", &self.folder).env("QUANTUM_DATA_DIR", self.data());
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    pub fn spawn(&self, clock_shift_ms: i64) -> Result<Starting> {
        self.spawn_with(clock_shift_ms, &[])
    }

    /// With further arguments.
    pub fn spawn_with(&self, clock_shift_ms: i64, arguments: &[&OsStr]) -> Result<Starting> {
        // Of the host before: whoever finds it would talk to nobody.
        _ = std::fs::remove_file(self.ready());
        let log = self.log();
        let open = File::options().create(true).append(true).open(&log).map_err(Error::file(&log))?;
        let mut command = self.quantum(Path::new("sh"));
        command.args(["-c", IGNORE_SIZE_SIGNAL]).arg(&self.quantum);
        command.args(["serve", "--listen", "127.0.0.1:0", "--ready-file"]).arg(self.ready()).args(arguments);
        command.env(CLOCK_SHIFT, clock_shift_ms.to_string()).stdout(Stdio::null()).stderr(open);
        let line = crate::shell::line(&command);
        let child = command.spawn().map_err(|source| Error::Start { command: line, source })?;
        Ok(Starting { process: Process { child }, ready: self.ready(), log, since: Instant::now() })
    }

    /// The end of the log, for whoever has to find out.
    pub fn log_end(&self) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
    }
}

/// A child that does not outlive this value.
struct Process {
    child: Child,
}

impl Process {
    fn signal(&self, signal: Signal) -> std::io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// How it ended, when it has.
    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A process that has not said yet where it listens. Dropped, it is killed.
pub struct Starting {
    process: Process,
    ready: PathBuf,
    log: PathBuf,
    pub since: Instant,
}

/// What has become of a start.
pub enum Look {
    Listens(Host),
    NotYet(Starting),
    /// It ended, or takes too long.
    Failed(String),
}

impl Starting {
    /// Err: it ended, or took too long.
    pub fn wait(mut self) -> std::result::Result<Host, String> {
        loop {
            self = match self.look() {
                Look::Listens(host) => return Ok(host),
                Look::Failed(told) => return Err(told),
                Look::NotYet(starting) => starting,
            };
            super::pause(READY_POLL);
        }
    }

    pub fn look(mut self) -> Look {
        let text = std::fs::read_to_string(&self.ready).unwrap_or_default();
        if let Some((url, admin)) = text.trim_end().split_once('\n') {
            return Look::Listens(Host {
                process: self.process,
                url: url.to_owned(),
                admin: admin.to_owned(),
            });
        }
        if let Some(status) = self.process.ended() {
            let log = self.log.display();
            return Look::Failed(format!("the host ended with {status} while it started; see {log}"));
        }
        if self.since.elapsed() > READY_MAX {
            return Look::Failed(format!("the host did not listen within {} s", READY_MAX.as_secs()));
        }
        Look::NotYet(self)
    }
}

/// A host that listens. Dropped, it is killed.
pub struct Host {
    process: Process,
    pub url: String,
    /// Health and metrics.
    pub admin: String,
}

impl Host {
    /// SIGKILL. Err: it had ended before, by itself.
    pub fn kill(mut self) -> std::result::Result<(), String> {
        if let Some(status) = self.process.ended() {
            return Err(format!("the host ended by itself with {status}"));
        }
        drop(self);
        Ok(())
    }

    /// SIGSTOP: the process stands still, its connections stay open.
    pub fn stop(&self) -> std::io::Result<()> {
        self.process.signal(Signal::STOP)
    }

    pub fn go_on(&self) -> std::io::Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// SIGTERM.
    pub fn ask_to_end(&self) -> std::io::Result<()> {
        self.process.signal(Signal::TERM)
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// SIGTERM, and its end within the patience of a person.
    pub fn end(mut self) -> std::result::Result<(), String> {
        self.ask_to_end().map_err(|error| error.to_string())?;
        let asked = Instant::now();
        while asked.elapsed() < READY_MAX {
            match self.process.ended() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the host ended with {status} after SIGTERM")),
                None => super::pause(READY_POLL),
            }
        }
        Err(format!("the host did not end within {} s after SIGTERM", READY_MAX.as_secs()))
    }

    /// From now on, files of this process take no more than this.
    #[cfg(target_os = "linux")]
    pub fn fill_disk(&self, data: &Path, room: Room) -> std::io::Result<()> {
        let journal = data.join("quantum.db-wal").metadata().map_or(0, |metadata| metadata.len());
        let bytes_max = match room {
            Room::None => 0,
            Room::Bytes(more) => journal + more,
        };
        self.limit_files(Some(bytes_max))
    }

    #[cfg(target_os = "linux")]
    pub fn free_disk(&self) -> std::io::Result<()> {
        self.limit_files(None)
    }

    /// The soft limit alone, which its owner may raise again.
    #[cfg(target_os = "linux")]
    fn limit_files(&self, bytes_max: Option<u64>) -> std::io::Result<()> {
        use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
        let maximum = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit { current: bytes_max.or(maximum), maximum };
        prlimit(Some(Pid::from_child(&self.process.child)), Resource::Fsize, limit)?;
        Ok(())
    }

    /// Elsewhere nobody can change the limits of another process.
    #[cfg(not(target_os = "linux"))]
    pub fn fill_disk(&self, _data: &Path, _room: Room) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    #[cfg(not(target_os = "linux"))]
    pub fn free_disk(&self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(script: &str) -> (tempfile::TempDir, Place) {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let quantum = folder.path().join("quantum");
        std::fs::write(&quantum, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&quantum, std::fs::Permissions::from_mode(0o700)).unwrap();
        let place = Place { quantum, folder: folder.path().to_owned(), node: None };
        (folder, place)
    }

    #[test]
    fn a_process_that_ends_while_it_starts_is_told() {
        let (_folder, place) = place("exit 3");
        let Err(told) = place.spawn(0).unwrap().wait() else { panic!("it started") };
        assert!(told.contains("exit status: 3"), "{told}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_to_the_process_and_ends_when_it_is_freed() {
        let script = "printf 'http://a\\nhttp://b\\n' > ready.new; mv ready.new ready
            while [ ! -e full ]; do sleep 0.01; done
            (echo more >> file) 2> /dev/null || mkdir was-full
            while [ ! -e free ]; do sleep 0.01; done
            (echo more >> file) && mkdir is-free
            exec sleep 60";
        let (folder, place) = place(script);
        let host = place.spawn(0).unwrap().wait().unwrap();
        assert_eq!((host.url.as_str(), host.admin.as_str()), ("http://a", "http://b"));
        let mark = |name: &str| std::fs::create_dir(folder.path().join(name)).unwrap();
        let wait = |name: &str| {
            while !folder.path().join(name).exists() {
                crate::chaos::pause(READY_POLL);
            }
        };
        host.fill_disk(&place.data(), Room::None).unwrap();
        mark("full");
        wait("was-full");
        host.free_disk().unwrap();
        mark("free");
        wait("is-free");
        assert_eq!(host.kill(), Ok(()));
    }
}
