//! What a case finds when it starts, beside its input: artifacts and secrets of the tenant, values that the plugin kept
//! before, and the installation's settings. Each is a file that may be left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use quantum_core::installation::Settings;
use quantum_core::manifest::HostPattern;
use quantum_core::port::{KeyValueSpace, OpenSecret};
use quantum_core::vocabulary::Environment;
use serde::Deserialize;
use serde_json::Value;

use super::case::Case;
use super::error::Error;
use super::memory::Memory;

/// Read, and `${server}` filled in.
#[derive(Debug, Default)]
pub(super) struct Given {
    artifacts: Vec<GivenArtifact>,
    secrets: BTreeMap<String, String>,
    key_values: BTreeMap<String, Value>,
    /// None: no `settings.json`.
    pub settings: Option<Settings>,
}

#[derive(Debug)]
struct GivenArtifact {
    name: String,
    media_type: Option<String>,
    bytes: Vec<u8>,
}

/// A value of `artifacts.json`: a file of the folder `artifacts`, alone or with its media type.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    File(PathBuf),
    Typed(TypedSource),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedSource {
    file: PathBuf,
    media_type: String,
}

impl Given {
    pub fn read(case: &Case, server: &str) -> Result<Self, Error> {
        let sources: BTreeMap<String, Source> =
            case.read_if_there("artifacts.json", server)?.unwrap_or_default();
        let artifacts: Result<_, _> = sources.into_iter().map(|(name, s)| artifact(case, name, s)).collect();
        Ok(Self {
            artifacts: artifacts?,
            secrets: case.read_if_there("secrets.json", server)?.unwrap_or_default(),
            key_values: case.read_if_there("kv.json", server)?.unwrap_or_default(),
            settings: case.read_if_there("settings.json", server)?,
        })
    }

    /// Puts it where the attempt finds it. `hosts` are those that secrets are bound to.
    pub fn store(
        &self,
        memory: &Memory,
        space: &KeyValueSpace,
        environment: Environment,
        hosts: &[HostPattern],
    ) -> Result<(), String> {
        for GivenArtifact { name, media_type, bytes } in &self.artifacts {
            memory.artifacts.put(&space.tenant, name, media_type.clone(), bytes);
        }
        for (name, value) in &self.secrets {
            memory.secrets.put(&space.tenant, secret(name, value, environment, hosts));
        }
        for (key, value) in &self.key_values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let stored = memory.key_values.put(space, key, text.into_bytes());
            stored.map_err(|error| format!("kv.json: {key}: {error}"))?;
        }
        Ok(())
    }

    /// The hosts that the case's service stands for: itself, and those whose endpoint it is.
    pub fn hosts(&self, environment: Environment, server: &str) -> Result<Vec<HostPattern>, String> {
        if server.is_empty() {
            return Ok(Vec::new());
        }
        let settings = self.settings.as_ref().map(|settings| settings.of(environment)).unwrap_or_default();
        let ours = settings.endpoints.iter().filter(|(_, endpoint)| endpoint.url.as_deref() == Some(server));
        let named = ours.flat_map(|(host, _)| [format!("https://{host}"), format!("http://{host}")]);
        let all = std::iter::once(server.to_owned()).chain(named);
        all.map(|text| HostPattern::parse(&text).map_err(|error| error.to_string())).collect()
    }
}

fn artifact(case: &Case, name: String, source: Source) -> Result<GivenArtifact, Error> {
    let (file, media_type) = match source {
        Source::File(file) => (file, None),
        Source::Typed(TypedSource { file, media_type }) => (file, Some(media_type)),
    };
    let path = case.dir.join("artifacts").join(file);
    let unread = |error: std::io::Error| Error::Case {
        path: path.clone(),
        reason: format!("{error}; artifacts.json names it, for the artifact \"{name}\""),
    };
    let bytes = std::fs::read(&path).map_err(unread)?;
    Ok(GivenArtifact { name, media_type, bytes })
}

fn secret(name: &str, value: &str, environment: Environment, hosts: &[HostPattern]) -> OpenSecret {
    OpenSecret {
        name: name.to_owned(),
        environment,
        value: value.to_owned(),
        hosts: hosts.to_vec(),
        expires_at: None,
    }
}
