//! A data folder with its configuration, the hosts that run on it, and the commands that are typed beside them. Every
//! process ends with the test.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;

pub const TENANT: &str = "tenant-123";
pub const QUANTUM: &str = env!("CARGO_BIN_EXE_quantum");
/// Between two looks at the ready file.
const POLL: Duration = Duration::from_millis(5);
/// Looks at the ready file until a start counts as failed: a minute, for a busy machine.
const POLLS_MAX: u32 = 12_000;

/// The packed plugins: the folder in `QUANTUM_TEST_PLUGINS`, or where `cargo xtask` puts them.
fn plugins_dir() -> PathBuf {
    let beside = Path::new(QUANTUM).parent().unwrap();
    let named = std::env::var_os("QUANTUM_TEST_PLUGINS").map(PathBuf::from);
    let places = named.into_iter().chain([beside.join("plugins"), beside.with_file_name("plugins")]);
    let whole = |dir: &PathBuf| ["hello.wasm", "http.wasm"].iter().all(|file| dir.join(file).is_file());
    places.into_iter().find(whole).expect("the packed plugins are not there; run: cargo xtask plugins")
}

/// A packed plugin that ships.
pub fn packed(name: &str) -> PathBuf {
    plugins_dir().join(name).with_extension("wasm")
}

/// The packed plugin that means harm: `cargo xtask plugins` puts it into a folder of its own, where no host looks.
pub fn packed_hostile() -> PathBuf {
    let file = plugins_dir().with_file_name("hostile").join("hostile.wasm");
    assert!(file.is_file(), "{} is not there; run: cargo xtask plugins", file.display());
    file
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// The command must fail with this exit code; what it said.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self.err
    }
}

/// A data folder that outlives its hosts.
pub struct Home {
    dir: TempDir,
    /// What processes find in their environment.
    environment: Vec<(&'static str, String)>,
}

impl Home {
    /// With the plugin hello, and this configuration.
    pub fn new(config: &str) -> Self {
        Self::with_plugins(&["hello"], config)
    }

    /// With the plugins hello and http.
    pub fn with_http(config: &str) -> Self {
        Self::with_plugins(&["hello", "http"], config)
    }

    /// No more than needed: each start on a new folder compiles them.
    pub fn with_plugins(plugins: &[&str], config: &str) -> Self {
        let home = Self::empty();
        fs::create_dir(home.path("plugins")).unwrap();
        for plugin in plugins {
            let file = Path::new("plugins").join(plugin).with_extension("wasm");
            fs::copy(plugins_dir().join(file.file_name().unwrap()), home.dir.path().join(file)).unwrap();
        }
        fs::DirBuilder::new().mode(0o700).create(home.data()).unwrap();
        home.configure(config);
        home
    }

    /// Without a data folder: the first start makes it.
    pub fn empty() -> Self {
        Self { dir: TempDir::new().unwrap(), environment: Vec::new() }
    }

    /// For every process from now on.
    pub fn set(&mut self, variable: &'static str, value: &str) {
        self.environment.retain(|(known, _)| *known != variable);
        self.environment.push((variable, value.to_owned()));
    }

    pub fn configure(&self, config: &str) {
        let text = format!("plugins_dir = {:?}\n{config}\n", self.path("plugins"));
        fs::write(self.data().join("quantum.toml"), text).unwrap();
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and gives its path as text.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The binary, knowing nothing of the tester's environment.
    pub fn quantum(&self) -> Command {
        let mut command = Command::new(QUANTUM);
        command.env_clear().env("HOME", self.dir.path()).env("QUANTUM_DATA_DIR", self.data());
        command.envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// A command that ends by itself.
    pub fn run(&self, host: Option<&Host>, arguments: &[&str]) -> Ran {
        self.run_with(host, arguments, "")
    }

    /// The same, with this standard input.
    pub fn run_with(&self, host: Option<&Host>, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.quantum();
        if let Some(host) = host {
            command.env("QUANTUM_URL", &host.url);
        }
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input may have ended before.
        let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A host that listens.
    pub fn start(&self) -> Host {
        let mut starting = self.spawn();
        for _ in 0..POLLS_MAX {
            match starting.look() {
                Some(host) => return host,
                None => poll_again(),
            }
        }
        panic!("the host did not get ready: {}", self.log());
    }

    /// A host that may not get as far as listening.
    pub fn spawn(&self) -> Starting {
        // Of the host before: whoever finds it would talk to nobody.
        let _none = fs::remove_file(self.path("ready"));
        let mut command = self.quantum();
        command.args(["serve", "--listen", "127.0.0.1:0", "--ready-file"]).arg(self.path("ready"));
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Starting { child: Some(child), ready: self.path("ready"), log: self.path("log") }
    }

    /// A start that must fail: its exit code and what it said.
    pub fn start_fails(&self) -> Ran {
        self.run(None, &["serve", "--listen", "127.0.0.1:0"])
    }

    /// What all hosts of this folder said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub fn create_tenant(&self, host: &Host, tenant: &str) {
        let created = self.run(Some(host), &["tenant", "create", tenant]).ok();
        assert_eq!(created, format!("created tenant {tenant}\n"));
    }

    /// What `quantum token create` prints.
    pub fn token(&self, tenant: &str, user: &str, roles: &[&str]) -> String {
        let mut arguments = vec!["token", "create", "--tenant", tenant, "--user", user];
        arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
        self.run(None, &arguments).ok().trim().to_owned()
    }

    /// An administrator of the tenant.
    pub fn admin(&self, host: &Host) -> Client {
        Client::new(&host.url, &self.token(TENANT, "ada", &["admin"]))
    }
}

/// A process that has not said yet where it listens.
pub struct Starting {
    child: Option<Child>,
    ready: PathBuf,
    log: PathBuf,
}

impl Starting {
    /// The host, once it listens. A process that ended is a failure of the test.
    pub fn look(&mut self) -> Option<Host> {
        let text = fs::read_to_string(&self.ready).unwrap_or_default();
        if let Some((url, admin)) = text.trim_end().split_once('\n') {
            let child = self.child.take().expect("a host is looked for once");
            return Some(Host { child, url: url.to_owned(), admin: admin.to_owned() });
        }
        let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
        if let Some(status) = ended {
            panic!("the host ended with {status}: {}", fs::read_to_string(&self.log).unwrap_or_default());
        }
        None
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.child.iter_mut().for_each(end);
    }
}

/// A host that listens.
pub struct Host {
    child: Child,
    pub url: String,
    /// Health and metrics.
    pub admin: String,
}

impl Host {
    /// SIGTERM. Who waits for the end gets the status.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Bytes of its memory that are resident now.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// SIGTERM, and it must end well.
    #[track_caller]
    pub fn stop(self) {
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// SIGKILL, and no process is left behind.
fn end(child: &mut Child) {
    let _ended = child.kill();
    let _status = child.wait();
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process writes the ready file: nothing here can wait for it"
)]
pub fn poll_again() {
    thread::sleep(POLL);
}
