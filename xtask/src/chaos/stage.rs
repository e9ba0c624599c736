//! What stands before the first fault: an empty folder, the ledger, hosts with a tenant and two users, and the intents.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::answers::{Answers, Said};
use super::caller::{Caller, field, json};
use super::cast::Cast;
use super::host::Place;
use super::hosts::Hosts;
use super::ledger::{Kind, Ledger, read};
use super::options::Options;
use super::scenario::{self, Family, SCENARIOS_PER_FAMILY, Scenario};
use crate::error::{Error, Result};
use crate::shell;

const TENANT: &str = "chaos";
/// Seconds that a token lives: longer than any run, with a clock that is ahead.
const TOKEN_S: &str = "86400";

/// What the intents use. A host that starts every 300 milliseconds is not to load more.
const PLUGINS: [&str; 2] = ["hello.wasm", "http.wasm"];

/// The ledger listens on loopback; the plugin may call it.
pub const CONFIGURATION: &str = r#"plugins_dir = "plugins"

[egress]
allow_cidrs = ["127.0.0.0/8"]

[plugins.http]
allow_hosts = ["http://127.0.0.1:*"]
"#;

pub struct Stage {
    pub place: Place,
    pub ledger: Ledger,
    pub requester: Caller,
    pub approver: Caller,
    pub scenarios: Vec<Scenario>,
    /// Families that this host does not have, with the reason.
    pub left_out: Vec<String>,
}

impl Stage {
    /// With the hosts that play on it.
    pub fn set(place: Place, plugins: &Path, options: &Options) -> Result<(Self, Cast)> {
        furnish(&place, plugins)?;
        let ledger = Ledger::start(&place.folder.join("ledger.jsonl"))?;
        let answers = Arc::new(Answers::create(&place.folder.join("answers.jsonl"))?);
        let hosts = Arc::new(Hosts::new(options.seed));
        let cast = Cast::enter(&place, options, &hosts)?;
        let mut create = place.quantum(&place.quantum);
        create.args(["tenant", "create", TENANT]).env("QUANTUM_URL", cast.first_url());
        shell::output(&mut create)?;
        let caller = |token| Caller { hosts: hosts.clone(), answers: answers.clone(), token };
        let requester = caller(token(&place, "requester", "admin")?);
        let approver = caller(token(&place, "approver", "operator")?);
        let (scenarios, left_out) = (Vec::new(), Vec::new());
        let mut stage = Self { place, ledger, requester, approver, scenarios, left_out };
        for family in Family::ALL {
            stage.prepare(family, options.seed)?;
        }
        Ok((stage, cast))
    }

    pub fn said(&self) -> Result<Vec<Said>> {
        read(&self.place.folder.join("answers.jsonl"))
    }

    /// Requests that got no good answer, on purpose.
    pub fn ledger_faults(&self) -> Result<usize> {
        Ok(self.ledger.records()?.iter().filter(|record| record.kind != Kind::Done).count())
    }

    /// Stores the intents of a family, unless the host says that it does not support them.
    fn prepare(&mut self, family: Family, seed: u64) -> Result<()> {
        let url = self.ledger.url.clone();
        let drawn = (0..SCENARIOS_PER_FAMILY).map(|number| scenario::draw(family, number, seed, &url));
        let drawn: Vec<_> = drawn.collect();
        if let Some(reason) = self.missing(family, &drawn)? {
            self.left_out.push(format!("{}: {reason}", family.as_str()));
            return Ok(());
        }
        for scenario in drawn {
            let answer = self.requester.post("/api/v1/intents", &scenario.document())?;
            if answer.status != 201 {
                let (name, text) = (&scenario.name, answer.text());
                return Err(Error::chaos(format!(
                    "the intent {name} was answered with {}: {text}",
                    answer.status
                )));
            }
            self.scenarios.push(scenario);
        }
        Ok(())
    }

    /// Why the host cannot run this family; any other finding is an error of the scenario.
    fn missing(&self, family: Family, drawn: &[Scenario]) -> Result<Option<String>> {
        if let Some(route) = family.route() {
            let path = route.replace("{id}", "00000000-0000-7000-8000-000000000000").replace("{name}", "go");
            let answer = self.requester.post(&path, &Value::Object(serde_json::Map::new()))?;
            if field(&answer, "code") == "no-such-route" {
                return Ok(Some(format!("the host has no route {route}")));
            }
        }
        for scenario in drawn {
            if let Some(reason) = self.unsupported(scenario)? {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    fn unsupported(&self, scenario: &Scenario) -> Result<Option<String>> {
        let answer = self.requester.post("/api/v1/intents/validate", &scenario.document())?;
        let body = json(&answer);
        let findings = body.get("findings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |finding: &Value, name: &str| {
            finding.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let errors: Vec<_> = findings.iter().filter(|finding| text(finding, "severity") == "error").collect();
        if let Some(finding) = errors.iter().find(|finding| text(finding, "code") == "not-supported") {
            return Ok(Some(text(finding, "message")));
        }
        if errors.is_empty() && answer.status == 200 {
            return Ok(None);
        }
        Err(Error::chaos(format!("the scenario {} is refused: {}", scenario.name, answer.text())))
    }
}

fn token(place: &Place, user: &str, role: &str) -> Result<String> {
    let mut command = place.quantum(&place.quantum);
    command.args(["token", "create", "--tenant", TENANT, "--user", user, "--role", role]);
    command.args(["--expires-in", TOKEN_S]);
    Ok(String::from_utf8_lossy(&shell::output(&mut command)?).trim().to_owned())
}

/// The folder of a run, with what a host finds at its first start.
fn furnish(place: &Place, plugins: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    super::fresh(&place.folder)?;
    let (data, own) = (place.data(), place.folder.join("plugins"));
    // A data folder is its owner's alone.
    std::fs::DirBuilder::new().mode(0o700).create(&data).map_err(Error::file(&data))?;
    std::fs::create_dir(&own).map_err(Error::file(&own))?;
    for plugin in PLUGINS {
        let from = plugins.join(plugin);
        std::fs::copy(&from, own.join(plugin)).map_err(Error::file(&from))?;
    }
    let configuration = data.join("quantum.toml");
    std::fs::write(&configuration, CONFIGURATION).map_err(Error::file(&configuration))
}
