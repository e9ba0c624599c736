//! Everything that a member can read of a tenant, by the path that it is read at.

use reqwest::Method;
use serde_json::{Map, Value};

use crate::client::{Client, send};

/// Lists, as they are asked for, and the field that names an item in the path of its own; '': items have none.
const LISTS: [(&str, &str); 8] = [
    ("users", "id"),
    ("intents?limit=200", "name"),
    ("blueprints?limit=200", "name"),
    ("schedules?limit=200", "name"),
    ("secrets?limit=200", ""),
    ("installations", "plugin"),
    ("artifacts?limit=200", ""),
    ("executions?limit=200", "execution_id"),
];

pub async fn everything(client: &Client) -> Map<String, Value> {
    let mut found = Map::new();
    get(client, &mut found, "settings".into()).await;
    for (asked, name) in LISTS {
        let items = get(client, &mut found, asked.into()).await;
        let list = asked.split('?').next().unwrap();
        assert!(!items["next_page_token"].is_string(), "one page is enough: {list}");
        for item in items["items"].as_array().unwrap().iter().filter(|_| !name.is_empty()) {
            let name = item[name].as_str().unwrap_or_else(|| panic!("{list} have a {name}: {item}"));
            let whole = get(client, &mut found, format!("{list}/{name}")).await;
            match list {
                "intents" => drop(get(client, &mut found, format!("intents/{name}/versions")).await),
                "executions" => execution(client, &mut found, name, &whole).await,
                _ => {}
            }
        }
    }
    found
}

async fn execution(client: &Client, found: &mut Map<String, Value>, id: &str, whole: &Value) {
    get(client, found, format!("executions/{id}/events?limit=200")).await;
    for step in whole["steps"].as_array().unwrap() {
        let step = step["id"].as_str().unwrap();
        get(client, found, format!("executions/{id}/steps/{step}")).await;
    }
}

async fn get(client: &Client, found: &mut Map<String, Value>, path: String) -> Value {
    let request = client.request(Method::GET, &format!("/api/v1/{path}"));
    let answer = send(request.header("Accept", "application/json")).await.is(200).json();
    found.insert(path, answer.clone());
    answer
}
