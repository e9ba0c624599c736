//! `rollback-deployment`: an earlier revision's template put back, and the wait for its rollout.

use std::time::Duration;

use quantum_sdk::prelude::*;
use serde_json::{Value, json};

use crate::api::Cluster;
use crate::object::{Deployment, List, ReplicaSet, read};
use crate::ownership::handed_over;
use crate::revision;
use crate::rollout;
use crate::settings::Settings;
use crate::status::{CONFLICT, not_kubernetes};
use crate::target::Target;

/// On the Deployment: which step rolled it back last. Another attempt of that step finds its work done, and does not go
/// back once more.
const ROLLED_BACK_BY: &str = "quantum.dev/rolled-back-by";
/// How often a change is tried while somebody else changes the same Deployment.
const TRIES_MAX: u32 = 5;
/// Milliseconds between these tries.
const TRY_AGAIN_MS: u64 = 250;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackDeployment {
    /// Where the Deployment is.
    namespace: String,
    /// The Deployment's name. An installation mostly has a default for it, such as `${ intent.name }`.
    name: String,
    /// The revision to go back to; by default the previous one.
    #[serde(default)]
    to_revision: Option<u64>,
    /// Seconds that the rollout may take, within the step's time; 0 does not wait.
    #[serde(default = "rollout::wait_seconds")]
    wait: u64,
}

#[derive(Serialize, JsonSchema)]
pub struct RolledBack {
    namespace: String,
    name: String,
    /// What the Deployment is at now: a template that is put back gets a new number. Null until the cluster has counted.
    revision: Option<u64>,
    image: String,
}

/// Puts an earlier revision of a Deployment back and waits until it runs.
///
/// A dry run lets the cluster check it and changes nothing.
#[action(idempotent, dry_run, http = slot("cluster"), secrets("KUBERNETES_TOKEN"), clock)]
pub fn rollback_deployment(ctx: &Context, p: RollbackDeployment) -> Result<RolledBack> {
    let settings = Settings::of(ctx)?;
    let target = Target::new(p.namespace, p.name)?;
    let cluster = Cluster::new(ctx, &settings)?;
    let rollback = Rollback { cluster: &cluster, target: &target, settings: &settings };
    let undone = again_on_conflict(ctx, || rollback.undo(p.to_revision))?;
    let seen = if ctx.dry_run() {
        undone
    } else {
        let seen = rollout::wait(&cluster, &target, undone, p.wait);
        if let Err(failure) = again_on_conflict(ctx, || rollback.hand_over()) {
            let reason = failure.to_string();
            ctx.log()
                .warn("the next deployment will find fields owned by this rollback", &[("reason", &reason)]);
        }
        seen?
    };
    let image = seen.spec.template.spec.image(settings.container(&target));
    let revision = seen.metadata.revision();
    Ok(RolledBack { namespace: target.namespace, name: target.name, revision, image })
}

struct Rollback<'a> {
    cluster: &'a Cluster<'a>,
    target: &'a Target,
    settings: &'a Settings,
}

impl Rollback<'_> {
    /// Once: reads, decides, writes. Err: among others the retryable conflict, when somebody wrote in between.
    fn undo(&self, wanted: Option<u64>) -> Result<Deployment> {
        let (cluster, target) = (self.cluster, self.target);
        let object: Value = cluster.get(&target.deployment())?;
        let current: Deployment = read(&object)?;
        let key = cluster.ctx.idempotency_key();
        if current.metadata.annotations.get(ROLLED_BACK_BY) == Some(&key) {
            cluster.ctx.log().info("an earlier attempt rolled it back", &[]);
            return Ok(current);
        }
        if current.spec.paused {
            return Err(rollout::paused(target));
        }
        let sets: List<ReplicaSet> = cluster.get(&target.replica_sets(&current.spec.selector.text()))?;
        let revisions = revision::of(sets.items, &current.metadata.uid);
        let template = object.pointer("/spec/template").unwrap_or(&Value::Null);
        let revision = revision::choose(&revisions, template, wanted, target)?;
        if revision.template == *template {
            cluster.ctx.log().info("it is at this revision already", &[("revision", &revision.number)]);
            return Ok(current);
        }
        let message = format!("going back to revision {}", revision.number);
        cluster.ctx.progress(0, &message);
        let object =
            changed(object, revision.template.clone(), key).ok_or_else(|| not_kubernetes("an odd object"))?;
        let undone = cluster.replace(&self.path(), &object)?;
        cluster.ctx.log().info("rolled back", &[("to_revision", &revision.number)]);
        Ok(undone)
    }

    fn path(&self) -> String {
        let dry_run = if self.cluster.ctx.dry_run() { "&dryRun=All" } else { "" };
        format!("{}?fieldManager={}{dry_run}", self.target.deployment(), self.manager())
    }

    fn manager(&self) -> String {
        format!("{}-rollback", self.settings.field_manager)
    }

    /// Once: gives the fields that the rollback wrote to the manager that applies.
    fn hand_over(&self) -> Result<()> {
        let path = self.target.deployment();
        let object: Value = self.cluster.get(&path)?;
        let applier = &self.settings.field_manager;
        let Some(entries) = handed_over(&object, applier, &self.manager()) else { return Ok(()) };
        let version = read::<Deployment>(&object)?.metadata.resource_version;
        let change = json!({ "metadata": { "resourceVersion": version, "managedFields": entries } });
        self.cluster.merge(&format!("{path}?fieldManager={}", self.manager()), &change)?;
        Ok(())
    }
}

/// The object with this template, and marked as rolled back by this step. None: it is no Deployment.
fn changed(mut object: Value, template: Value, key: String) -> Option<Value> {
    object.get_mut("spec")?.as_object_mut()?.insert("template".to_owned(), template);
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()?;
    annotations.insert(ROLLED_BACK_BY.to_owned(), key.into());
    Some(object)
}

/// Controllers write the status of a Deployment all the time, so a conflict is no surprise.
fn again_on_conflict<T>(ctx: &Context, mut change: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..TRIES_MAX {
        match change() {
            Err(failure) if failure.problem().is_some_and(|problem| problem.code == CONFLICT) => {
                ctx.sleep(Duration::from_millis(TRY_AGAIN_MS))?;
            }
            outcome => return outcome,
        }
    }
    change()
}
