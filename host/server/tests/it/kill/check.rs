//! What must hold after the last start, for each accepted execution.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::load::{self, INTENTS, Started};
use crate::client::{Client, logged, send, types};
use crate::service::Effects;

/// Executions that are looked at beside each other.
const BESIDE: usize = 8;
/// Steps that need another one's result, of every intent: the line runs in order, the graph has two branches.
const NEEDS: [&[(&str, &str)]; 3] = [
    &[("b", "a"), ("c", "b"), ("d", "c")],
    &[("b", "a"), ("c", "a"), ("d", "b"), ("d", "c")],
    &[("b", "a"), ("c", "b")],
];

/// What was found, of all executions together.
#[derive(Debug, Default)]
pub struct Found {
    /// Accepted, and not there or not ended well: with the reason.
    pub lost: Vec<String>,
    /// Steps with more than one recorded result.
    pub double_results: usize,
    /// There, and never accepted.
    pub ghosts: Vec<String>,
    /// Attempts that a kill ended.
    pub lost_attempts: usize,
    /// Attempts of the step that has an effect, by key: their starts were durable before they ran.
    pub effect_attempts: BTreeMap<String, usize>,
    /// Everything else that does not hold.
    pub broken: Vec<String>,
}

impl Found {
    pub fn assert_clean(&self) {
        let clean = self.lost.is_empty() && self.ghosts.is_empty() && self.broken.is_empty();
        assert!(clean && self.double_results == 0, "{self:#?}");
        assert!(self.lost_attempts > 0, "no kill hit a running attempt: the test proves nothing");
    }
}

pub async fn all(client: &Client, started: &[Started]) -> Found {
    let mut found = Found::default();
    let mut logs = futures::stream::iter(started)
        .map(|one| async move { (one, client.events(&one.execution).await) })
        .buffer_unordered(BESIDE);
    let mut ended = Vec::new();
    while let Some((one, log)) = logs.next().await {
        check_log(one, &log, &mut found);
        ended.push((one, log));
    }
    let mut answers = futures::stream::iter(&ended)
        .map(|(one, log)| async move { check_answers(client, one, log).await })
        .buffer_unordered(BESIDE);
    while let Some(broken) = answers.next().await {
        found.broken.extend(broken);
    }
    let accepted: BTreeSet<&str> = started.iter().map(|one| one.execution.as_str()).collect();
    assert_eq!(accepted.len(), started.len(), "two keys never give one execution");
    let listed = list(client).await;
    found.ghosts = listed.iter().filter(|id| !accepted.contains(id.as_str())).cloned().collect();
    let missing = accepted.iter().filter(|id| !listed.contains(**id));
    found.lost.extend(missing.map(|id| format!("{id} is not listed")));
    found
}

fn check_log(one: &Started, log: &[Value], found: &mut Found) {
    let id = &one.execution;
    let last = log.last().cloned().unwrap_or_default();
    if last["type"] != "execution_completed" || last["output"] != load::output(one.intent, &one.key) {
        found.lost.push(format!("{id} ended with {last}"));
    }
    if !log.iter().zip(1_u64..).all(|(event, seq)| event["seq"] == seq) {
        found.broken.push(format!("{id} has a gap: {:?}", types(log)));
    }
    if !log.starts_with(&one.seen) {
        found.broken.push(format!("{id} showed what was not kept: {:?}, now {log:?}", one.seen));
    }
    let mut results = BTreeMap::<&str, usize>::new();
    for event in
        log.iter().filter(|event| event["type"] == "step_completed" || event["type"] == "step_failed")
    {
        *results.entry(event["step"].as_str().unwrap_or_default()).or_default() += 1;
    }
    found.double_results += results.values().filter(|count| **count > 1).count();
    if results.len() != INTENTS[one.intent].1 {
        found.lost.push(format!("{id} has results of {results:?}"));
    }
    for (step, needed) in NEEDS[one.intent] {
        if place(log, "step_started", step) < place(log, "step_completed", needed) {
            found.broken.push(format!("{id}: {step} started before {needed} had a result"));
        }
    }
    if INTENTS[one.intent].0 == "effect" {
        let attempts = log.iter().filter(|event| event["type"] == "step_started" && event["step"] == "b");
        found.effect_attempts.insert(one.key.clone(), attempts.count());
    }
    found.lost_attempts += log.iter().filter(|event| event["error"]["code"] == "attempt-lost").count();
}

fn place(log: &[Value], kind: &str, step: &str) -> Option<usize> {
    log.iter().position(|event| event["type"] == kind && event["step"] == step)
}

/// The other ways to look at the same execution say the same.
async fn check_answers(client: &Client, one: &Started, log: &[Value]) -> Vec<String> {
    let mut broken = Vec::new();
    let path = format!("/api/v1/executions/{}", one.execution);
    for after in [log.len() / 2, log.len()] {
        let request = client.request(Method::GET, &format!("{path}/events")).header("Last-Event-ID", after);
        let rest = logged(&send(request).await.is(200).text);
        if rest != log[after..] {
            broken.push(format!("{path} after {after} goes on with {:?}", types(&rest)));
        }
    }
    let page = client.request(Method::GET, &format!("{path}/events?limit=200"));
    let page = send(page.header("Accept", "application/json")).await.is(200).json();
    if page["items"] != json!(log) {
        broken.push(format!("{path}: the page differs from the stream"));
    }
    let view = client.get(&path).await.is(200).json();
    let steps = INTENTS[one.intent].1;
    if view["status"] != "succeeded"
        || view["progress"] != json!({ "done": steps, "total": steps })
        || view["last_seq"] != log.len()
    {
        broken.push(format!("{path}: {view}"));
    }
    broken
}

/// A start that is sent again after everything has ended gives the same execution, and the key with another body is
/// refused.
pub async fn starts_again(client: &Client, started: &[Started], service: &str) {
    let mut answers = futures::stream::iter(started)
        .map(|one| async move { (one, load::start(client, one.intent, &one.key, service).await.unwrap()) })
        .buffer_unordered(BESIDE);
    while let Some((one, answer)) = answers.next().await {
        assert_eq!((answer.status, answer.header("idempotency-replayed")), (202, "true"), "{}", answer.text);
        assert_eq!(answer.json()["execution_id"], one.execution.as_str(), "{}", one.key);
    }
    let first = &started[0];
    let other = load::start(client, first.intent, &first.key, "another body").await.unwrap();
    assert_eq!((other.status, other.json()["code"].as_str()), (422, Some("idempotency-mismatch")));
}

/// Ids of all executions of the tenant.
async fn list(client: &Client) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut path = "/api/v1/executions?limit=200".to_owned();
    loop {
        let page = client.get(&path).await.is(200).json();
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["execution_id"].as_str().unwrap().to_owned()));
        match page["next_page_token"].as_str() {
            Some(token) => path = format!("/api/v1/executions?limit=200&page_token={token}"),
            None => return ids,
        }
    }
}

/// Every effect was asked for by an attempt of an accepted execution, under one idempotency key. How many were made
/// more than once: in the window between an effect and its durable result.
pub fn effects(effects: &BTreeMap<String, Effects>, found: &mut Found) -> usize {
    if !effects.keys().eq(found.effect_attempts.keys()) {
        found.broken.push(format!("effects of {:?}", effects.keys()));
    }
    for (key, effect) in effects {
        let attempts = found.effect_attempts.get(key).copied().unwrap_or_default();
        let asked = effect.done + effect.refused;
        if effect.done == 0 || effect.idempotency_keys.len() != 1 || asked > attempts {
            found.broken.push(format!("{key}: {effect:?} of {attempts} attempts"));
        }
    }
    effects.values().filter(|effect| effect.done > 1).count()
}
