//! `quantum settings …`: what an administrator sets for the tenant.

use std::path::PathBuf;

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value};

use super::Context;
use super::client::{Answer, Client};
use super::error::CliError;
use super::output::{Column, Output};

const PATH: &str = "/api/v1/settings";

const FIELDS: &[Column] = &[
    ("targets", "targets"),
    ("limits.executions_running_max", "limits.executions_running_max"),
    ("limits.executions_queued_max", "limits.executions_queued_max"),
    ("limits.attempts_running_max", "limits.attempts_running_max"),
    ("limits.plugin_attempts_max", "limits.plugin_attempts_max"),
    ("limits.weight", "limits.weight"),
    ("limits.priority_max", "limits.priority_max"),
    ("limits.attempts_per_day_max", "limits.attempts_per_day_max"),
    ("limits.cpu_ms_per_day_max", "limits.cpu_ms_per_day_max"),
    ("limits.sent_bytes_per_day_max", "limits.sent_bytes_per_day_max"),
    ("limits.attempt_memory_bytes_max", "limits.attempt_memory_bytes_max"),
    ("retention.executions_days", "retention.executions_days"),
    ("retention.archive", "retention.archive"),
    ("recordings", "recordings"),
];

/// Keys whose last part is a name of the tenant's own, which may have dots in it.
const MAPS: &[&str] = &["targets.", "limits.plugin_attempts_max."];

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show what holds in the tenant
    Show,
    /// Change single settings, or all of them from a file
    #[command(
        after_help = "Examples:\n  quantum settings set retention.executions_days=90 retention.archive=true\n  \
                      quantum settings set targets.prod-eu=production limits.weight=\n  quantum settings set --file settings.json"
    )]
    Set {
        /// KEY=VALUE, for example limits.executions_running_max=50; nothing after = gives the key its default
        #[arg(value_name = "KEY=VALUE", required_unless_present = "file")]
        changes: Vec<String>,
        /// A JSON document that takes the place of all settings
        #[arg(long, value_name = "FILE", conflicts_with = "changes")]
        file: Option<PathBuf>,
    },
}

impl SettingsCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        match self {
            Self::Show => show(context.output, &client.get(PATH).await?),
            Self::Set { changes, file: None } => {
                let patch = patch(&changes)?;
                change(&client, Method::PATCH, &patch, context.output).await
            }
            Self::Set { file: Some(file), .. } => {
                let document = read(file)?;
                change(&client, Method::PUT, &document, context.output).await
            }
        }
    }
}

/// Based on what is there now: the host refuses it when somebody else is faster.
async fn change(client: &Client, method: Method, body: &Value, output: Output) -> Result<(), CliError> {
    let now = client.get(PATH).await?;
    show(output, &client.send(method, PATH, Some(body), now.etag.as_deref()).await?)
}

fn show(output: Output, answer: &Answer) -> Result<(), CliError> {
    Ok(output.fields(&answer.body, FIELDS)?)
}

fn read(file: PathBuf) -> Result<Value, CliError> {
    let text = std::fs::read_to_string(&file);
    let text = text.map_err(|source| CliError::File { path: file.clone(), source })?;
    serde_json::from_str(&text).map_err(|source| CliError::Json { what: file.display().to_string(), source })
}

/// A merge patch that makes all of the changes.
fn patch(changes: &[String]) -> Result<Value, CliError> {
    let mut patch = Map::new();
    for change in changes {
        let (key, value) = change.split_once('=').ok_or_else(|| {
            CliError::Usage(format!("\"{change}\" has no value; write it like retention.executions_days=90"))
        })?;
        place(&mut patch, &parts(key), parse(value))
            .ok_or_else(|| CliError::Usage(format!("\"{key}\" is set twice, or is inside of another key")))?;
    }
    Ok(Value::Object(patch))
}

fn parts(key: &str) -> Vec<&str> {
    match MAPS.iter().find_map(|map| Some((*map, key.strip_prefix(map)?))) {
        Some((map, name)) => map.trim_end_matches('.').split('.').chain([name]).collect(),
        None => key.split('.').collect(),
    }
}

/// What is no JSON is text.
fn parse(value: &str) -> Value {
    if value.is_empty() {
        return Value::Null;
    }
    serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))
}

/// None: something else is there.
fn place(fields: &mut Map<String, Value>, parts: &[&str], value: Value) -> Option<()> {
    match parts {
        [] => None,
        [last] if fields.contains_key(*last) => None,
        [last] => {
            fields.insert((*last).to_owned(), value);
            Some(())
        }
        [first, rest @ ..] => {
            let inner = fields.entry(*first).or_insert_with(|| Value::Object(Map::new()));
            place(inner.as_object_mut()?, rest, value)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(changes: &[&str]) -> Option<Value> {
        patch(&changes.iter().map(ToString::to_string).collect::<Vec<_>>()).ok()
    }

    #[test]
    fn changes_become_one_merge_patch() {
        let read = check(&["retention.executions_days=90", "retention.archive=true", "limits.weight="]);
        let expected =
            json!({ "retention": { "executions_days": 90, "archive": true }, "limits": { "weight": null } });
        assert_eq!(read, Some(expected));
        let named = check(&["targets.eu.prod=production", "limits.plugin_attempts_max.quantum:http=4"]);
        let expected = json!({
            "targets": { "eu.prod": "production" }, "limits": { "plugin_attempts_max": { "quantum:http": 4 } }
        });
        assert_eq!(named, Some(expected));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for wrong in [&["limits.weight"][..], &["a=1", "a=2"], &["a=1", "a.b=2"]] {
            assert_eq!(check(wrong), None, "{wrong:?}");
        }
    }
}
