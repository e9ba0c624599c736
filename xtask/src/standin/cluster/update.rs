//! Updates that put or merge an object: optimistic concurrency, and fields that change hands.

use serde_json::{Map, Value};

use super::deployment::{check_body, complete, owned_part};
use super::fields::{FieldSet, flatten};
use super::managers::{Managers, Operation};
use super::objects::{now, set, text};
use super::path::Target;
use super::status::{Status, modified, no_deployment};
use super::world::{World, Written};
use crate::http::Received;

/// Fields that no client decides.
const KEPT: &[&str] = &["uid", "creationTimestamp", "generation", "resourceVersion"];
/// Who updates when nothing is said.
const NOBODY: &str = "unknown";

/// `PUT`: a whole object in place of the one that has its version.
pub fn replace(
    world: &mut World,
    target: &Target,
    request: &Received,
    body: &Value,
) -> Result<Written, Status> {
    check_body(body, target)?;
    let live = live(world, target)?;
    write(world, target, request, (live, body.clone()))
}

/// JSON Merge Patch (RFC 7396).
pub fn merge(
    world: &mut World,
    target: &Target,
    request: &Received,
    body: &Value,
) -> Result<Written, Status> {
    let live = live(world, target)?;
    let mut object = live.clone();
    patch(&mut object, body);
    write(world, target, request, (live, object))
}

fn live(world: &World, target: &Target) -> Result<Value, Status> {
    world.deployment(&target.namespace, &target.name).cloned().ok_or_else(|| no_deployment(target))
}

fn write(
    world: &mut World,
    target: &Target,
    request: &Received,
    (live, mut object): (Value, Value),
) -> Result<Written, Status> {
    let version = text(&object, "/metadata/resourceVersion");
    if !version.is_empty() && version != text(&live, "/metadata/resourceVersion") {
        return Err(modified(target));
    }
    for name in KEPT {
        let value = live.get("metadata").and_then(|metadata| metadata.get(*name)).cloned();
        set(&mut object, "/metadata", name, value.unwrap_or_default());
    }
    set(&mut object, "", "status", live.get("status").cloned().unwrap_or_default());
    complete(&mut object, target);
    let manager = request.query("fieldManager").unwrap_or(NOBODY);
    change_hands(&live, &mut object, manager);
    world.write(target, object, request.query("dryRun") == Some("All"))
}

/// What changed is the updater's now, and nobody else's.
fn change_hands(live: &Value, object: &mut Value, manager: &str) {
    let told = object.pointer("/metadata/managedFields").is_some();
    let mut managers = Managers::of(if told { &*object } else { live });
    let (before, after) = (flatten(&owned_part(live)), flatten(&owned_part(object)));
    let changed: FieldSet = after
        .iter()
        .filter(|(path, value)| before.get(*path) != Some(value))
        .map(|(path, _)| path.clone())
        .collect();
    let gone: FieldSet = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
    let own: FieldSet = managers.fields(manager, Operation::Update).union(&changed).cloned().collect();
    managers.disown(manager, Operation::Update, &changed.union(&gone).cloned().collect());
    managers.replace(manager, Operation::Update, own.difference(&gone).cloned().collect(), &now());
    managers.write(object);
}

fn patch(target: &mut Value, body: &Value) {
    let Value::Object(changes) = body else {
        *target = body.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, value) in changes {
        if value.is_null() {
            fields.shift_remove(name);
        } else {
            patch(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
