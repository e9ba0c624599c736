//! Server-side apply: a manager says which fields it wants, the API says whose they are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::deployment::{check_body, owned_part};
use super::fields::{self, FieldSet, Path, describe, flatten};
use super::managers::{Managers, Operation};
use super::objects::now;
use super::path::Target;
use super::status::{Cause, Status, invalid, owned};
use super::world::{World, Written};
use crate::http::Received;

/// How it is applied.
struct Options<'r> {
    manager: &'r str,
    force: bool,
    dry_run: bool,
}

pub fn apply(
    world: &mut World,
    target: &Target,
    request: &Received,
    body: &Value,
) -> Result<Written, Status> {
    let options = options(target, request)?;
    check_body(body, target)?;
    let live = world.deployment(&target.namespace, &target.name).cloned();
    let mut object = live.unwrap_or_else(|| json!({ "status": {} }));
    let wanted = flatten(&owned_part(body));
    let mut managers = Managers::of(&object);
    let conflicts = conflicts(&object, &managers, &wanted, options.manager);
    if !conflicts.is_empty() && !options.force {
        return Err(owned(&conflicts.iter().map(Conflict::cause).collect::<Vec<_>>()));
    }
    let lost: FieldSet = conflicts.into_iter().map(|conflict| conflict.path).collect();
    managers.disown(options.manager, Operation::Apply, &lost);
    let fields: FieldSet = wanted.keys().cloned().collect();
    for (path, value) in wanted {
        fields::put(&mut object, &path, value);
    }
    give_up(&mut object, &managers, &fields, options.manager);
    managers.replace(options.manager, Operation::Apply, fields, &now());
    managers.write(&mut object);
    world.write(target, object, options.dry_run)
}

fn options<'r>(target: &Target, request: &'r Received) -> Result<Options<'r>, Status> {
    let manager = request.query("fieldManager").filter(|manager| !manager.is_empty());
    let manager = manager.ok_or_else(|| {
        let message = "Required value: is required for apply patch".to_owned();
        invalid(target, &[Cause { reason: "FieldValueRequired", message, field: "fieldManager".to_owned() }])
    })?;
    let force = request.query("force") == Some("true");
    Ok(Options { manager, force, dry_run: request.query("dryRun") == Some("All") })
}

/// A field that another manager owns with another value.
struct Conflict {
    manager: String,
    path: Path,
}

impl Conflict {
    fn cause(&self) -> Cause {
        Cause {
            reason: "FieldManagerConflict",
            message: format!("conflict with \"{}\" using apps/v1", self.manager),
            field: describe(&self.path),
        }
    }
}

fn conflicts(
    object: &Value,
    managers: &Managers,
    wanted: &BTreeMap<Path, Option<Value>>,
    manager: &str,
) -> Vec<Conflict> {
    let differs = |path: &Path| match wanted.get(path) {
        Some(Some(value)) => fields::get(object, path) != Some(value),
        _ => false,
    };
    let others = managers.others(manager, Operation::Apply);
    let conflicts = others.flat_map(|entry| entry.fields.iter().map(move |path| (&entry.manager, path)));
    let conflicts = conflicts.filter(|(_, path)| differs(path));
    conflicts.map(|(manager, path)| Conflict { manager: manager.clone(), path: path.clone() }).collect()
}

/// What the manager applied before and does not any more goes, unless others own it or something in it.
fn give_up(object: &mut Value, managers: &Managers, fields: &FieldSet, manager: &str) {
    let before = managers.fields(manager, Operation::Apply);
    for path in before.difference(fields) {
        let theirs = |owned: &Path| owned.starts_with(path);
        let kept = fields.iter().any(theirs)
            || managers.others(manager, Operation::Apply).any(|entry| entry.fields.iter().any(theirs));
        if !kept {
            fields::remove(object, path);
        }
    }
}
