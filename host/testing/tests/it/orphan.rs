//! Servers of a test process that is killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use quantum_testing::{Postgres, or_skip};

use crate::postgres::lives;

/// Set in the process that is going to be killed.
const ROLE: &str = "QUANTUM_TESTING_ORPHAN";
const PATIENCE: Duration = Duration::from_secs(60);

/// Says which server it has, and stays; in its own process alone.
#[test]
fn a_process_that_will_be_killed() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let postgres = Postgres::shared().unwrap();
    println!("\nserver {} {}", postgres.pid().unwrap(), postgres.socket_dir().display());
    std::thread::park_timeout(PATIENCE);
}

#[test]
fn a_server_ends_with_a_process_that_is_killed() {
    if or_skip(Postgres::shared()).is_none() {
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "orphan::a_process_that_will_be_killed", "--nocapture"]).env(ROLE, "1");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.into_iter().find_map(|line| server(&line));
    child.kill().unwrap();
    child.wait().unwrap();
    let (process, folder) = said.unwrap();
    let killed = Instant::now();
    while lives(process) || folder.exists() {
        assert!(killed.elapsed() < PATIENCE, "{process} or {} is left", folder.display());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn server(line: &str) -> Option<(u32, PathBuf)> {
    let (process, folder) = line.strip_prefix("server ")?.split_once(' ')?;
    Some((process.parse().ok()?, folder.into()))
}
