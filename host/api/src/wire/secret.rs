//! Secrets: written with their value, read without it.

use std::fmt;

use quantum_catalog::{Reach, SecretInfo};
use quantum_core::manifest::HostPattern;
use quantum_core::problem::Finding;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Environment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes;
use crate::problem::Problem;

/// A value, where it may be used, and where requests may carry it to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "value": "…", "environments": ["production"], "hosts": ["https://azurecr.io"]
}))]
pub(crate) struct SecretRequest {
    /// 1 byte to 64 KiB. No answer ever holds it.
    pub value: String,
    /// development, test, staging, production: one secret is stored for each.
    pub environments: Vec<String>,
    /// Patterns of hosts that requests may carry the value to.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// True: no request may carry it anywhere, it is for plugins that may see the value. `hosts` is empty then.
    #[serde(default)]
    pub reveal_only: bool,
    /// When it is of no use any more. Nothing given: it does not expire.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// The value is nobody's business.
impl fmt::Debug for SecretRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretRequest").field("environments", &self.environments).finish_non_exhaustive()
    }
}

/// A secret without its value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Secret)]
pub(crate) struct SecretBody {
    pub name: String,
    pub environment: &'static str,
    /// Where requests may carry it to. Empty: nowhere, it is for plugins that may see the value.
    pub hosts: Vec<String>,
    /// From 1; grows with each value.
    pub version: u64,
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    pub created_by: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
    pub updated_by: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretPage {
    pub items: Vec<SecretBody>,
    pub next_page_token: Option<String>,
}

impl SecretRequest {
    /// Each once, at least one.
    pub fn environments(&self) -> Result<Vec<Environment>, Problem> {
        let mut read = Vec::new();
        for (at, word) in self.environments.iter().enumerate() {
            let known = || format!("\"{word}\" is not one of: {}", words());
            let environment =
                Environment::parse(word).ok_or_else(|| refused(format!("/environments/{at}"), known()))?;
            if !read.contains(&environment) {
                read.push(environment);
            }
        }
        if read.is_empty() {
            let message = format!("it names no environment; there are: {}", words());
            return Err(refused("/environments".to_owned(), message));
        }
        Ok(read)
    }

    pub fn reach(&self) -> Result<Reach, Problem> {
        match (self.reveal_only, self.hosts.as_slice()) {
            (true, []) => Ok(Reach::Reveal),
            (true, _) => {
                let message = "a secret that no request may carry has no hosts".to_owned();
                Err(refused("/hosts".to_owned(), message))
            }
            (false, hosts) => {
                hosts.iter().enumerate().map(read_host).collect::<Result<_, _>>().map(Reach::Hosts)
            }
        }
    }

    pub fn expires_at(&self) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = &self.expires_at else { return Ok(None) };
        let message = || format!("\"{text}\" is not a time such as 2027-01-01T00:00:00Z");
        Timestamp::parse(text).map(Some).ok_or_else(|| refused("/expires_at".to_owned(), message()))
    }
}

fn read_host((at, text): (usize, &String)) -> Result<HostPattern, Problem> {
    HostPattern::parse(text).map_err(|error| refused(format!("/hosts/{at}"), error.to_string()))
}

fn words() -> String {
    Environment::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ")
}

fn refused(pointer: String, message: String) -> Problem {
    let finding = Finding::error(pointer, codes::INVALID_SECRET.code, message.clone());
    Problem::new(&codes::INVALID_SECRET).detail(message).finding(finding)
}

impl From<SecretInfo> for SecretBody {
    fn from(secret: SecretInfo) -> Self {
        Self {
            name: secret.name,
            environment: secret.environment.as_str(),
            hosts: secret.hosts.iter().map(ToString::to_string).collect(),
            version: secret.version,
            expires_at: secret.expires_at.map(|at| at.to_string()),
            created_at: secret.created_at.to_string(),
            created_by: secret.created_by.to_string(),
            updated_at: secret.updated_at.to_string(),
            updated_by: secret.updated_by.to_string(),
        }
    }
}
