//! The tutorial's own intents: build, push, deploy, verify; documents as they are written there, all else from settings.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::client::Client;
use super::service::Service;
use super::stage::{REGISTRY, Stage};
use super::{events, heading, image};
use crate::error::{Error, Result};

const NAMESPACE: &str = "production";

/// Both intents, and what they left behind.
pub fn pipeline(client: &Client, service: &Service) -> Result<()> {
    let stage = Stage::start()?;
    heading("The tutorial's pipeline: files, secrets, and settings first");
    println!("a registry is at {}, a cluster's API at {}", stage.registry.url(), stage.cluster.url());
    client.quantum(&["artifact", "put", "./app", "docs/examples/app"])?;
    stage.set(client, service)?;
    web_app(client, &stage)?;
    application(client, &stage)
}

/// `deploy-web-app`: build, push, deploy.
fn web_app(client: &Client, stage: &Stage) -> Result<()> {
    heading("deploy-web-app: build an image, push it, deploy it");
    let execution = run(client, "deploy-web-app")?;
    heading("What the cluster holds, and what the registry has");
    let deployment = deployed(stage, "deploy-web-app", 3)?;
    println!("{:#}", shown(deployment.clone()));
    let image = image::pull(&stage.registry.url(), &stage.account, "myapp", "latest")?;
    println!("{:#}", image.manifest);
    let reference = format!("{REGISTRY}/myapp@{}", image.digest);
    expect("the image that was pushed", &reference, container_image(&deployment))?;
    println!("the manifest is {}, and the Deployment runs these bytes", image.digest);
    for (digest, size) in &image.blobs {
        println!("  {digest}  {size} bytes, as the digest says");
    }
    heading("No secret is in what was written");
    no_secret(client, stage, &execution)
}

/// `deploy-application`: build, deploy, verify.
fn application(client: &Client, stage: &Stage) -> Result<()> {
    heading("deploy-application: build an image, deploy it, check its health");
    let execution = run(client, "deploy-application")?;
    let deployment = deployed(stage, "deploy-application", 1)?;
    expect("the image that was built", "myapp:1.2.3", container_image(&deployment))?;
    client.quantum(&["execution", "show", &execution])?;
    no_secret(client, stage, &execution)
}

/// Applies the example and follows its execution to the end.
fn run(client: &Client, intent: &str) -> Result<String> {
    client.quantum(&["intent", "apply", &format!("docs/examples/{intent}.json")])?;
    let text = client.quantum(&["run", intent, "--follow"])?;
    let execution = events::execution_id(&text)?;
    events::check(&client.events(&execution)?, "execution_completed")?;
    Ok(execution)
}

/// The Deployment, which must be rolled out.
fn deployed(stage: &Stage, name: &str, replicas: u64) -> Result<Value> {
    let found = stage.cluster.deployment(NAMESPACE, name);
    let deployment =
        found.ok_or_else(|| Error::demo(format!("the Deployment {name}"), "the cluster has none"))?;
    let available = deployment.pointer("/status/availableReplicas").and_then(Value::as_u64).unwrap_or(0);
    expect("replicas that are available", &replicas.to_string(), &available.to_string())?;
    Ok(deployment)
}

/// For people: without who owns which field.
fn shown(mut deployment: Value) -> Value {
    let metadata = deployment.get_mut("metadata").and_then(Value::as_object_mut);
    metadata.map(|metadata| metadata.remove("managedFields"));
    deployment
}

fn container_image(deployment: &Value) -> &str {
    let image = deployment.pointer("/spec/template/spec/containers/0/image");
    image.and_then(Value::as_str).unwrap_or_default()
}

fn expect(what: &str, expected: &str, found: &str) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::demo(format!("{what} to be {expected}"), format!("it is {found}")))
}

/// Not in the events, not in the lines of steps, not in the host's log or its database.
fn no_secret(client: &Client, stage: &Stage, execution: &str) -> Result<()> {
    let secrets = stage.secrets();
    let holds = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        secrets.iter().any(|secret| text.contains(secret))
    };
    for part in ["events", "logs?limit=200"] {
        let path = format!("/api/v1/executions/{execution}/{part}");
        if holds(&client.get(&path)?.body) {
            return Err(Error::demo("no secret in what the API shows", format!("{path} has one")));
        }
    }
    let mut files = 0;
    for path in files_below(client.data_dir())? {
        if holds(&std::fs::read(&path).map_err(Error::file(&path))?) {
            return Err(Error::demo("no secret in any file", format!("{} has one", path.display())));
        }
        files += 1;
    }
    println!(
        "events, log lines, and the {files} files of the data directory hold neither password nor token"
    );
    Ok(())
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::file(&folder))? {
            let path = entry.map_err(Error::file(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}
