//! What an installer types beside "install it": hosts and settings, in flags or in a file.

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value, json};

use super::client::segment;
use super::error::CliError;
use super::intent::read_json;

/// Bytes of settings that fit into a request's address. Larger ones go with `quantum plugin configure`.
const QUERY_BYTES_MAX: usize = 6 * 1024;

#[derive(Debug, Clone, Args)]
pub(crate) struct ConsentArgs {
    /// A host that it may call, for example https://api.example.com or http://127.0.0.1:*; may be repeated
    #[arg(long = "allow-host", value_name = "URL")]
    allow_hosts: Vec<String>,
    /// All settings as JSON text, or @FILE: config, secrets, endpoints, defaults, key_prefix, artifact_prefixes,
    /// environments
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Configuration as JSON text, or @FILE; the settings' `config`
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    /// Which secret of the tenant the plugin's secret NAME is; may be repeated
    #[arg(long = "secret", value_name = "NAME=SECRET")]
    secrets: Vec<String>,
    /// Where a host that documents name really is, for example azurecr.io=http://127.0.0.1:5000; may be repeated
    #[arg(long = "endpoint", value_name = "HOST=URL")]
    endpoints: Vec<String>,
}

impl ConsentArgs {
    /// As the body of a configuration. Where `--settings` was not typed, what else was is laid over what there is now.
    pub fn body(&self, now: Option<&Value>) -> Result<Value, CliError> {
        let mut body = json!({ "allow_hosts": self.allow_hosts });
        let now = now.and_then(Value::as_object).cloned().unwrap_or_default();
        if let (Some(settings), Some(fields)) = (self.settings(now)?, body.as_object_mut()) {
            fields.insert("settings".to_owned(), settings);
        }
        Ok(body)
    }

    /// As the query of an installation.
    pub fn query(&self) -> Result<Vec<String>, CliError> {
        let mut query: Vec<String> =
            self.allow_hosts.iter().map(|host| format!("allow_host={}", segment(host))).collect();
        if let Some(settings) = self.settings(Map::new())? {
            let text = segment(&settings.to_string());
            if text.len() > QUERY_BYTES_MAX {
                return Err(CliError::Usage(
                    "the settings are too large for an installation; install with --config, then give the rest \
                     with: quantum plugin configure ID --settings @FILE"
                        .to_owned(),
                ));
            }
            query.push(format!("settings={text}"));
        }
        Ok(query)
    }

    /// None: nothing of them was typed.
    fn settings(&self, now: Map<String, Value>) -> Result<Option<Value>, CliError> {
        if self.settings.is_none()
            && self.config.is_none()
            && self.secrets.is_empty()
            && self.endpoints.is_empty()
        {
            return Ok(None);
        }
        let typed = self.settings.as_deref().map(read).transpose()?;
        let mut settings = match typed {
            None => now,
            Some(Value::Object(fields)) => fields,
            Some(_) => return Err(CliError::Usage("--settings is a JSON object".to_owned())),
        };
        if let Some(config) = &self.config {
            settings.insert("config".to_owned(), read(config)?);
        }
        for (name, secret) in pairs(&self.secrets, "--secret NAME=SECRET")? {
            put(&mut settings, "secrets", name, Value::from(secret))?;
        }
        for (host, url) in pairs(&self.endpoints, "--endpoint HOST=URL")? {
            put(&mut settings, "endpoints", host, json!({ "url": url }))?;
        }
        Ok(Some(Value::Object(settings)))
    }
}

fn read(text: &str) -> Result<Value, CliError> {
    match text.strip_prefix('@') {
        Some(path) => read_json(Path::new(path)),
        None => serde_json::from_str(text)
            .map_err(|error| CliError::Usage(format!("\"{text}\" is not JSON: {error}"))),
    }
}

fn pairs<'a>(typed: &'a [String], form: &str) -> Result<Vec<(&'a str, &'a str)>, CliError> {
    let split = |text: &'a String| {
        text.split_once('=').ok_or_else(|| CliError::Usage(format!("\"{text}\" is not written as {form}")))
    };
    typed.iter().map(split).collect()
}

fn put(settings: &mut Map<String, Value>, key: &str, name: &str, value: Value) -> Result<(), CliError> {
    let group = settings.entry(key).or_insert_with(|| json!({}));
    let group = group.as_object_mut();
    let group =
        group.ok_or_else(|| CliError::Usage(format!("\"{key}\" of the settings is a JSON object")))?;
    group.insert(name.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(settings: Option<&str>, secrets: &[&str]) -> ConsentArgs {
        ConsentArgs {
            allow_hosts: vec!["https://azurecr.io".to_owned()],
            settings: settings.map(str::to_owned),
            config: Some("{\"a\":1}".to_owned()),
            secrets: secrets.iter().map(|text| (*text).to_owned()).collect(),
            endpoints: vec!["azurecr.io=http://127.0.0.1:5000".to_owned()],
        }
    }

    #[test]
    fn flags_are_laid_over_the_settings() {
        let typed = args(Some(r#"{"config":{"b":2},"secrets":{"A":"B"}}"#), &["TOKEN=MY_TOKEN"]);
        let expected = json!({
            "allow_hosts": ["https://azurecr.io"],
            "settings": {
                "config": { "a": 1 },
                "secrets": { "A": "B", "TOKEN": "MY_TOKEN" },
                "endpoints": { "azurecr.io": { "url": "http://127.0.0.1:5000" } },
            },
        });
        assert_eq!(typed.body(Some(&json!({ "key_prefix": "lost" }))).unwrap(), expected);
    }

    #[test]
    fn an_option_leaves_the_settings_that_it_does_not_speak_of() {
        let now = json!({ "key_prefix": "kept", "secrets": { "A": "B" }, "config": { "b": 2 } });
        let body = args(None, &["TOKEN=MY_TOKEN"]).body(Some(&now)).unwrap();
        let expected = json!({
            "key_prefix": "kept",
            "config": { "a": 1 },
            "secrets": { "A": "B", "TOKEN": "MY_TOKEN" },
            "endpoints": { "azurecr.io": { "url": "http://127.0.0.1:5000" } },
        });
        assert_eq!(body["settings"], expected);
        let hosts = ConsentArgs { config: None, endpoints: Vec::new(), ..args(None, &[]) };
        assert_eq!(hosts.body(Some(&now)).unwrap().get("settings"), None, "the host keeps what it has");
    }

    #[test]
    fn what_is_not_written_as_a_pair_or_as_json_is_told() {
        let told = |typed: ConsentArgs| typed.query().unwrap_err().to_string();
        assert!(told(args(None, &["TOKEN"])).contains("\"TOKEN\" is not written as --secret NAME=SECRET"));
        assert!(told(args(Some("{"), &[])).contains("is not JSON"));
        assert!(told(args(Some("{\"secrets\":1}"), &["A=B"])).contains("\"secrets\" of the settings"));
    }
}
