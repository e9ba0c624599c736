//! A real registry: Debian's package `docker-registry`, with a user and a folder of its own, on a free port.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tempfile::TempDir;
use xtask::http::{Answer, Request, send};
use xtask::standin::basic;

pub const USER: &str = "ci";
pub const PASSWORD: &str = "pipeline-password";
/// What `htpasswd -nbB -C 5 ci pipeline-password` prints.
const USERS: &str = "ci:$2y$05$6zAebOXR6xovHq8oGq93BemGhCb.Iqey0Do.eOJqWhmo1tjbG0Qkm\n";

/// The binary of the package, or what the project itself calls it.
const NAMES: [&str; 2] = ["docker-registry", "registry"];

/// Runs until it is dropped.
pub struct Registry {
    child: Child,
    pub url: String,
    _dir: TempDir,
}

impl Registry {
    /// None: it is not installed. Under `CI=true` that is a failure.
    pub fn start() -> Option<Self> {
        let Some(binary) = NAMES.iter().find_map(|name| installed(name)) else {
            missing("docker-registry");
            return None;
        };
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("users"), USERS).unwrap();
        let config = format!(
            "version: 0.1\nlog: {{ level: info, formatter: json }}\n\
             storage: {{ filesystem: {{ rootdirectory: {:?} }} }}\n\
             http: {{ addr: \"127.0.0.1:0\", secret: \"of this test\" }}\n\
             auth: {{ htpasswd: {{ realm: test, path: {:?} }} }}\n",
            path("data"),
            path("users")
        );
        fs::write(path("config.yml"), config).unwrap();
        let mut command = Command::new(binary);
        command.arg("serve").arg(path("config.yml")).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = read_lines(&mut child);
        let address = lines.iter().find_map(|line| listening(&line));
        let url = format!("http://{}", address.expect("the registry says where it listens"));
        Some(Self { child, url, _dir: dir })
    }

    /// `127.0.0.1:PORT`
    pub fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub fn get(&self, path: &str) -> Answer {
        get(&self.url, path)
    }
}

/// Asks as the user, without the host.
pub fn get(url: &str, path: &str) -> Answer {
    let authorization = format!("Basic {}", basic(USER, PASSWORD));
    let headers =
        [("authorization", authorization.as_str()), ("accept", "application/vnd.oci.image.manifest.v1+json")];
    send(url, Request { method: "GET", path, headers: &headers, body: "" }).unwrap()
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Reads on after the receiver is gone, so that the registry never waits for its reader.
fn read_lines(child: &mut Child) -> Receiver<String> {
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let _nobody = sender.send(line);
        }
    });
    receiver
}

fn listening(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    line["msg"].as_str()?.strip_prefix("listening on ").map(str::to_owned)
}

/// Where a program is, in `PATH`.
pub fn installed(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.is_file())
}

pub fn missing(package: &str) {
    assert!(std::env::var_os("CI").is_none(), "install {package}: Debian and Ubuntu have the package");
    eprintln!("skipped: install {package}");
}
