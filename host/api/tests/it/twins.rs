//! A tenant whose twin has the same names and changes them all the time sees, byte for byte, what it would see alone.

use std::pin::pin;

use futures::future::{Either, select};
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World, send};

/// What the twin writes wherever a text may stand.
const MARKER: &str = "canary-of-the-twin";

/// One tenant through all that it can own. Each answer as status, entity tag and body.
pub struct Life<'a> {
    world: &'a World,
    token: String,
    /// Stands in everything that it writes.
    says: &'a str,
    /// What may be there already, and is no failure: a life that is lived again.
    again: bool,
    seen: Vec<String>,
}

impl Life<'_> {
    async fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.world.request(method, &format!("/api/v1{path}")).bearer_auth(&self.token);
        if method == "DELETE" {
            request = request.header("If-Match", "*");
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.note(method, path, send(request).await)
    }

    fn note(&mut self, method: &str, path: &str, answer: Answer) -> Answer {
        assert!(answer.status < 500, "{method} {path}: {}", answer.text);
        let tag = answer.header("etag");
        self.seen.push(format!("{method} {path} {} {tag} {}", answer.status, answer.normal()));
        answer
    }

    pub async fn live(mut self) -> Vec<String> {
        let says = self.says;
        let step = json!({ "action": "echo", "say": says });
        self.ask("PUT", "/blueprints/twin", Some(json!({ "steps": [step] }))).await;
        let intent = json!({ "name": "twin", "description": says, "labels": { "of": says }, "definition": { "steps": [step, step] } });
        let made = self.ask("POST", "/intents", Some(intent)).await;
        assert!(self.again || made.status == 201, "{}", made.text);
        self.ask("GET", "/intents/twin", None).await;
        let started = self.ask("POST", "/intents/twin/execute?wait=30s", Some(json!({ "input": {} }))).await;
        if let Some(id) = started.json()["execution_id"].as_str() {
            self.ask("GET", &format!("/executions/{id}"), None).await;
            self.ask("GET", &format!("/executions/{id}/events"), None).await;
            self.ask("POST", &format!("/executions/{id}/cancel"), Some(json!({}))).await;
        }
        let schedule =
            json!({ "name": "twin", "intent": "twin", "cron": "@daily", "input": { "say": says } });
        self.ask("POST", "/schedules", Some(schedule)).await;
        let secret = json!({ "value": says, "environments": ["test"], "hosts": ["https://twin.example"] });
        self.ask("PUT", "/secrets/TWIN", Some(secret)).await;
        let artifact = self.world.request("POST", "/api/v1/artifacts?name=twin").bearer_auth(&self.token);
        let made = send(artifact.body(says.to_owned())).await;
        self.note("POST", "/artifacts", made);
        for of in [
            "intents",
            "blueprints",
            "executions",
            "schedules",
            "secrets",
            "artifacts",
            "installations",
            "users",
        ] {
            self.ask("GET", &format!("/{of}?limit=100"), None).await;
        }
        self.ask("GET", "/settings", None).await;
        self.ask("GET", "/plugins", None).await;
        self.ask("GET", "/intents/absent", None).await;
        for mine in
            ["/schedules/twin", "/secrets/TWIN", "/artifacts/twin", "/blueprints/twin", "/intents/twin"]
        {
            self.ask("DELETE", mine, None).await;
            self.ask("GET", mine, None).await;
        }
        self.seen
    }
}

pub fn life<'a>(world: &'a World, tenant: &str, says: &'a str, again: bool) -> Life<'a> {
    Life { world, token: world.admin(tenant), says, again, seen: Vec::new() }
}

/// Ids are made anew each time: the first that is met is `#0`, and so on.
fn without_ids(seen: &[String]) -> Vec<String> {
    let mut met: Vec<String> = Vec::new();
    let mut number = |id: &str| {
        let known = met.iter().position(|known| known == id);
        known.unwrap_or_else(|| {
            met.push(id.to_owned());
            met.len() - 1
        })
    };
    let mut named = |text: &String| {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            match rest.get(..36).filter(|id| uuid::Uuid::try_parse(id).is_ok()) {
                Some(id) => {
                    out.push_str(&format!("#{}", number(id)));
                    rest = &rest[36..];
                }
                None => {
                    out.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        out
    };
    seen.iter().map(&mut named).collect()
}

#[tokio::test]
async fn a_tenant_sees_the_same_whatever_its_twin_does() {
    let alone = World::start().await;
    let expected = without_ids(&life(&alone, A, "own", false).live().await);
    let granted = expected.iter().filter(|answer| answer.contains(" 20")).count();
    assert!(granted >= 25, "{granted}: {expected:#?}");

    let world = World::start().await;
    life(&world, B, MARKER, false).live().await;
    let twin = pin!(async {
        loop {
            life(&world, B, MARKER, true).live().await;
        }
    });
    let own = pin!(life(&world, A, "own", false).live());
    let seen = match select(own, twin).await {
        Either::Left((seen, _)) => seen,
        Either::Right((never, _)) => never,
    };
    assert!(!seen.iter().any(|answer| answer.contains(MARKER) || answer.contains(B)), "{seen:#?}");
    for (seen, expected) in without_ids(&seen).iter().zip(&expected) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen.len(), expected.len());
}
