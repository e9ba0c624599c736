//! What a host needs before it can be driven, made as a user makes it: a tenant, a token, an intent.

use std::path::{Path, PathBuf};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use super::client::Client;
use super::error::Error;
use super::host::Host;

const TENANT: &str = "tenant-load";
const INTENT: &str = "load";

/// The execution that is repeated: waits for the end.
pub const EXECUTE: &str = "/api/v1/intents/load/execute?wait=30s";

/// The command line of a host.
pub struct Operator<'a> {
    pub quantum: &'a Path,
    pub data_dir: &'a Path,
}

impl Operator<'_> {
    /// A token of an administrator of a new tenant.
    pub async fn tenant(&self, host: &Host) -> Result<String, Error> {
        self.run(host, &["tenant", "create", TENANT]).await?;
        self.token(host).await
    }

    /// Tokens live an hour: a run takes a new one.
    async fn token(&self, host: &Host) -> Result<String, Error> {
        let arguments = ["token", "create", "--tenant", TENANT, "--user", "load", "--role", "admin"];
        let text = self.run(host, &arguments).await?;
        let token = text.split_whitespace().rfind(|word| word.matches('.').count() == 2);
        token.map(str::to_owned).ok_or_else(|| Error::Command {
            arguments: arguments.join(" "),
            text: format!("there is no token in what it printed: \"{text}\""),
        })
    }

    async fn run(&self, host: &Host, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(self.quantum);
        command.args(arguments).env("QUANTUM_URL", &host.url).env("QUANTUM_DATA_DIR", self.data_dir);
        command.env_remove("QUANTUM_TOKEN").kill_on_drop(true);
        let output = command.output().await;
        let output = output.map_err(|source| Error::Start { path: PathBuf::from(self.quantum), source })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        Err(Error::Command { arguments: arguments.join(" "), text })
    }
}

/// Stores the intent, and sees one execution of it end well.
pub async fn apply(client: &mut Client, steps: usize) -> Result<(), Error> {
    let document = intent(steps).to_string();
    client.post("/api/v1/intents", &document).await?.expect("apply the intent", StatusCode::CREATED)?;
    execute(client).await
}

/// One execution, from the request to the result.
pub async fn execute(client: &mut Client) -> Result<(), Error> {
    let answer = client.post(EXECUTE, "").await?.expect("execute the intent", StatusCode::OK)?;
    let ended: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match ended.get("status").and_then(Value::as_str) {
        Some("succeeded") => Ok(()),
        _ => Err(answer.unexpected("see the execution succeed")),
    }
}

fn intent(steps: usize) -> Value {
    let step = |number: usize| json!({ "id": format!("hello-{number}"), "action": "hello", "parameters": { "name": "Ada" } });
    let steps: Vec<Value> = (1..=steps).map(step).collect();
    json!({ "name": INTENT, "definition": { "target": "test", "steps": steps } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intent_has_as_many_steps_as_asked_for_each_with_an_id_of_its_own() {
        let intent = intent(3);
        let ids: Vec<_> =
            intent["definition"]["steps"].as_array().unwrap().iter().map(|step| &step["id"]).collect();
        assert_eq!(ids, ["hello-1", "hello-2", "hello-3"]);
    }
}
