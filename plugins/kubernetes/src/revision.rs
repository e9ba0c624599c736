//! The revisions that a Deployment can go back to: each is a ReplicaSet, whose template is kept.

use quantum_sdk::prelude::*;
use serde_json::{Value, json};

use crate::object::ReplicaSet;
use crate::target::Target;

/// Tells the pods of one ReplicaSet from those of another; the controller adds it.
const HASH: &str = "pod-template-hash";

/// A revision with the template that makes it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    pub number: u64,
    pub template: Value,
}

/// The revisions among the ReplicaSets that belong to the Deployment of this uid, newest first.
pub fn of(replica_sets: Vec<ReplicaSet>, uid: &str) -> Vec<Revision> {
    let owned = replica_sets.into_iter().filter(|set| set.metadata.is_controlled_by(uid));
    let mut revisions: Vec<Revision> = owned
        .filter_map(|set| {
            Some(Revision { number: set.metadata.revision()?, template: without_hash(set.spec.template) })
        })
        .collect();
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    revisions
}

/// The wanted revision, or the newest one that is not what the Deployment has now: that is the previous one, also while
/// the controller has not counted the newest change yet.
///
/// Err: permanent, `no-previous-revision` or `revision-not-found`.
pub fn choose<'a>(
    revisions: &'a [Revision],
    current: &Value,
    wanted: Option<u64>,
    target: &Target,
) -> Result<&'a Revision> {
    let found = match wanted {
        Some(number) => revisions.iter().find(|revision| revision.number == number),
        None => revisions.iter().find(|revision| revision.template != *current),
    };
    found.ok_or_else(|| missing(revisions, wanted, target))
}

fn missing(revisions: &[Revision], wanted: Option<u64>, target: &Target) -> Failure {
    let known: Vec<u64> = revisions.iter().map(|revision| revision.number).collect();
    let failure = match wanted {
        None => Failure::permanent(
            "no-previous-revision",
            format!("{} has no previous revision to go back to", target.describe()),
        ),
        Some(number) => Failure::permanent(
            "revision-not-found",
            format!("{} has no revision {number}; it has {known:?}", target.describe()),
        ),
    };
    failure.details(&json!({ "revisions": known }))
}

fn without_hash(mut template: Value) -> Value {
    let labels = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut);
    if let Some(labels) = labels {
        labels.remove(HASH);
    }
    template
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(revision: &str, image: &str, owner: &str) -> Value {
        json!({
            "metadata": {
                "annotations": { "deployment.kubernetes.io/revision": revision },
                "ownerReferences": [{ "kind": "Deployment", "uid": owner, "controller": true }],
            },
            "spec": { "template": template(image, json!({ "app": "web", "pod-template-hash": "5d9" })) },
        })
    }

    fn template(image: &str, labels: Value) -> Value {
        json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "web", "image": image }] } })
    }

    fn check(sets: Value, current: &str, wanted: Option<u64>) -> Result<u64> {
        let target = Target::new("production".to_owned(), "web".to_owned()).unwrap();
        let revisions = of(serde_json::from_value(sets).unwrap(), "u1");
        let current = template(current, json!({ "app": "web" }));
        choose(&revisions, &current, wanted, &target).map(|revision| revision.number)
    }

    #[test]
    fn the_previous_revision_is_the_newest_other_one() {
        let sets =
            json!([set("2", "b", "u1"), set("10", "c", "u1"), set("9", "a", "u1"), set("11", "d", "u2")]);
        assert_eq!(check(sets.clone(), "c", None), Ok(9));
        assert_eq!(check(sets.clone(), "not counted yet", None), Ok(10));
        assert_eq!(check(sets, "c", Some(2)), Ok(2));
    }

    #[test]
    fn a_revision_that_is_not_there_is_told_with_those_that_are() {
        let failure = check(json!([set("3", "c", "u1"), set("2", "b", "u2")]), "c", None).unwrap_err();
        assert_eq!(failure.problem().unwrap().code, "no-previous-revision");
        let failure = check(json!([set("3", "c", "u1"), set("x", "b", "u1")]), "c", Some(7)).unwrap_err();
        let text = "revision-not-found: deployment \"web\" in namespace \"production\" has no revision 7; it has [3]";
        assert_eq!(failure.to_string(), text);
        assert_eq!(failure.problem().unwrap().details.as_deref(), Some("{\"revisions\":[3]}"));
    }
}
