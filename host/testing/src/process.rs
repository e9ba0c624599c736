//! A server's process with its children: paused, resumed and killed as one, each by its own id.
//!
//! Servers give their children sessions of their own, so that no process group holds them all. Children are told by
//! `/proc`; on systems without it, the signals of this file reach the parent alone.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long the system may take to stop or kill a process.
const SIGNAL_MAX: Duration = Duration::from_secs(10);

/// Dropped, it is killed with its children.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// In a process group of its own: what a terminal sends to the tests does not reach it.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        Ok(Self { child: command.process_group(0).spawn()? })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// None: it still runs after this time.
    pub fn wait(&mut self, most: Duration) -> io::Result<Option<ExitStatus>> {
        until(most, || self.ended().transpose()).transpose()
    }

    /// Nothing happens when it has ended: its id may be another's.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        match self.ended()? {
            Some(_) => Ok(()),
            None => Ok(kill_process(Pid::from_child(&self.child), signal)?),
        }
    }

    /// SIGSTOP to it and its children.
    pub fn pause(&mut self) -> io::Result<()> {
        for child in self.freeze()? {
            kill_process(child, Signal::STOP)?;
        }
        Ok(())
    }

    /// SIGCONT to its children and it.
    pub fn resume(&mut self) -> io::Result<()> {
        for child in self.freeze()? {
            kill_process(child, Signal::CONT)?;
        }
        self.signal(Signal::CONT)
    }

    /// SIGKILL to it and its children; returns when they are gone.
    pub fn kill(&mut self) -> io::Result<()> {
        let children = self.freeze()?;
        for child in &children {
            kill_process(*child, Signal::KILL)?;
        }
        let all_gone = || children.iter().all(|child| is_gone(*child)).then_some(());
        until(SIGNAL_MAX, all_gone).ok_or_else(|| io::Error::other("children outlive SIGKILL"))?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Its children, after SIGSTOP. INVARIANT: a parent that stands still starts no child and reaps none, so that until
    /// it goes on this list is whole and no id in it is another's.
    fn freeze(&mut self) -> io::Result<Vec<Pid>> {
        if self.ended()?.is_some() {
            return Ok(Vec::new());
        }
        let own = Pid::from_child(&self.child);
        kill_process(own, Signal::STOP)?;
        let is_still =
            || Stat::of(own).is_none_or(|stat| matches!(stat.state, 'T' | 't' | 'Z' | 'X')).then_some(());
        until(SIGNAL_MAX, is_still).ok_or_else(|| io::Error::other("the process does not stop"))?;
        Ok(children(own))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.kill().is_err() {
            _ = self.child.kill();
            _ = self.child.wait();
        }
    }
}

/// Asks until there is an answer; None when there is none within this time.
pub fn until<T>(most: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        match ask() {
            Some(answer) => return Some(answer),
            None if started.elapsed() >= most => return None,
            None => pause(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the process of a foreign program tells nothing of its state")]
fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}

/// What `/proc/ID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    parent: i32,
}

impl Stat {
    /// None: there is no such process, or this system does not tell.
    fn of(process: Pid) -> Option<Self> {
        let path = format!("/proc/{}/stat", process.as_raw_nonzero());
        Self::parse(&std::fs::read_to_string(path).ok()?)
    }

    /// The name before these fields may have spaces and parentheses.
    fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        Some(Self { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
    }
}

fn children(parent: Pid) -> Vec<Pid> {
    let is_child = |process: &Pid| {
        Stat::of(*process)
            .is_some_and(|stat| stat.parent == parent.as_raw_nonzero().get() && stat.state != 'Z')
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(Pid::from_raw).filter(is_child).collect()
}

/// A zombie is: it does nothing, and holds nothing.
fn is_gone(process: Pid) -> bool {
    Stat::of(process).is_none_or(|stat| matches!(stat.state, 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn fields_are_found_behind_a_strange_name() {
        let stat = Stat::parse("42 (a (b) c) S 7 42 42 0").unwrap();
        assert_eq!(stat, Stat { state: 'S', parent: 7 });
        assert_eq!(Stat::parse(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn children_are_paused_resumed_and_killed_with_their_parent() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & wait"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::spawn(&mut command).unwrap();
        let own = Pid::from_child(&process.child);
        let [child] = until(SIGNAL_MAX, || <[Pid; 1]>::try_from(children(own)).ok()).unwrap();
        let state = |process: Pid| Stat::of(process).map(|stat| stat.state);
        let becomes = |process: Pid, wanted: char| {
            until(SIGNAL_MAX, || (state(process) == Some(wanted)).then_some(())).is_some()
        };
        process.pause().unwrap();
        assert!(becomes(own, 'T') && becomes(child, 'T'));
        process.resume().unwrap();
        assert!(becomes(own, 'S') && becomes(child, 'S'));
        process.kill().unwrap();
        assert_eq!(state(own), None);
        assert!(is_gone(child));
        process.kill().unwrap();
    }
}
