//! What ends a server and removes its folder when the test's process is gone, however that went.
//!
//! A small shell that waits for the end of its input: the system closes it with the process, after SIGKILL too. The
//! signal that Linux sends to the children of a parent that dies does not do: it is sent when the thread dies that
//! started them, and every test is a thread.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Each line is the id of the server that runs now; an empty one: none does. Arguments: the folder, the signal to end
/// the server with. A server that does not end within 20 s is killed.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
server=
while read -r line; do server=$line; done
if [ -n "$server" ]; then
  kill -CONT "$server" && kill -s "$2" "$server"
  rounds=0
  while kill -0 "$server" && [ "$rounds" -lt 400 ]; do rounds=$((rounds + 1)); sleep 0.05; done
  kill -KILL "$server"
fi
rm -rf "$1"
"#;

/// Dropped, it does nothing any more: whoever drops it has ended the server.
#[derive(Debug)]
pub struct Guard {
    shell: Child,
}

impl Guard {
    pub fn start(folder: &Path, signal: &str) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(folder).arg(signal);
        // Not in the tests' group, which may be killed as a whole; nothing of theirs is held open.
        command.process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { shell: command.spawn()? })
    }

    /// Called after each start and each end of a server.
    pub fn watch(&mut self, server: Option<u32>) -> io::Result<()> {
        let line = server.map_or_else(String::new, |id| id.to_string());
        let input = self.shell.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(format!("{line}\n").as_bytes())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        _ = self.shell.kill();
        _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::{Process, until};

    /// Waiting closes the input first, as the end of this process would.
    fn orphaned(mut guard: Guard) -> std::process::ExitStatus {
        guard.shell.wait().unwrap()
    }

    #[test]
    fn the_last_server_is_ended_and_the_folder_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Process::spawn(Command::new("sleep").arg("60").stdout(Stdio::null())).unwrap();
        let mut guard = Guard::start(folder.path(), "TERM").unwrap();
        guard.watch(None).unwrap();
        guard.watch(Some(server.id())).unwrap();
        server.pause().unwrap();
        let ends = std::thread::spawn(move || server.wait(Duration::from_secs(60)).unwrap());
        assert!(orphaned(guard).success());
        assert!(ends.join().unwrap().is_some());
        assert!(!folder.path().exists());
    }

    #[test]
    fn without_a_server_the_folder_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(orphaned(Guard::start(folder.path(), "TERM").unwrap()).success());
        assert!(!folder.path().exists());
    }

    #[test]
    fn a_dropped_guard_leaves_everything_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        drop(Guard::start(folder.path(), "TERM").unwrap());
        assert!(until(Duration::from_millis(50), || (!folder.path().exists()).then_some(())).is_none());
    }
}
