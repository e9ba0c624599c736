//! Who owns which fields, as the cluster records it in `managedFields`. A rollback writes fields as an update, and to an
//! apply an update is somebody else, even under the same name: the next deployment would conflict with it, and could not
//! take away what the rollback brought back. So the rollback's fields are handed to the one who applies.

use serde_json::{Map, Value, json};

/// `managedFields` with the fields that `updater` updated given to `applier`. None: there is nothing to give, or nobody
/// to take it.
pub fn handed_over(object: &Value, applier: &str, updater: &str) -> Option<Value> {
    let mut entries = object.pointer("/metadata/managedFields")?.as_array()?.clone();
    let position = |entries: &[Value], manager: &str, operation: &str| {
        entries.iter().position(|entry| {
            let is = |key: &str, value: &str| entry.get(key).and_then(Value::as_str) == Some(value);
            is("manager", manager) && is("operation", operation) && entry.get("subresource").is_none()
        })
    };
    let from = position(&entries, updater, "Update")?;
    let to = position(&entries, applier, "Apply")?;
    if entries.get(from)?.get("apiVersion") != entries.get(to)?.get("apiVersion") {
        return None;
    }
    let fields = entries.get(from)?.get("fieldsV1").cloned().unwrap_or_else(|| json!({}));
    unite(entries.get_mut(to)?.get_mut("fieldsV1")?.as_object_mut()?, &fields);
    entries.remove(from);
    Some(Value::Array(entries))
}

/// The union of two sets in the format FieldsV1: a tree whose empty node is a member, and whose other nodes are members
/// when they have the child `.`.
fn unite(into: &mut Map<String, Value>, from: &Value) {
    for (name, theirs) in from.as_object().into_iter().flatten() {
        let Some(ours) = into.get_mut(name).and_then(Value::as_object_mut) else {
            into.insert(name.clone(), theirs.clone());
            continue;
        };
        let theirs_is_leaf = theirs.as_object().is_some_and(Map::is_empty);
        if ours.is_empty() != theirs_is_leaf {
            ours.insert(".".to_owned(), json!({}));
        }
        unite(ours, theirs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({
            "manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        })
    }

    fn check(entries: Value) -> Option<Value> {
        handed_over(&json!({ "metadata": { "managedFields": entries } }), "quantum", "quantum-rollback")
    }

    #[test]
    fn the_one_who_applies_gets_the_fields_and_the_rollback_is_gone() {
        let mut status = entry("kube-controller-manager", "Update", json!({ "f:status": {} }));
        status["subresource"] = json!("status");
        let applied = entry(
            "quantum",
            "Apply",
            json!({ "f:spec": { "f:replicas": {}, "f:a": {}, "f:b": { "f:c": {} } } }),
        );
        let undone = entry(
            "quantum-rollback",
            "Update",
            json!({
                "f:metadata": { "f:annotations": {} },
                "f:spec": { "f:template": { ".": {} }, "f:a": { "f:x": {} }, "f:b": {} },
            }),
        );
        let united = entry(
            "quantum",
            "Apply",
            json!({
                "f:spec": { "f:replicas": {}, "f:a": { ".": {}, "f:x": {} }, "f:b": { "f:c": {}, ".": {} }, "f:template": { ".": {} } },
                "f:metadata": { "f:annotations": {} },
            }),
        );
        assert_eq!(check(json!([applied, status, undone])), Some(json!([united, status])));
    }

    #[test]
    fn a_deployment_that_nobody_applied_keeps_its_owners() {
        let undone = entry("quantum-rollback", "Update", json!({}));
        assert_eq!(check(json!([undone, entry("kubectl", "Apply", json!({}))])), None);
        assert_eq!(check(json!([entry("quantum", "Apply", json!({}))])), None);
        assert_eq!(check(Value::Null), None);
    }
}
