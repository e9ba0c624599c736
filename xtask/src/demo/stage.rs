//! What stands around the tutorial's pipelines: a registry, a cluster, and the installer's settings for both.

use super::client::Client;
use super::service::Service;
use crate::error::Result;
use crate::standin::{Account, Cluster, ClusterOptions, ClusterUser, Registry};

/// The registry as documents call it.
pub const REGISTRY: &str = "azurecr.io";
/// The cluster's API as the settings call it.
const CLUSTER: &str = "cluster.example:6443";
/// Where the deployed application answers, as the settings call it.
const APPLICATION: &str = "myapp.example";
const NAMESPACE: &str = "production";

pub struct Stage {
    pub registry: Registry,
    pub cluster: Cluster,
    pub account: Account,
    token: String,
}

impl Stage {
    /// With a new password and a new token.
    pub fn start() -> Result<Self> {
        let secret = || format!("demo-{:032x}", fastrand::u128(..));
        let (account, token) = (Account { user: "ci".to_owned(), password: secret() }, secret());
        let registry = Registry::start(account.clone())?;
        let cluster = Cluster::start(cluster_options(&token, &registry))?;
        Ok(Self { registry, cluster, account, token })
    }

    /// Secrets, each bound to one environment and one host; then what each plugin may call, and its settings.
    pub fn set(&self, client: &Client, service: &Service) -> Result<()> {
        let secrets = [
            ("REGISTRY_PASSWORD", &self.account.password, REGISTRY),
            ("KUBERNETES_TOKEN", &self.token, CLUSTER),
        ];
        for (name, value, host) in secrets {
            let host = format!("https://{host}");
            let arguments = ["secret", "set", name, "--environment", NAMESPACE, "--host", &host];
            client.quantum_with(&arguments, value)?;
        }
        let plugins = [
            ("oci", REGISTRY, self.registry.url()),
            ("kubernetes", CLUSTER, self.cluster.url()),
            ("http", APPLICATION, service.url()),
        ];
        for (plugin, host, url) in plugins {
            configure(client, plugin, host, &url)?;
        }
        Ok(())
    }

    /// What must be found nowhere: the values, and what basic authentication makes of the password.
    pub fn secrets(&self) -> [String; 3] {
        let Account { user, password } = &self.account;
        [password.clone(), self.token.clone(), crate::standin::basic(user, password)]
    }
}

fn configure(client: &Client, plugin: &str, host: &str, url: &str) -> Result<()> {
    let id = format!("quantum:{plugin}");
    let allowed = format!("https://{host}");
    let settings = format!("@docs/examples/settings/{plugin}.json");
    let endpoint = format!("{host}={url}");
    let mut arguments = vec!["plugin", "configure", &id, "--allow-host", &allowed];
    if plugin == "http" {
        // The demo's other intents name the service by its address.
        arguments.extend(["--allow-host", "http://127.0.0.1:*"]);
    }
    arguments.extend(["--settings", &settings, "--endpoint", &endpoint]);
    client.quantum(&arguments).map(drop)
}

/// The nodes can pull what the registry really has. Images without a registry in their names are there already.
fn cluster_options(token: &str, registry: &Registry) -> ClusterOptions {
    let user = ClusterUser {
        name: format!("system:serviceaccount:{NAMESPACE}:quantum"),
        token: token.to_owned(),
        namespaces: vec![NAMESPACE.to_owned()],
    };
    let view = registry.view();
    let pull = move |image: &str| {
        let Some(path) = image.strip_prefix(REGISTRY).and_then(|rest| rest.strip_prefix('/')) else {
            return Ok(());
        };
        let (repository, reference) =
            path.split_once(['@']).or_else(|| path.split_once(':')).unwrap_or((path, "latest"));
        if view.has(repository, reference) { Ok(()) } else { Err("not found".to_owned()) }
    };
    ClusterOptions { namespaces: vec![NAMESPACE.to_owned()], users: vec![user], pull: Box::new(pull) }
}
