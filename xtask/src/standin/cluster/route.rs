//! From a request to what answers it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deployment::fits;
use super::path::{Place, Target, parse};
use super::selector::Selector;
use super::status::{Status, bad_request, media_type, no_deployment, no_resource, not_allowed};
use super::world::{World, Written};
use super::{State, access, apply, controller, replica_set, update, watch};
use crate::http::{Received, Reply};

pub fn answer(state: &Arc<State>, request: &Received) -> Result<Reply, Status> {
    let user = access::user(&state.users, request)?;
    let place = parse(&request.segments()).ok_or_else(no_resource)?;
    access::check(user, request, &place)?;
    let watches = request.query("watch").is_some_and(|watch| watch == "true" || watch == "1");
    match (request.method.as_str(), &place) {
        ("GET", Place::Deployments(namespace)) if watches => watch::start(state, request, namespace),
        ("GET", Place::Deployments(namespace)) => {
            let world = state.world();
            list(request, "DeploymentList", &world, world.deployments(namespace).cloned())
        }
        ("GET", Place::ReplicaSets(namespace)) => {
            let world = state.world();
            list(request, "ReplicaSetList", &world, world.replica_sets(namespace).into_iter().cloned())
        }
        ("GET", Place::Pods(namespace)) => pods(state, request, namespace),
        ("GET", Place::Deployment(target)) => get(state, target),
        ("PATCH" | "PUT", Place::Deployment(target)) => write(state, request, target),
        _ => Err(not_allowed()),
    }
}

/// The object as it is; then the controller goes on.
fn get(state: &State, target: &Target) -> Result<Reply, Status> {
    let mut world = state.world();
    let object = world.deployment(&target.namespace, &target.name).cloned();
    let object = object.ok_or_else(|| no_deployment(target))?;
    if controller::step(&mut world, target, &state.pull) {
        state.changed.notify_all();
    }
    Ok(Reply::json(200, &object))
}

fn write(state: &State, request: &Received, target: &Target) -> Result<Reply, Status> {
    let given = request.header("content-type").unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    let change = match (request.method.as_str(), given) {
        ("PATCH", "application/apply-patch+yaml") => apply::apply,
        ("PATCH", "application/merge-patch+json") => update::merge,
        ("PUT", "application/json") => update::replace,
        _ => return Err(media_type(given)),
    };
    // JSON is YAML; this cluster reads no other YAML.
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| bad_request(format!("the object provided is unrecognized: {error}")))?;
    let mut world = state.world();
    let Written { created, object } = change(&mut world, target, request, &body)?;
    state.changed.notify_all();
    Ok(Reply::json(if created { 201 } else { 200 }, &object))
}

fn pods(state: &State, request: &Received, namespace: &str) -> Result<Reply, Status> {
    let world = state.world();
    let pods = world.replica_sets(namespace).into_iter().flat_map(|set| {
        let waits = controller::waits(set, &state.pull);
        replica_set::pods(set, &waits)
    });
    list(request, "PodList", &world, pods)
}

fn list(
    request: &Received,
    kind: &str,
    world: &World,
    objects: impl Iterator<Item = Value>,
) -> Result<Reply, Status> {
    let labels = Selector::parse(request.query("labelSelector").unwrap_or_default())?;
    let fields = Selector::parse(request.query("fieldSelector").unwrap_or_default())?;
    let name = fields.name()?;
    let limit = request.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    let items: Vec<Value> = objects.filter(|object| fits(object, &labels, name)).take(limit).collect();
    let api_version = if kind == "PodList" { "v1" } else { "apps/v1" };
    let metadata = json!({ "resourceVersion": world.version().to_string() });
    Ok(Reply::json(
        200,
        &json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items }),
    ))
}
