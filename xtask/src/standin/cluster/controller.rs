//! The Deployment controller: what is wanted becomes so, step by step. A step is made when somebody looks, so a rollout
//! takes as many looks as it has steps, and no time.

use serde_json::{Value, json};

use super::Pull;
use super::deployment::images;
use super::fields::flatten;
use super::managers::Managers;
use super::objects::{now, number, set, text};
use super::path::Target;
use super::replica_set::{self, pods_of, ready_of};
use super::world::World;

const STUCK: &str = "ProgressDeadlineExceeded";

/// Makes the next step of a rollout. False: there is nothing to do.
pub fn step(world: &mut World, target: &Target, pull: &Pull) -> bool {
    let Some(mut deployment) = world.deployment(&target.namespace, &target.name).cloned() else {
        return false;
    };
    let mut sets = world.replica_sets_of(target);
    if !advance(&mut deployment, &mut sets, pull) {
        return false;
    }
    let mut managers = Managers::of(&deployment);
    let written = json!({ "status": deployment.get("status") });
    managers.replace_controller(flatten(&written).into_keys().collect(), &now());
    managers.write(&mut deployment);
    world.set_replica_sets(target, sets);
    world.store(target, deployment);
    true
}

/// Why pods of this template wait: the image cannot be had, or nothing is wrong.
pub fn waits(object: &Value, pull: &Pull) -> (&'static str, String) {
    match missing(object, pull) {
        Some(message) => ("ImagePullBackOff", message),
        None => ("ContainerCreating", String::new()),
    }
}

fn missing(object: &Value, pull: &Pull) -> Option<String> {
    let failed =
        |image: &str| pull(image).err().map(|why| format!("Back-off pulling image \"{image}\": {why}"));
    images(object).into_iter().find_map(failed)
}

fn advance(deployment: &mut Value, sets: &mut Vec<Value>, pull: &Pull) -> bool {
    if number(deployment, "/status/observedGeneration") < number(deployment, "/metadata/generation") {
        observe(deployment, sets);
        return true;
    }
    let paused = deployment.pointer("/spec/paused") == Some(&json!(true));
    if paused || is_stuck(deployment) {
        return false;
    }
    let wanted = number(deployment, "/spec/replicas");
    let Some(current) = sets.iter_mut().find(|set| replica_set::is_of_template(set, deployment)) else {
        return false;
    };
    let (pods, ready) = (pods_of(current), ready_of(current));
    let mut stuck = None;
    if pods != wanted {
        replica_set::scale(current, wanted, ready.min(wanted));
    } else if ready < wanted {
        stuck = missing(deployment, pull).map(|_| text(current, "/metadata/name").to_owned());
        replica_set::scale(current, wanted, if stuck.is_some() { ready } else { ready + 1 });
    } else if !retire(deployment, sets) {
        return false;
    }
    tell(deployment, sets, stuck);
    true
}

/// Takes the pods of earlier templates away. False: there are none.
fn retire(deployment: &Value, sets: &mut [Value]) -> bool {
    let old = sets.iter_mut().filter(|set| !replica_set::is_of_template(set, deployment) && pods_of(set) > 0);
    old.map(|set| replica_set::scale(set, 0, 0)).count() > 0
}

/// Sees what is wanted now: its template gets a ReplicaSet and the next revision, unless it has them.
fn observe(deployment: &mut Value, sets: &mut Vec<Value>) {
    let newest = sets.iter().map(replica_set::revision).max().unwrap_or(0);
    let known = sets.iter_mut().find(|set| replica_set::is_of_template(set, deployment));
    let revision = match known {
        Some(set) if replica_set::revision(set) == newest => newest,
        Some(set) => {
            replica_set::set_revision(set, newest + 1);
            newest + 1
        }
        None => {
            sets.push(replica_set::of(deployment, newest + 1));
            newest + 1
        }
    };
    replica_set::set_revision(deployment, revision);
    let generation = number(deployment, "/metadata/generation");
    set(deployment, "/status", "observedGeneration", json!(generation));
    tell(deployment, sets, None);
}

/// Counts and conditions. `stuck`: the ReplicaSet that makes no progress any more.
fn tell(deployment: &mut Value, sets: &[Value], stuck: Option<String>) {
    let sum = |count: fn(&Value) -> u64| sets.iter().map(count).sum::<u64>();
    let (all, ready) = (sum(pods_of), sum(ready_of));
    let current = sets.iter().find(|set| replica_set::is_of_template(set, deployment));
    let updated = current.map_or(0, pods_of);
    let wanted = number(deployment, "/spec/replicas");
    let name = current.map(|set| text(set, "/metadata/name")).unwrap_or_default();
    let done = updated == wanted && all == wanted && ready == wanted;
    let progressing = match (&stuck, done) {
        (Some(set), _) => ("False", STUCK, format!("ReplicaSet \"{set}\" has timed out progressing.")),
        (None, true) => {
            ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{name}\" has successfully progressed."))
        }
        (None, false) => ("True", "ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing.")),
    };
    // A quarter of them, rounded down, may be away.
    let available = match ready + wanted / 4 >= wanted {
        true => ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.".to_owned()),
        false => (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.".to_owned(),
        ),
    };
    let conditions =
        [condition(deployment, "Available", available), condition(deployment, "Progressing", progressing)];
    let observed = number(deployment, "/status/observedGeneration");
    set(
        deployment,
        "",
        "status",
        json!({
            "observedGeneration": observed, "replicas": all, "updatedReplicas": updated, "readyReplicas": ready,
            "availableReplicas": ready, "unavailableReplicas": all.max(wanted) - ready, "conditions": conditions,
        }),
    );
}

/// The time of its last transition stays as long as its status does.
fn condition(deployment: &Value, kind: &str, (status, reason, message): (&str, &str, String)) -> Value {
    let now = now();
    let known = deployment.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let same = known.into_iter().find(|c| text(c, "/type") == kind && text(c, "/status") == status);
    let since = same.map_or(now.as_str(), |condition| text(condition, "/lastTransitionTime"));
    json!({
        "type": kind, "status": status, "lastUpdateTime": now, "lastTransitionTime": since, "reason": reason,
        "message": message,
    })
}

fn is_stuck(deployment: &Value) -> bool {
    let conditions = deployment.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| text(condition, "/reason") == STUCK)
}
