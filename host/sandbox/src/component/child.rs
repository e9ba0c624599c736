//! A component compiled in a child process, seen from the host: started with nothing of its own, watched, and ended.
//! What runs in it is in `worker`.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::worker::{COMMAND, Exit, Task};
use crate::error::Error;
use crate::limits::{COMPILE_THREADS_MAX, COMPILER_WORDS_BYTES_MAX};
use crate::options::CompileLimits;

/// For programs whose allocator is mimalloc: it takes a gigabyte before the child has limited itself, and would work
/// within that whatever the limit is. And it gives back what the next function takes again, when it has not ended by then.
const ALLOCATOR: [(&str, &str); 2] = [("MIMALLOC_ARENA_RESERVE", "32MiB"), ("MIMALLOC_PURGE_DELAY", "-1")];

/// The machine code of the component. Who drops this ends the child.
pub(super) async fn compile(
    program: &Path,
    limits: &CompileLimits,
    component: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let task = Task::of(limits, component.len());
    let mut running = Running::start(program, &task)?;
    let time_max = Duration::from_millis(limits.ms_max);
    let ended = tokio::time::timeout(time_max, running.finish(&component, limits)).await;
    let (status, code, words) = ended
        .map_err(|_| Error::CompileTimeout { ms_max: limits.ms_max, cpu_ms_max: limits.cpu_ms_max })??;
    judge(status, code, &words, limits)
}

/// The child with its ends of the pipes. Dropped before it has ended, it is killed with its group.
struct Running {
    child: Child,
    pipes: Option<(ChildStdin, ChildStdout, ChildStderr)>,
}

impl Running {
    fn start(program: &Path, task: &Task) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.arg(COMMAND).args(task.arguments());
        command.env_clear().envs(ALLOCATOR).env("RAYON_NUM_THREADS", threads().to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let failed = |source| Error::CompilerStart { program: program.display().to_string(), source };
        let mut child = command.spawn().map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
        Ok(Self { child, pipes: pipes.map(|((stdin, stdout), stderr)| (stdin, stdout, stderr)) })
    }

    /// How it ended, what it made, and what it said. Its standard input stays open until then: a child that finds it
    /// closed has nobody to work for, and ends itself.
    async fn finish(
        &mut self,
        component: &[u8],
        limits: &CompileLimits,
    ) -> Result<(ExitStatus, Vec<u8>, String), Error> {
        let (mut stdin, stdout, stderr) = self.pipes.take().expect("a child is finished once");
        // A child that ends before it has read everything says more by how it ended.
        let feed = async {
            let _unread = stdin.write_all(component).await;
            Ok(())
        };
        let (_, code, words) = tokio::try_join!(feed, code(stdout, limits), words(stderr))?;
        let status = self.child.wait().await.map_err(Error::compiler_pipe)?;
        drop(stdin);
        Ok((status, code, words))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // None: it has ended and was waited for, and its number may be another's by now.
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may have ended in this moment.
            let _ended = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn code(stdout: ChildStdout, limits: &CompileLimits) -> Result<Vec<u8>, Error> {
    let bytes_max = limits.code_bytes_max;
    let mut code = Vec::new();
    let read = stdout.take(bytes_max as u64 + 1).read_to_end(&mut code).await;
    read.map_err(Error::compiler_pipe)?;
    if code.len() > bytes_max { Err(Error::CodeTooLarge { bytes_max }) } else { Ok(code) }
}

/// The beginning of what it says; the rest is read and dropped, so that it never waits for a reader.
async fn words(mut stderr: impl AsyncRead + Unpin) -> Result<String, Error> {
    let mut words = Vec::new();
    let read = (&mut stderr).take(COMPILER_WORDS_BYTES_MAX).read_to_end(&mut words).await;
    read.map_err(Error::compiler_pipe)?;
    tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await.map_err(Error::compiler_pipe)?;
    Ok(String::from_utf8_lossy(&words).trim().to_owned())
}

/// What the end of the child means: the one place where its ways to end are told apart.
fn judge(status: ExitStatus, code: Vec<u8>, words: &str, limits: &CompileLimits) -> Result<Vec<u8>, Error> {
    let out_of_memory = Error::CompileMemory { bytes_max: limits.memory_bytes_max };
    let out_of_time = Error::CompileTimeout { ms_max: limits.ms_max, cpu_ms_max: limits.cpu_ms_max };
    match (status.code().and_then(Exit::of), status.signal().map(Signal::from_named_raw)) {
        (Some(Exit::Compiled), _) => Ok(code),
        (Some(Exit::Refused), _) => Err(Error::Compile { reason: words.to_owned() }),
        (Some(Exit::NoMemory), _) => Err(out_of_memory),
        (_, Some(Some(Signal::XCPU))) => Err(out_of_time),
        // As the standard library says it, and as threads do that find no room for their stack.
        _ if words.contains("memory allocation of") || words.contains("Cannot allocate memory") => {
            Err(out_of_memory)
        }
        _ => Err(Error::CompilerCrashed { how: status.to_string(), words: words.to_owned() }),
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(COMPILE_THREADS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a child ended that was waited for with this status, and that said this.
    fn check(status: i32, words: &str) -> String {
        let limits = CompileLimits { memory_bytes_max: 1 << 20, ..CompileLimits::default() };
        match judge(ExitStatus::from_raw(status), b"code".to_vec(), words, &limits) {
            Ok(code) => String::from_utf8(code).unwrap(),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn each_way_to_end_is_told_apart() {
        let exit = |code: Exit| (code as i32) << 8;
        assert_eq!(check(exit(Exit::Compiled), ""), "code");
        assert_eq!(check(exit(Exit::Refused), "no wasm"), "invalid-plugin");
        assert_eq!(check(exit(Exit::NoMemory), ""), "compile-memory");
        assert_eq!(check(Signal::XCPU.as_raw(), ""), "compile-timeout");
        assert_eq!(check(Signal::ABORT.as_raw(), "memory allocation of 9 bytes failed"), "compile-memory");
        for (status, words) in [
            (Signal::ABORT.as_raw(), "thread 'main' has overflowed its stack"),
            (Signal::SEGV.as_raw(), ""),
            (Signal::KILL.as_raw(), ""),
            (101 << 8, "thread 'main' panicked at regalloc2"),
            (1 << 8, ""),
        ] {
            assert_eq!(check(status, words), "compiler-crashed", "{status} {words}");
        }
    }
}
