//! A host with the plugins of the pipeline, between a real registry and a cluster's API.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xtask::standin::{Cluster, ClusterOptions, ClusterUser, basic};

use super::registry::{self, PASSWORD, Registry, USER};
use crate::client::Client;
use crate::home::{Home, Host, TENANT};

pub const NAMESPACE: &str = "production";
pub const TOKEN: &str = "pipeline-cluster-token";
const LOOPBACK: &str = "[egress]\nallow_cidrs = [\"127.0.0.0/8\"]";

pub struct Stage {
    pub registry: Registry,
    pub cluster: Cluster,
    pub client: Client,
    pub host: Host,
    pub home: Home,
}

impl Stage {
    /// With the example's files, secrets for production, and the settings of docs/examples. None: there is no registry.
    pub fn start() -> Option<Self> {
        let registry = Registry::start()?;
        let cluster = cluster(&registry);
        let home = Home::with_plugins(&["http", "oci", "kubernetes"], LOOPBACK);
        let host = home.start();
        home.create_tenant(&host, TENANT);
        let client = home.admin(&host);
        let stage = Self { registry, cluster, client, host, home };
        stage.quantum(&["artifact", "put", "./app", example("app").to_str().unwrap()]);
        stage.secret("REGISTRY_PASSWORD", PASSWORD, &["production"], "https://azurecr.io");
        stage.secret("KUBERNETES_TOKEN", TOKEN, &["production"], "https://cluster.example:6443");
        stage.configure("oci", "https://azurecr.io", &format!("azurecr.io={}", stage.registry.url));
        let endpoint = format!("cluster.example:6443={}", stage.cluster.url());
        stage.configure("kubernetes", "https://cluster.example:6443", &endpoint);
        Some(stage)
    }

    /// A command that must succeed.
    #[track_caller]
    pub fn quantum(&self, arguments: &[&str]) -> String {
        self.home.run(Some(&self.host), arguments).ok()
    }

    #[track_caller]
    pub fn secret(&self, name: &str, value: &str, environments: &[&str], host: &str) {
        let mut arguments = vec!["secret", "set", name, "--host", host];
        arguments.extend(environments.iter().flat_map(|environment| ["--environment", environment]));
        self.home.run_with(Some(&self.host), &arguments, value).ok();
    }

    /// With the settings of docs/examples.
    #[track_caller]
    pub fn configure(&self, plugin: &str, host: &str, endpoint: &str) {
        let settings = format!("@{}", example(&format!("settings/{plugin}.json")).display());
        let id = format!("quantum:{plugin}");
        let consent = ["--allow-host", host, "--settings", &settings, "--endpoint", endpoint];
        self.quantum(&[&["plugin", "configure", &id][..], &consent].concat());
    }

    /// Applies an example and gives its name.
    #[track_caller]
    pub fn apply(&self, name: &str) -> String {
        self.quantum(&["intent", "apply", example(&format!("{name}.json")).to_str().unwrap()]);
        name.to_owned()
    }

    /// Runs an intent of these steps once.
    pub async fn steps(&self, name: &str, target: &str, steps: Value) -> Value {
        let id = self.client.intent(name, json!({ "target": target, "steps": steps })).await;
        self.client.run(&id, &json!({})).await
    }

    pub fn deployment(&self, name: &str) -> Value {
        self.cluster.deployment(NAMESPACE, name).unwrap()
    }

    /// Neither what the API and the metrics tell of the execution, nor any file of the host, has one of these values.
    pub async fn has_no_secret(&self, execution: &Value, values: &[&str]) {
        let id = execution["execution_id"].as_str().unwrap();
        let paths = ["", "/events", "/logs?limit=200"].map(|part| format!("/api/v1/executions/{id}{part}"));
        for path in paths.iter().map(String::as_str).chain(["/api/v1/secrets", "/api/v1/installations"]) {
            let text = self.client.get(path).await.is(200).text;
            no_secret(path, text.as_bytes(), values);
        }
        let metrics = self.client.at(&self.host.admin).get("/metrics").await.is(200).text;
        no_secret("/metrics", metrics.as_bytes(), values);
        for path in files_below(&self.home.path("")) {
            no_secret(&path.display().to_string(), &fs::read(&path).unwrap(), values);
        }
    }
}

#[track_caller]
fn no_secret(place: &str, bytes: &[u8], values: &[&str]) {
    let text = String::from_utf8_lossy(bytes);
    for value in values {
        for form in [(*value).to_owned(), basic(USER, value)] {
            assert!(!text.contains(&form), "{place} has the secret {value}");
        }
    }
}

/// A file of docs/examples.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples").join(name).canonicalize().unwrap()
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found
}

/// Its nodes can pull what the registry has. Images without a registry in their names are there already.
fn cluster(registry: &Registry) -> Cluster {
    let user = ClusterUser {
        name: "system:serviceaccount:production:quantum".to_owned(),
        token: TOKEN.to_owned(),
        namespaces: vec![NAMESPACE.to_owned()],
    };
    let url = registry.url.clone();
    let pull = move |image: &str| {
        let Some(path) = image.strip_prefix("azurecr.io/") else { return Ok(()) };
        let (repository, reference) = path.split_once('@').or_else(|| path.split_once(':')).unwrap();
        match registry::get(&url, &format!("/v2/{repository}/manifests/{reference}")).status {
            200 => Ok(()),
            status => Err(format!("the registry answered {status}")),
        }
    };
    let namespaces = vec![NAMESPACE.to_owned()];
    Cluster::start(ClusterOptions { namespaces, users: vec![user], pull: Box::new(pull) }).unwrap()
}
