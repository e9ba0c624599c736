//! What the actions of a plugin declare, together, as the manifest's JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::action::ActionMeta;

/// Only what is declared has a key.
pub fn capabilities(actions: &[ActionMeta]) -> Value {
    let asks = |what: fn(&ActionMeta) -> bool| actions.iter().any(what).then_some(Value::Bool(true));
    let asked = [
        ("http", http(actions)),
        ("kv", asks(|meta| meta.kv)),
        ("artifacts", asks(|meta| meta.artifacts)),
        ("secrets", secrets(actions)),
        ("reveal", some(union(actions, |meta| meta.reveal))),
        ("clock", asks(|meta| meta.clock)),
        ("random", asks(|meta| meta.random)),
    ];
    let declared = asked.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    declared.collect::<Map<_, _>>().into()
}

fn http(actions: &[ActionMeta]) -> Option<Value> {
    let hosts = union(actions, |meta| meta.http_hosts);
    let slots = union(actions, |meta| meta.http_slots);
    if hosts.is_empty() && slots.is_empty() {
        return None;
    }
    let mut http = json!({ "hosts": hosts, "slots": slots });
    let largest = actions.iter().filter_map(|meta| meta.response_bytes_max).max();
    if let (Some(bytes), Some(fields)) = (largest, http.as_object_mut()) {
        fields.insert("response_bytes_max".to_owned(), bytes.into());
    }
    Some(http)
}

/// Every secret once, with all its places.
fn secrets(actions: &[ActionMeta]) -> Option<Value> {
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for secret in actions.iter().flat_map(|meta| meta.secrets) {
        places.entry(secret.name).or_default().extend(secret.places);
    }
    some(places.into_iter().map(|(name, places)| json!({ "name": name, "places": places })).collect())
}

fn union(actions: &[ActionMeta], words: fn(&ActionMeta) -> &'static [&'static str]) -> Vec<Value> {
    let all: BTreeSet<&str> = actions.iter().flat_map(words).copied().collect();
    all.into_iter().map(Value::from).collect()
}

fn some(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then(|| list.into())
}
