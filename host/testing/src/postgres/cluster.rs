//! A cluster on disk: made by `initdb`, served by `postgres`, in one folder with its socket and its log.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{Programs, SUPERUSER, Settings, text};
use crate::account::Account;
use crate::process::{Process, until};

/// The users whom a root process runs it as: Debian's own, or who may do nothing.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// How long a start may take on a slow machine, recovery included.
const READY_MAX: Duration = Duration::from_secs(120);
/// What the lock file says then; the second of a server that a test has made a replica.
const READY: [&str; 2] = ["ready", "standby"];
/// Bytes of the folder's path. The path of a socket in it must fit 104 bytes, the least that systems allow.
const FOLDER_BYTES_MAX: usize = 80;

#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    account: Option<Account>,
    folder: TempDir,
}

impl Cluster {
    /// An empty folder.
    pub fn create(programs: Programs) -> Result<Self, String> {
        let account = Account::for_root(&USERS).map_err(text)?;
        let folder = folder().map_err(text)?;
        if let Some(account) = account {
            account.own(folder.path()).map_err(text)?;
        }
        Ok(Self { programs, account, folder })
    }

    pub fn init(&self, settings: &Settings) -> Result<(), String> {
        self.run_initdb()?;
        self.configure(settings).map_err(text)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// For a further try: what the one before said is not its own.
    pub fn clear_log(&self) {
        _ = std::fs::remove_file(self.log_file());
    }

    pub fn spawn(&self, port: u16) -> Result<Process, String> {
        let log = File::options().create(true).append(true).open(self.log_file()).map_err(text)?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &port.to_string()]);
        command.stdout(log.try_clone().map_err(text)?).stderr(log);
        Process::spawn(&mut command).map_err(|error| format!("postgres was not started: {error}"))
    }

    /// Returns when it accepts connections, which it says itself in its lock file.
    pub fn wait_ready(&self, server: &mut Process) -> Result<(), String> {
        let outcome = until(READY_MAX, || match server.ended() {
            Ok(None) => self.is_ready(server.id()).then_some(Ok(())),
            Ok(Some(status)) => Some(Err(format!("postgres ended with {status} while it started"))),
            Err(error) => Some(Err(text(error))),
        });
        let late = || Err(format!("postgres was not ready within {} s", READY_MAX.as_secs()));
        outcome.unwrap_or_else(late).map_err(|error| format!("{error}; its log:\n{}", self.log()))
    }

    /// Frees what a killed server leaves outside of its folder: a few bytes of shared memory, by which the next server
    /// of the same folder would know whether processes of the former one still live.
    pub fn free_memory(&self) {
        if let Some(id) = self.lock_line(6).as_deref().and_then(|line| line.split_whitespace().nth(1)) {
            let mut command = Command::new("ipcrm");
            command.args(["-m", id]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            _ = command.status();
        }
    }

    fn run_initdb(&self) -> Result<(), String> {
        let mut command = self.command("initdb");
        command.arg("-D").arg(self.data()).args(["-U", SUPERUSER, "-A", "trust"]);
        command.args(["--locale=C", "-E", "UTF8", "--no-sync", "--no-instructions"]);
        let ended = command.output().map_err(|error| format!("initdb was not started: {error}"))?;
        if ended.status.success() {
            return Ok(());
        }
        let said = [ended.stdout, ended.stderr].concat();
        Err(format!("initdb ended with {}:\n{}", ended.status, String::from_utf8_lossy(&said)))
    }

    fn configure(&self, settings: &Settings) -> std::io::Result<()> {
        let lines = settings.lines(&self.folder().to_string_lossy());
        let mut file = File::options().append(true).open(self.data().join("postgresql.conf"))?;
        file.write_all(lines.as_bytes())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = self.programs.command(name, self.folder());
        if let Some(account) = self.account {
            account.apply(&mut command);
        }
        command
    }

    /// The lock file of a server that was killed says so too, with another id.
    fn is_ready(&self, server: u32) -> bool {
        let is_own = self.lock_line(0).is_some_and(|line| line.trim() == server.to_string());
        is_own && self.lock_line(7).is_some_and(|line| READY.contains(&line.trim()))
    }

    /// A line of `postmaster.pid`: the process, data folder, start time, port, socket folder, address, shared memory
    /// (key and id), state.
    fn lock_line(&self, index: usize) -> Option<String> {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().nth(index).map(str::to_owned)
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("log")
    }
}

fn folder() -> std::io::Result<TempDir> {
    let usual = std::env::temp_dir();
    let is_short = usual.as_os_str().len() <= FOLDER_BYTES_MAX - "/quantum-postgres-123456".len();
    let parent = if is_short { usual } else { PathBuf::from("/tmp") };
    tempfile::Builder::new().prefix("quantum-postgres-").tempdir_in(parent)
}
