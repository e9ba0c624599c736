//! The child process that compiles one component. It limits itself before it reads a byte of it, and ends when its
//! standard input does: then nobody waits for it any more.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, nice, setrlimit};

use crate::engine;
use crate::limits::COMPILER_FILES_MAX;
use crate::options::CompileLimits;

/// The first argument of the program that compiles.
pub const COMMAND: &str = "compile-component";
/// Bytes of address space for the program itself and its libraries, which are not what a component takes.
const PROGRAM_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How much further back than the host in the queue for processors: steps go first.
const NICE: i32 = 10;
/// Seconds of processor time between the signal that says that it is over and the one that cannot be caught.
const CPU_GRACE_S: u64 = 5;

/// How the child ends, when it comes so far. Away from the numbers that other programs end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The code is on standard output.
    Compiled = 0,
    /// Why is on standard error.
    Refused = 40,
    NoMemory = 41,
    /// The host's fault: what it was started with, or the pipes.
    Host = 42,
}

impl Exit {
    pub fn of(code: i32) -> Option<Self> {
        [Self::Compiled, Self::Refused, Self::NoMemory, Self::Host]
            .into_iter()
            .find(|exit| *exit as i32 == code)
    }
}

/// What the child is told, as its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task {
    component_bytes: u64,
    memory_bytes_max: u64,
    cpu_s_max: u64,
}

impl Task {
    pub fn of(limits: &CompileLimits, component_bytes: usize) -> Self {
        Self {
            component_bytes: component_bytes as u64,
            memory_bytes_max: limits.memory_bytes_max,
            cpu_s_max: limits.cpu_ms_max.div_ceil(1_000).max(1),
        }
    }

    pub fn arguments(&self) -> [String; 3] {
        [self.component_bytes, self.memory_bytes_max, self.cpu_s_max].map(|number| number.to_string())
    }

    fn read(arguments: &[String]) -> Option<Self> {
        let numbers: Option<Vec<u64>> = arguments.iter().map(|word| word.parse().ok()).collect();
        let [component_bytes, memory_bytes_max, cpu_s_max] = numbers?.try_into().ok()?;
        Some(Self { component_bytes, memory_bytes_max, cpu_s_max })
    }
}

/// What a program does that was started with `compile-component` and these further arguments: it compiles the component
/// on its standard input to its standard output. Call it before anything else, in particular before there are threads.
pub fn compile_as_child(arguments: &[String]) -> ExitCode {
    let exit = match Task::read(arguments) {
        Some(task) => work(&task).unwrap_or_else(|error| failed(&error)),
        None => say(Exit::Host, "compile-component is started by a host, which compiles plugins with it"),
    };
    ExitCode::from(exit as u8)
}

fn work(task: &Task) -> io::Result<Exit> {
    limit(task)?;
    let mut component = vec![0; usize::try_from(task.component_bytes).map_err(io::Error::other)?];
    io::stdin().lock().read_exact(&mut component)?;
    std::thread::Builder::new().spawn(end_with_input)?;
    let engine = engine::compiling().map_err(io::Error::other)?;
    match engine.precompile_component(&component) {
        Ok(code) => io::stdout().lock().write_all(&code).map(|()| Exit::Compiled),
        Err(error) if is_no_memory(&error) => Ok(Exit::NoMemory),
        Err(error) => Ok(say(Exit::Refused, &format!("{error:#}"))),
    }
}

/// No files to write, no dump of what it has in memory, and no more of the rest than it is given.
fn limit(task: &Task) -> io::Result<()> {
    let at_most = |max: u64| Rlimit { current: Some(max), maximum: Some(max) };
    // A machine without memory ends it before any other; where it cannot be told so, its limit alone holds.
    drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    let cpu = Rlimit { current: Some(task.cpu_s_max), maximum: Some(task.cpu_s_max + CPU_GRACE_S) };
    setrlimit(Resource::Core, at_most(0))?;
    setrlimit(Resource::Fsize, at_most(0))?;
    setrlimit(Resource::Nofile, at_most(COMPILER_FILES_MAX))?;
    setrlimit(Resource::Cpu, cpu)?;
    setrlimit(Resource::Data, at_most(task.memory_bytes_max))?;
    setrlimit(Resource::As, at_most(task.memory_bytes_max.saturating_add(PROGRAM_BYTES_MAX)))?;
    nice(NICE)?;
    Ok(())
}

fn end_with_input() {
    // Nothing more is sent: this returns when the host closes its end, or is gone.
    drop(io::stdin().lock().read(&mut [0]));
    std::process::abort();
}

fn is_no_memory(error: &wasmtime::Error) -> bool {
    let no_memory = |cause: &io::Error| cause.kind() == io::ErrorKind::OutOfMemory;
    let rustix = |cause: &rustix::io::Errno| *cause == rustix::io::Errno::NOMEM;
    error
        .chain()
        .any(|cause| cause.downcast_ref().is_some_and(no_memory) || cause.downcast_ref().is_some_and(rustix))
}

fn failed(error: &io::Error) -> Exit {
    match error.kind() {
        io::ErrorKind::OutOfMemory => Exit::NoMemory,
        _ => say(Exit::Host, &error.to_string()),
    }
}

fn say(exit: Exit, words: &str) -> Exit {
    // Without a reader the number alone says it.
    drop(io::stderr().lock().write_all(words.as_bytes()));
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_read_as_it_was_written_and_anything_else_is_not() {
        let limits = CompileLimits { cpu_ms_max: 1_500, memory_bytes_max: 7, ..CompileLimits::default() };
        let task = Task::of(&limits, 9);
        assert_eq!(task.arguments(), ["9", "7", "2"]);
        assert_eq!(Task::read(&task.arguments()), Some(task));
        for arguments in [&["1", "2"][..], &["1", "2", "3", "4"], &["1", "2", "x"], &[]] {
            let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(Task::read(&arguments), None, "{arguments:?}");
        }
    }
}
