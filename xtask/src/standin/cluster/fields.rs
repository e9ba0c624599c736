//! Sets of fields, as field managers own them: paths in the format FieldsV1, and the values that objects have there.
//!
//! A path is a list of parts: `f:NAME` is a field, `k:{…}` the element of a list that has these keys. Lists whose elements
//! have no keys, and a few objects, are owned whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub type Path = Vec<String>;
pub type FieldSet = BTreeSet<Path>;

/// Lists whose elements are told apart by keys.
const KEYED: &[(&str, &[&str])] = &[
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("ports", &["containerPort", "protocol"]),
    ("conditions", &["type"]),
];

/// Objects that are owned whole.
const ATOMIC: &[&str] =
    &["selector", "nodeSelector", "secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef"];

/// Every field that an object has, with its value; an element of a keyed list is one itself, without a value.
pub fn flatten(object: &Value) -> BTreeMap<Path, Option<Value>> {
    let mut found = BTreeMap::new();
    let mut path = Path::new();
    if let Some(fields) = object.as_object() {
        flatten_fields(fields, &mut path, &mut found);
    }
    found
}

fn flatten_fields(fields: &Map<String, Value>, path: &mut Path, found: &mut BTreeMap<Path, Option<Value>>) {
    for (name, value) in fields {
        path.push(format!("f:{name}"));
        match (value, keys_of(name)) {
            (Value::Object(inner), _) if !inner.is_empty() && !ATOMIC.contains(&name.as_str()) => {
                flatten_fields(inner, path, found);
            }
            (Value::Array(elements), Some(keys)) if !elements.is_empty() => {
                for element in elements {
                    flatten_element(element, keys, path, found);
                }
            }
            _ => drop(found.insert(path.clone(), Some(value.clone()))),
        }
        path.pop();
    }
}

fn flatten_element(
    element: &Value,
    keys: &[&str],
    path: &mut Path,
    found: &mut BTreeMap<Path, Option<Value>>,
) {
    let Some(fields) = element.as_object() else { return };
    let key = |name: &&str| Some(((*name).to_owned(), fields.get(*name)?.clone()));
    let key: Map<String, Value> = keys.iter().filter_map(key).collect();
    path.push(format!("k:{}", Value::Object(key)));
    found.insert(path.clone(), None);
    flatten_fields(fields, path, found);
    path.pop();
}

fn keys_of(list: &str) -> Option<&'static [&'static str]> {
    KEYED.iter().find(|(name, _)| *name == list).map(|(_, keys)| *keys)
}

/// What is at a path.
pub fn get<'v>(object: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(object, |value, part| match part.split_at_checked(2)? {
        ("f:", name) => value.get(name),
        (_, key) => value.as_array()?.iter().find(|element| has_key(element, key)),
    })
}

/// Sets what is at a path; objects, lists and elements on the way are made.
pub fn put(object: &mut Value, path: &[String], value: Option<Value>) {
    let mut place = object;
    for (at, part) in path.iter().enumerate() {
        let next_is_element = path.get(at + 1).is_some_and(|next| next.starts_with("k:"));
        let next = match part.split_at_checked(2) {
            Some(("f:", name)) => field(place, name, next_is_element),
            Some((_, key)) => element(place, key),
            None => None,
        };
        let Some(next) = next else { return };
        place = next;
    }
    if let Some(value) = value {
        *place = value;
    }
}

fn field<'v>(object: &'v mut Value, name: &str, list: bool) -> Option<&'v mut Value> {
    if !object.is_object() {
        *object = json!({});
    }
    let slot = object.as_object_mut()?.entry(name).or_insert(Value::Null);
    if list && !slot.is_array() {
        *slot = json!([]);
    }
    Some(slot)
}

fn element<'v>(list: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    let elements = list.as_array_mut()?;
    match elements.iter().position(|element| has_key(element, key)) {
        Some(at) => elements.get_mut(at),
        None => {
            elements.push(serde_json::from_str(key).unwrap_or_default());
            elements.last_mut()
        }
    }
}

/// Takes away what is at a path. The keys of an element go with it, and not before.
pub fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    if is_key(parents.last(), last) {
        return;
    }
    let parent = parents.iter().try_fold(object, |value, part| match part.split_at_checked(2)? {
        ("f:", name) => value.get_mut(name),
        (_, key) => value.as_array_mut()?.iter_mut().find(|element| has_key(element, key)),
    });
    match (parent, last.split_at_checked(2)) {
        (Some(Value::Object(fields)), Some(("f:", name))) => drop(fields.shift_remove(name)),
        (Some(Value::Array(elements)), Some((_, key))) => elements.retain(|element| !has_key(element, key)),
        _ => {}
    }
}

fn is_key(element: Option<&String>, field: &str) -> bool {
    let key = element.and_then(|part| part.strip_prefix("k:"));
    let key: Map<String, Value> = key.and_then(|key| serde_json::from_str(key).ok()).unwrap_or_default();
    field.strip_prefix("f:").is_some_and(|name| key.contains_key(name))
}

fn has_key(element: &Value, key: &str) -> bool {
    let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
    !key.is_empty() && key.iter().all(|(name, value)| element.get(name) == Some(value))
}

/// For people: `.spec.template.spec.containers[name="web"].image`.
pub fn describe(path: &[String]) -> String {
    let part = |part: &String| match part.split_at_checked(2) {
        Some(("f:", name)) => format!(".{name}"),
        Some((_, key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let pairs: Vec<_> = key.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", pairs.join(","))
        }
        None => part.clone(),
    };
    path.iter().map(part).collect()
}

/// As `fieldsV1`.
pub fn encode(set: &FieldSet) -> Value {
    let mut root = json!({});
    for path in set {
        let parents = path.iter().try_fold(&mut root, |node, part| field(node, part, false));
        if let Some(leaf) = parents.filter(|leaf| !leaf.is_object()) {
            *leaf = json!({});
        }
    }
    mark(&mut root, set, &mut Path::new());
    root
}

/// A member that has members below it has the child `.`.
fn mark(node: &mut Value, set: &FieldSet, path: &mut Path) {
    let Some(children) = node.as_object_mut().filter(|children| !children.is_empty()) else { return };
    for (part, child) in children.iter_mut() {
        path.push(part.clone());
        mark(child, set, path);
        path.pop();
    }
    if set.contains(path) {
        children.insert(".".to_owned(), json!({}));
    }
}

/// From `fieldsV1`.
pub fn decode(fields: &Value) -> FieldSet {
    let mut set = FieldSet::new();
    read(fields, &mut Path::new(), &mut set);
    set
}

fn read(node: &Value, path: &mut Path, set: &mut FieldSet) {
    let children = node.as_object().filter(|children| !children.is_empty());
    let Some(children) = children else {
        set.insert(path.clone());
        return;
    };
    for (part, child) in children {
        if part == "." {
            set.insert(path.clone());
            continue;
        }
        path.push(part.clone());
        read(child, path, set);
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Value {
        json!({ "spec": {
            "replicas": 3,
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": {} }, "spec": { "containers": [
                { "name": "web", "image": "web:1", "args": ["a", "b"],
                  "ports": [{ "containerPort": 80, "protocol": "TCP" }] },
            ] } },
        } })
    }

    #[test]
    fn a_set_is_written_as_the_api_writes_it_and_read_back() {
        let set: FieldSet = flatten(&object()).into_keys().collect();
        let container = json!({
            ".": {}, "f:name": {}, "f:image": {}, "f:args": {},
            "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {}, "f:protocol": {} } },
        });
        let expected = json!({ "f:spec": {
            "f:replicas": {}, "f:selector": {},
            "f:template": {
                "f:metadata": { "f:labels": {} },
                "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": container } },
            },
        } });
        assert_eq!(encode(&set), expected);
        assert_eq!(decode(&expected), set);
    }

    #[test]
    fn an_object_is_made_again_from_its_fields() {
        let mut made = json!({});
        for (path, value) in flatten(&object()) {
            put(&mut made, &path, value);
        }
        assert_eq!(made, object());
    }

    #[test]
    fn fields_and_elements_are_found_and_taken_away() {
        let mut object = object();
        let element = ["f:spec", "f:template", "f:spec", "f:containers", "k:{\"name\":\"web\"}"];
        let element = element.map(str::to_owned).to_vec();
        let mut image = element.clone();
        image.push("f:image".to_owned());
        assert_eq!(get(&object, &image), Some(&json!("web:1")));
        assert_eq!(describe(&image), ".spec.template.spec.containers[name=\"web\"].image");
        remove(&mut object, &image);
        assert_eq!(get(&object, &image), None);
        remove(&mut object, &element);
        assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([]));
        remove(&mut object, &element);
        put(&mut object, &image, Some(json!("web:2")));
        assert_eq!(
            object["spec"]["template"]["spec"]["containers"],
            json!([{ "name": "web", "image": "web:2" }])
        );
    }
}
