//! Clients that start executions against whatever host lives, and never take no answer for an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fastrand::Rng;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Hosts, Moments, here};
use crate::client::{Answer, Client, logged};

/// One of so many starts is sent again, though it was answered.
const AGAIN_ONE_IN: u32 = 4;
/// One of so many executions is left alone instead of being followed.
const ALONE_ONE_IN: u32 = 4;

/// Every step survives more losses than there are kills.
const RETRY: &str = r#"{ "max_attempts": 60, "initial_interval": "10ms", "max_interval": "50ms" }"#;

/// The intents, with the steps that each one has.
pub const INTENTS: [(&str, usize); 3] = [("line", 4), ("graph", 4), ("effect", 3)];

/// An accepted start.
#[derive(Debug, Clone)]
pub struct Started {
    /// Of the request, and the input of its execution.
    pub key: String,
    pub intent: usize,
    pub execution: String,
    /// What a client saw of its log, in order, over every host.
    pub seen: Vec<Value>,
    pub broken_streams: u32,
}

pub async fn create_intents(client: &Client) {
    let retry: Value = serde_json::from_str(RETRY).unwrap();
    let hello = |id: &str, name: &str| json!({ "id": id, "action": "hello", "name": name, "retry": retry });
    let after = |mut step: Value, steps: &[&str]| {
        step["depends_on"] = json!(steps);
        step
    };
    let line = json!({ "steps": [
        hello("a", "${ input.key }"),
        hello("b", "${ steps.a.output.text }"),
        hello("c", "${ steps.b.output.text }"),
        hello("d", "${ steps.c.output.text }"),
    ], "output": "${ steps.d.output.text }" });
    let graph = json!({ "order": "graph", "steps": [
        hello("a", "${ input.key }"),
        after(hello("b", "b"), &["a"]),
        after(hello("c", "c"), &["a"]),
        hello("d", "${ steps.b.output.text } ${ steps.c.output.text }"),
    ], "output": "${ steps.d.output.text }" });
    let post = json!({
        "id": "b", "action": "http-request", "method": "POST", "url": "${ input.service }/effect",
        "body": "${ input.key }", "retry": retry,
    });
    let effect = json!({ "steps": [hello("a", "${ input.key }"), post, hello("c", "${ steps.a.output.text }")],
        "output": "${ steps.b.output.status }" });
    for ((name, _), definition) in INTENTS.iter().zip([line, graph, effect]) {
        client.intent(name, definition).await;
    }
}

/// What an execution of this key must give.
pub fn output(intent: usize, key: &str) -> Value {
    match INTENTS[intent].0 {
        "line" => json!(format!("Hello, Hello, Hello, Hello, {key}!!!!")),
        "graph" => json!("Hello, Hello, b! Hello, c!!"),
        _ => json!(200),
    }
}

pub struct Load {
    client: Client,
    service: String,
    hosts: Hosts,
    pub moments: Moments,
    stopping: AtomicBool,
}

impl Load {
    pub fn new(client: Client, service: String, hosts: Hosts) -> Self {
        Self { client, service, hosts, moments: Moments::default(), stopping: AtomicBool::new(false) }
    }

    /// Clients end what they have begun, and begin nothing more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Starts one execution after the other.
    pub async fn client(self: Arc<Self>, number: u64, seed: u64) -> Vec<Started> {
        let mut rng = Rng::with_seed(seed ^ (number + 1));
        let mut hosts = self.hosts.clone();
        let mut all = Vec::new();
        while !self.stopping.load(Ordering::SeqCst) {
            let key = format!("{number}-{}", all.len());
            let intent = rng.usize(..INTENTS.len());
            let answer = self.start(&mut hosts, intent, &key).await;
            self.moments.happened();
            let execution = answer.json()["execution_id"].as_str().unwrap().to_owned();
            if rng.u32(..AGAIN_ONE_IN) == 0 {
                let again = self.start(&mut hosts, intent, &key).await;
                assert_eq!(again.json()["execution_id"], execution.as_str(), "{key}");
                assert_eq!(again.header("idempotency-replayed"), "true");
            }
            let mut started = Started { key, intent, execution, seen: Vec::new(), broken_streams: 0 };
            if rng.u32(..ALONE_ONE_IN) != 0 {
                self.follow(&mut hosts, &mut started).await;
            }
            all.push(started);
        }
        all
    }

    /// Sends the same start until a host accepts it.
    pub async fn start(&self, hosts: &mut Hosts, intent: usize, key: &str) -> Answer {
        loop {
            let answer = start(&here(&self.client, hosts), intent, key, &self.service).await;
            match answer {
                Ok(answer) => return answer.is(202),
                Err(error) => assert!(!error.is_timeout(), "{error:?}"),
            }
            next_host(hosts).await;
        }
    }

    /// Reads the log to its end, on every host anew after the last event that was seen.
    async fn follow(&self, hosts: &mut Hosts, started: &mut Started) {
        while !started.seen.last().is_some_and(is_last) {
            let after = started.seen.len();
            let client = here(&self.client, hosts);
            self.read(&client, started).await;
            if started.seen.last().is_some_and(is_last) {
                return;
            }
            started.broken_streams += 1;
            if started.seen.len() == after {
                next_host(hosts).await;
            }
        }
    }

    async fn read(&self, client: &Client, started: &mut Started) {
        let last = started.seen.last().map_or(0, |event| event["seq"].as_u64().unwrap());
        let request =
            client.request(Method::GET, &format!("/api/v1/executions/{}/events", started.execution));
        let Ok(response) = request.header("Last-Event-ID", last).send().await else { return };
        assert_eq!(response.status(), 200, "{} was accepted and is not there", started.execution);
        let mut bytes = Box::pin(response.bytes_stream());
        let mut text = String::new();
        while let Some(Ok(chunk)) = bytes.next().await {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            if let Some(end) = text.rfind("\n\n") {
                let rest = text.split_off(end + 2);
                for event in logged(&text) {
                    started.seen.push(event);
                    self.moments.happened();
                }
                text = rest;
            }
        }
    }
}

/// The same bytes for the same key: another body under it would be refused.
pub async fn start(client: &Client, intent: usize, key: &str, service: &str) -> reqwest::Result<Answer> {
    let path = format!("/api/v1/intents/{}/execute", INTENTS[intent].0);
    let request = client.request(Method::POST, &path).header("Idempotency-Key", key);
    let response = request.json(&json!({ "input": { "key": key, "service": service } })).send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

/// Waits until another host lives than the one that gave no answer.
async fn next_host(hosts: &mut Hosts) {
    // It may have come meanwhile; then this returns at once, and the address is the new one.
    hosts.changed().await.expect("a host follows, until all clients have ended");
}

fn is_last(event: &Value) -> bool {
    event["type"].as_str().is_some_and(|kind| {
        matches!(kind, "execution_completed" | "execution_failed" | "execution_cancelled")
    })
}
