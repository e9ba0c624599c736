//! Runs other programs, and says which, how long and with what end.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// The cargo that runs this task, at the root of the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(crate::workspace::root());
    command
}

/// Prints the command, runs it with this terminal, and waits for its end.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    let status = command.status().map_err(|source| Error::Start { command: line(command), source })?;
    if status.success() { Ok(()) } else { Err(Error::Command { command: line(command), status }) }
}

/// Runs the command quietly; its standard output.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let ended = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start { command: line(command), source })?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    Err(Error::Command { command: line(command), status: ended.status })
}

/// As `output`; what it says about a failure is left out.
pub fn output_quietly(command: &mut Command) -> Result<Vec<u8>> {
    let ended = command
        .stderr(Stdio::null())
        .output()
        .map_err(|source| Error::Start { command: line(command), source })?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    Err(Error::Command { command: line(command), status: ended.status })
}

/// Whether the command exists and answers.
pub fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The command as one would type it: the program's name without its folder.
pub fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

/// The parts of a long task, with what became of each.
#[derive(Debug, Default)]
pub struct Phases {
    done: Vec<Phase>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Phase {
    name: &'static str,
    took: Duration,
    end: End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Passed,
    /// With the error and what caused it.
    Failed(String),
    LeftOut(String),
}

impl Phases {
    /// Runs one part. The error is printed here, so that the parts after it can still run.
    pub fn run(&mut self, name: &'static str, about: &str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("\n== {name}: {about}");
        let started = Instant::now();
        let result = work();
        let took = started.elapsed();
        let passed = result.is_ok();
        let end = result.err().map_or(End::Passed, |error| End::Failed(chain(&error)));
        if let End::Failed(why) = &end {
            eprintln!("{why}");
        }
        println!("== {name}: {} after {}", if passed { "passed" } else { "FAILED" }, seconds(took));
        self.done.push(Phase { name, took, end });
        passed
    }

    /// Notes that a part was not run; the summary says so.
    pub fn leave_out(&mut self, name: &'static str, reason: impl Into<String>) {
        let reason = reason.into();
        println!("\n== {name}: left out, {reason}");
        self.done.push(Phase { name, took: Duration::ZERO, end: End::LeftOut(reason) });
    }

    /// What the summary says below its table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Prints the table; an error when a part failed, which says once more why: the end of a long log is what is read.
    pub fn finish(self) -> Result<()> {
        println!("\n== summary");
        for phase in &self.done {
            println!("  {:<14} {}", phase.name, summary(phase));
        }
        for note in &self.notes {
            println!("\n  {note}");
        }
        let failed: Vec<_> = self.done.iter().filter_map(reason).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Error::Phases { failed: failed.len(), all: self.done.len(), reasons: failed.join("\n") })
    }
}

/// Why it failed, when it did.
fn reason(phase: &Phase) -> Option<String> {
    match &phase.end {
        End::Failed(why) => Some(format!("{} {why}", phase.name)),
        End::Passed | End::LeftOut(_) => None,
    }
}

fn summary(phase: &Phase) -> String {
    match &phase.end {
        End::Passed => format!("passed    {:>9}", seconds(phase.took)),
        End::Failed(_) => format!("FAILED    {:>9}", seconds(phase.took)),
        End::LeftOut(reason) => format!("left out            {reason}"),
    }
}

pub fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// The error and what caused it, one line each.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("failed: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!("\n  because: {next}"));
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/some/folder/quantum");
        command.args(["run", "release-check", "--input", "{\"a\": 1}"]);
        assert_eq!(line(&command), "quantum run release-check --input '{\"a\": 1}'");
    }

    #[test]
    fn one_failed_phase_fails_the_whole_and_is_named_with_its_reason() {
        let mut phases = Phases::default();
        assert!(phases.run("first", "passes", || Ok(())));
        assert!(!phases.run("second", "fails", || Err(Error::Tidy(3))));
        phases.leave_out("third", "not installed");
        let error = phases.finish().unwrap_err().to_string();
        assert_eq!(error, "1 of 3 phases failed\nsecond failed: tidy has 3 findings");
    }

    #[test]
    fn a_command_that_fails_or_does_not_exist_is_named_in_the_error() {
        let error = run(&mut cargo(&["no-such-subcommand"])).unwrap_err().to_string();
        assert!(error.starts_with("`cargo no-such-subcommand` ended with"), "{error}");
        let error = run(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert_eq!(error, "`no-such-program` could not be started");
    }
}
