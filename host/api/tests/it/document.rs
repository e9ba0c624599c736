//! The OpenAPI document: complete, sound, and the one that is checked in.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use crate::world::{World, send};

fn document() -> Value {
    serde_json::to_value(quantum_api::document()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(|(method, operation)| (path.clone(), method.clone(), operation.clone()))
    });
    operations.collect()
}

/// Every `$ref` below a value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_operation_is_named_described_and_may_be_refused() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = HashSet::new();
    let all = operations(&document);
    assert!(all.len() >= 28, "{} operations", all.len());
    for (path, method, operation) in all {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{id}");
        assert_eq!(
            operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"],
            "#/components/schemas/Problem"
        );
        let taken: HashSet<&str> =
            path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let told: HashSet<&str> = parameters
            .iter()
            .filter(|one| one["in"] == "path")
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(taken, told, "{method} {path}");
        assert!(ids.insert(id.clone()), "{id} twice");
    }
    let mut refs = Vec::new();
    references(&document, &mut refs);
    for reference in refs {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn the_name_of_an_operation_is_its_handlers() {
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
    let sources: String = std::fs::read_dir(routes)
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for (_, _, operation) in operations(&document()) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(sources.contains(&format!("pub(crate) async fn {id}(")), "{id}");
    }
    // And the other way round: a handler that the document does not know would be a hidden route.
    let handlers = sources.matches("pub(crate) async fn ").count();
    let pages = 1;
    assert_eq!(handlers - pages, operations(&document()).len());
}

#[tokio::test]
async fn every_operation_is_routed_and_asks_who_is_there() {
    let world = World::start().await;
    for (path, method, operation) in operations(&document()) {
        let path = path.replace("{id}", "x").replace("{number}", "1");
        let answer = send(world.request(&method.to_uppercase(), &path)).await;
        let open = operation["security"] == serde_json::json!([{}]);
        assert_eq!(answer.status, if open { 200 } else { 401 }, "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_document_that_is_served_is_the_one_that_is_checked_in() {
    let world = World::start().await;
    let served = send(world.request("GET", "/api/v1/openapi.json")).await.is(200).text;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        served == checked_in,
        "schemas/openapi.json is not what the handlers say; run the tests with UPDATE=1"
    );
}
