//! The command line and the API as a user of the tenant has them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::{TENANT, events};
use crate::error::{Error, Result};
use crate::http::{self, Answer, Request};
use crate::{shell, workspace};

#[derive(Debug, Clone)]
pub struct Client {
    quantum: PathBuf,
    data_dir: PathBuf,
    url: String,
    token: Option<String>,
}

/// How a command ended, with what it printed; the terminal has seen it too.
#[derive(Debug)]
pub struct Ended {
    pub command: String,
    pub status: ExitStatus,
    pub text: String,
}

impl Client {
    pub fn new(quantum: PathBuf, data_dir: PathBuf, url: String) -> Self {
        Self { quantum, data_dir, url, token: None }
    }

    /// The same user at another address.
    pub fn at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Another user of the tenant, with a new token.
    pub fn user(&self, user: &str, role: &str) -> Result<Self> {
        let arguments = ["token", "create", "--tenant", TENANT, "--user", user, "--role", role];
        let mut command = self.command(&arguments);
        println!("$ {}", shell::line(&command));
        let text = shell::output(&mut command)?;
        let text = String::from_utf8_lossy(&text);
        let token = text.split_whitespace().rfind(|word| word.matches('.').count() == 2);
        let token =
            token.ok_or_else(|| Error::demo("a token on standard output", format!("it is \"{text}\"")))?;
        Ok(Self { token: Some(token.to_owned()), ..self.clone() })
    }

    /// A command that must succeed; what it printed.
    pub fn quantum(&self, arguments: &[&str]) -> Result<String> {
        self.quantum_with(arguments, "")
    }

    /// The same, with this standard input, which is not shown.
    pub fn quantum_with(&self, arguments: &[&str], input: &str) -> Result<String> {
        let ended = self.ends(arguments, input)?;
        if ended.status.success() {
            return Ok(ended.text);
        }
        Err(Error::Command { command: ended.command, status: ended.status })
    }

    /// A command that may fail. Its standard output is passed on line by line; its error output is the terminal.
    pub fn quantum_ends(&self, arguments: &[&str]) -> Result<Ended> {
        self.ends(arguments, "")
    }

    fn ends(&self, arguments: &[&str], input: &str) -> Result<Ended> {
        let mut command = self.command(arguments);
        let line = shell::line(&command);
        println!("$ {line}");
        let failed = |source| Error::Start { command: line.clone(), source };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        // A command that does not read its input has ended or will: its status tells.
        _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        let mut text = String::new();
        for row in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
            let row = row.map_err(failed)?;
            println!("{row}");
            text.push_str(&row);
            text.push('\n');
        }
        let status = child.wait().map_err(failed)?;
        Ok(Ended { command: line, status, text })
    }

    /// The events of an execution, all of them.
    pub fn events(&self, execution: &str) -> Result<Vec<events::Event>> {
        let answer = self.get(&format!("/api/v1/executions/{execution}/events"))?;
        match answer.status {
            200 => events::parse(&answer.text()),
            status => {
                Err(Error::demo("the event log", format!("the answer was {status}: {}", answer.text())))
            }
        }
    }

    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, "")
    }

    pub fn send(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let headers = [
            ("authorization", bearer.as_str()),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        http::send(&self.url, Request { method, path, headers: &headers, body })
    }

    /// Lines for a shell that make the binary and curl talk to this host.
    pub fn exports(&self) -> String {
        let token = self.token.as_deref().unwrap_or_default();
        format!("  export QUANTUM_URL={}\n  export QUANTUM_TOKEN={token}", self.url)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.quantum);
        command.args(arguments).current_dir(workspace::root());
        command.env("QUANTUM_URL", &self.url).env("QUANTUM_DATA_DIR", &self.data_dir);
        match &self.token {
            Some(token) => command.env("QUANTUM_TOKEN", token),
            None => command.env_remove("QUANTUM_TOKEN"),
        };
        command
    }
}
