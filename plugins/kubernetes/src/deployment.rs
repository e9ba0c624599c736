//! `deploy-to-kubernetes`: server-side apply of a Deployment, and the wait for its rollout.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use quantum_sdk::prelude::*;

use crate::api::Cluster;
use crate::manifest;
use crate::object::Deployment;
use crate::rollout;
use crate::settings::Settings;
use crate::target::Target;
use crate::value::{Scalar, Variable};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployToKubernetes {
    /// Where the Deployment is; the namespace must exist.
    pub namespace: String,
    /// The Deployment's name. An installation mostly has a default for it, such as `${ intent.name }`.
    pub name: String,
    /// What is run, best with its digest. An installation mostly has a default for it, such as
    /// `${ steps['push-to-registry'].output.reference }`.
    pub image: String,
    /// How many pods. When it is not said, a new Deployment has 1, and an autoscaler may own the number.
    #[serde(default)]
    pub replicas: Option<u32>,
    /// The TCP port that the container listens on.
    #[serde(default)]
    pub container_port: Option<NonZeroU16>,
    /// Environment variables: a value, or `{ "secret": NAME, "key": KEY }` or `{ "config_map": NAME, "key": KEY }` of
    /// the cluster.
    #[serde(default)]
    pub env: BTreeMap<String, Variable>,
    /// Labels of the Deployment and of its pods.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What the container asks for and what it gets at most.
    #[serde(default)]
    pub resources: Option<Resources>,
    /// Seconds that the rollout may take, within the step's time; 0 does not wait.
    #[serde(default = "rollout::wait_seconds")]
    pub wait: u64,
    /// Takes fields over that other managers own.
    #[serde(default)]
    pub force: bool,
}

/// Kubernetes' quantities by name, for example `{ "cpu": "250m", "memory": "128Mi" }`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// What a node must have free.
    #[serde(default)]
    pub requests: BTreeMap<String, Scalar>,
    /// What is not exceeded.
    #[serde(default)]
    pub limits: BTreeMap<String, Scalar>,
}

#[derive(Serialize, JsonSchema)]
pub struct Deployed {
    namespace: String,
    name: String,
    image: String,
    /// How many pods are wanted.
    replicas: u32,
    /// Counts changes of what is wanted.
    generation: u64,
    /// Counts changes of the pods' template; null until the cluster has counted.
    revision: Option<u64>,
    ready_replicas: u32,
    /// Where it can be reached, when the installation's `base_url` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// Deploys an image to Kubernetes and waits until it runs.
///
/// Applies a Deployment by server-side apply, so that only the given fields change and those of other managers are
/// found as conflicts; then waits for the rollout. A dry run lets the cluster check it and changes nothing.
#[action(
    idempotent,
    reversible,
    dry_run,
    http = slot("cluster"),
    secrets("KUBERNETES_TOKEN"),
    clock
)]
pub fn deploy_to_kubernetes(ctx: &Context, p: DeployToKubernetes) -> Result<Deployed> {
    let settings = Settings::of(ctx)?;
    let target = Target::new(p.namespace.clone(), p.name.clone())?;
    let url = settings.url(&target)?;
    check_image(&p.image)?;
    let fields = manifest::deployment(&p, &target, &settings)?;
    let cluster = Cluster::new(ctx, &settings)?;
    ctx.progress(0, &format!("applying {}", target.describe()));
    let applied: Deployment = cluster.apply(&path(ctx, &p, &target, &settings), &fields)?;
    tell(ctx, &applied, settings.container(&target));
    let seen = if ctx.dry_run() { applied } else { rollout::wait(&cluster, &target, applied, p.wait)? };
    Ok(Deployed {
        namespace: target.namespace,
        name: target.name,
        image: p.image,
        replicas: seen.spec.wanted(),
        generation: seen.metadata.generation,
        revision: seen.metadata.revision(),
        ready_replicas: seen.status.ready_replicas,
        url,
    })
}

fn check_image(image: &str) -> Result<()> {
    if !image.is_empty() && !image.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    let message = format!(
        "image: \"{image}\" is no reference of an image: write REGISTRY/REPOSITORY:TAG or …@sha256:DIGEST"
    );
    Err(Failure::permanent("invalid-parameters", message))
}

fn path(ctx: &Context, p: &DeployToKubernetes, target: &Target, settings: &Settings) -> String {
    let (path, manager, force) = (target.deployment(), &settings.field_manager, p.force);
    let dry_run = if ctx.dry_run() { "&dryRun=All" } else { "" };
    format!("{path}?fieldManager={manager}&force={force}{dry_run}")
}

/// Apply finds containers by name: under another name than before, the image runs beside the old one.
fn tell(ctx: &Context, applied: &Deployment, container: &str) {
    let (name, generation) = (&applied.metadata.name, &applied.metadata.generation);
    ctx.log().info("applied", &[("name", name), ("generation", generation)]);
    let containers = applied.spec.template.spec.containers.iter().map(|c| c.name.as_str());
    let others: Vec<&str> = containers.filter(|name| *name != container).collect();
    if !others.is_empty() {
        ctx.log().warn("the pods have containers of other managers too", &[("containers", &others)]);
    }
}
