//! What an installation may say: which cluster, how to be let in, and what every Deployment there has.

use quantum_sdk::prelude::*;

use crate::target::Target;

/// The service that every pod finds the API server under.
const IN_CLUSTER: &str = "https://kubernetes.default.svc";
/// Bytes of a field manager's name. The API server takes 128; what rolls back adds to it.
const MANAGER_BYTES_MAX: usize = 100;

/// The installation's configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The API server, with a path when it is behind a proxy, for example `https://cluster.example:6443`.
    pub server: String,
    /// How the cluster knows who asks.
    pub auth: Auth,
    /// Who owns the applied fields, as the cluster records it.
    pub field_manager: String,
    /// Name of the container that gets the image; by default the Deployment's name.
    pub container_name: Option<String>,
    /// Names of the cluster's secrets that images are pulled with.
    pub image_pull_secrets: Vec<String>,
    /// Label whose value, the Deployment's name, selects its pods. It cannot change once a Deployment exists.
    pub selector_label: String,
    /// Where a Deployment can be reached, for the output `url`; `{name}` and `{namespace}` are filled in, for example
    /// `https://{name}.{namespace}.example.com`.
    pub base_url: Option<String>,
}

/// How the cluster knows who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// The secret `KUBERNETES_TOKEN` as bearer token.
    Token,
    /// It does not ask: a proxy in front of it does.
    None,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: IN_CLUSTER.to_owned(),
            auth: Auth::Token,
            field_manager: "quantum".to_owned(),
            container_name: None,
            image_pull_secrets: Vec::new(),
            selector_label: "app.kubernetes.io/name".to_owned(),
            base_url: None,
        }
    }
}

impl Settings {
    /// Err: permanent, `invalid-config`, with what would be right.
    pub fn of(ctx: &Context) -> Result<Self> {
        let mut settings: Self = ctx.config()?;
        if !settings.server.starts_with("https://") && !settings.server.starts_with("http://") {
            let reason = "is no URL: write https://HOST:PORT of the API server";
            return Err(invalid("server", &settings.server, reason));
        }
        settings.server.truncate(settings.server.trim_end_matches('/').len());
        let manager = &settings.field_manager;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if manager.is_empty() || manager.len() > MANAGER_BYTES_MAX || !manager.bytes().all(plain) {
            let reason = "is no name of a field manager: 1 to 100 of a-z, A-Z, 0-9, '.', '_' and '-'";
            return Err(invalid("field_manager", manager, reason));
        }
        if settings.selector_label.is_empty() {
            return Err(invalid("selector_label", "", "is empty: name the label that selects the pods"));
        }
        Ok(settings)
    }

    /// The container that gets the image.
    pub fn container<'a>(&'a self, target: &'a Target) -> &'a str {
        self.container_name.as_deref().unwrap_or(&target.name)
    }

    /// Where the Deployment can be reached, when the installation says so.
    pub fn url(&self, target: &Target) -> Result<Option<String>> {
        let Some(template) = &self.base_url else { return Ok(None) };
        let url = template.replace("{name}", &target.name).replace("{namespace}", &target.namespace);
        if url.contains(['{', '}']) {
            let reason = "has a placeholder that is not known: {name} and {namespace} are";
            return Err(invalid("base_url", template, reason));
        }
        Ok(Some(url))
    }
}

fn invalid(key: &str, value: &str, reason: &str) -> Failure {
    let message = format!("the installation's configuration does not fit: {key}: \"{value}\" {reason}");
    Failure::permanent("invalid-config", message)
}
