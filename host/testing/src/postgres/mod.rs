//! A PostgreSQL server of the test's own: trust on loopback and on a Unix socket, superuser `postgres`.
//!
//! It is never the one that the machine runs: binaries alone are taken from there.

mod access;
mod cluster;
mod database;
mod programs;
mod settings;
mod shared;

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

pub use database::TestDatabase;
pub use settings::Settings;

use crate::guard::Guard;
use crate::missing::Missing;
use crate::process::Process;

use access::Access;
use cluster::Cluster;
use programs::Programs;

/// The owner of everything in a cluster.
const SUPERUSER: &str = "postgres";
/// Postgres calls it immediate: no checkpoint, but no process and no shared memory left. The next start recovers.
const IMMEDIATE: &str = "QUIT";
/// How long a fast shutdown may take, with its checkpoint.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Where another listens on the chosen port: starts with a further one.
const PORT_TRIES: usize = 5;
/// In the log then.
const PORT_TAKEN: &str = "Address already in use";

/// A server in a folder of its own. Dropped, or with the process that started it, the server ends and the folder is
/// removed.
///
/// Methods panic with the server's log where the server does not do as asked.
#[derive(Debug)]
pub struct Postgres {
    // Fields are dropped in this order: the server, then what guards it, then its folder.
    server: Option<Process>,
    guard: Guard,
    cluster: Cluster,
    access: Access,
}

impl Postgres {
    /// Whether the machine has what a start needs.
    pub fn look() -> Result<(), Missing> {
        Programs::find().map(drop)
    }

    /// A new cluster with the default settings, ready for connections.
    #[track_caller]
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(&Settings::default())
    }

    #[track_caller]
    pub fn start_with(settings: &Settings) -> Result<Self, Missing> {
        let programs = Programs::find()?;
        Ok(sure(Self::create(programs, settings)))
    }

    /// The one server of this process, started by the first who asks. It stays as it is: databases alone are made.
    #[track_caller]
    pub fn shared() -> Result<&'static Self, Missing> {
        shared::get()
    }

    /// An empty database of its own.
    #[track_caller]
    pub fn database(&self) -> TestDatabase {
        sure(TestDatabase::create(&self.access, None))
    }

    /// A copy of a database of this server that nobody is connected to.
    #[track_caller]
    pub fn database_from(&self, template: &str) -> TestDatabase {
        sure(TestDatabase::create(&self.access, Some(template)))
    }

    /// A copy of a database that `prepare` has filled, once in this process: it is given the URL of an empty one.
    #[track_caller]
    pub fn prepared(&'static self, prepare: impl FnOnce(&str)) -> TestDatabase {
        let template = shared::TEMPLATE.get_or_init(|| {
            let database = self.database();
            prepare(&database.url());
            database
        });
        self.database_from(template.name())
    }

    /// Over loopback. Names of letters, digits and underscores are taken as they are.
    pub fn url(&self, database: &str, user: &str) -> String {
        self.access.url(database, user)
    }

    /// The folder of the Unix socket, which root and the server's user alone may enter.
    pub fn socket_dir(&self) -> &Path {
        &self.access.socket_dir
    }

    /// The same over restarts.
    pub fn port(&self) -> u16 {
        self.access.port
    }

    /// Of the process that accepts connections; none: it was stopped or killed.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Process::id)
    }

    /// All that the server has said since the cluster was made.
    pub fn log(&self) -> String {
        self.cluster.log()
    }

    /// Runs SQL by `psql`, in one transaction when it is several statements; rows as lines, columns apart by `|`.
    #[track_caller]
    pub fn query(&self, database: &str, sql: &str) -> String {
        sure(self.access.query(database, sql))
    }

    /// A fast shutdown: connections are cut, what is committed is written out. Nothing happens when it does not run.
    #[track_caller]
    pub fn stop(&mut self) {
        let stopped = self.end(Signal::INT);
        self.told(stopped);
    }

    /// SIGKILL to the server and all its children. What is committed is still there after [`Self::start_again`]: the
    /// machine lives on, and with it what was written and not synced.
    #[track_caller]
    pub fn kill(&mut self) {
        let killed = self.kill_server();
        self.told(killed);
    }

    /// After a stop or a kill, on the same port; recovers what there is to recover.
    #[track_caller]
    pub fn start_again(&mut self) {
        assert!(self.server.is_none(), "the server runs already");
        let started = self.launch();
        self.told(started);
    }

    /// A fast shutdown and a start, on the same port.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// SIGSTOP to the server and all its children: connections stay open, and nobody answers.
    #[track_caller]
    pub fn pause(&mut self) {
        let paused = self.server.as_mut().map_or(Ok(()), Process::pause);
        self.told(paused);
    }

    #[track_caller]
    pub fn resume(&mut self) {
        let resumed = self.server.as_mut().map_or(Ok(()), Process::resume);
        self.told(resumed);
    }

    fn create(programs: Programs, settings: &Settings) -> Result<Self, String> {
        let cluster = Cluster::create(programs.clone())?;
        let guard = Guard::start(cluster.folder(), IMMEDIATE).map_err(text)?;
        cluster.init(settings)?;
        let access = Access::new(programs, cluster.folder());
        let mut new = Self { server: None, guard, cluster, access };
        for _ in 0..PORT_TRIES {
            new.access.port = crate::port::free().map_err(text)?;
            match new.launch() {
                Err(_) if new.log().contains(PORT_TAKEN) => new.cluster.clear_log(),
                started => return started.map(|()| new),
            }
        }
        Err(format!("{PORT_TRIES} ports in turn were taken by others"))
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut server = self.cluster.spawn(self.access.port)?;
        self.guard.watch(Some(server.id())).map_err(text)?;
        let ready = self.cluster.wait_ready(&mut server);
        if ready.is_ok() {
            self.server = Some(server);
            return Ok(());
        }
        drop(server);
        self.guard.watch(None).map_err(text)?;
        ready
    }

    fn end(&mut self, signal: Signal) -> Result<(), String> {
        let Some(server) = &mut self.server else { return Ok(()) };
        server.resume().map_err(text)?;
        server.signal(signal).map_err(text)?;
        let ended = server.wait(STOP_MAX).map_err(text)?;
        ended.ok_or_else(|| format!("it did not stop within {} s", STOP_MAX.as_secs()))?;
        self.forget()
    }

    fn kill_server(&mut self) -> Result<(), String> {
        if let Some(server) = &mut self.server {
            server.kill().map_err(text)?;
        }
        self.forget()
    }

    /// INVARIANT: the guard never knows the id of a process that this one has waited for.
    fn forget(&mut self) -> Result<(), String> {
        self.server = None;
        self.guard.watch(None).map_err(text)
    }

    #[track_caller]
    fn told<E: Display>(&self, result: Result<(), E>) {
        sure(result.map_err(|error| format!("{error}; its log:\n{}", self.log())));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Where this fails, the process is killed when it is dropped.
        _ = self.end(Signal::QUIT);
        self.cluster.free_memory();
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

#[track_caller]
#[expect(clippy::panic, reason = "a test that has no server fails")]
fn sure<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|error| panic!("PostgreSQL for tests: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_another_took_is_told_by_the_log() {
        let Some(mut postgres) = crate::or_skip(Postgres::start()) else { return };
        postgres.stop();
        let listener = std::net::TcpListener::bind(("127.0.0.1", postgres.port())).unwrap();
        let told = postgres.launch().unwrap_err();
        assert!(told.contains(PORT_TAKEN), "{told}");
        assert_eq!(postgres.pid(), None);
        drop(listener);
        postgres.start_again();
    }
}
