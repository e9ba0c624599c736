//! Clients that start executions, do to them what their scenarios say, and watch some of them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use super::caller::{ANSWER_MAX, Caller, Change, field, json};
use super::scenario::{Deed, Scenario};
use super::stream;
use crate::error::{Error, Result};
use crate::http::Request;

/// One start of so many is sent again, though it was answered.
const AGAIN_ONE_IN: u32 = 5;
/// One execution of so many is watched.
const WATCHED_ONE_IN: u32 = 3;
/// How long a client watches while there is load: a jump of the clock may keep an execution for the whole run.
const WATCH_MAX: Duration = Duration::from_secs(3);
/// How long a deed waits for its moment while there is load, and how long at the end.
const DEED_MAX: Duration = Duration::from_secs(3);
const LAST_DEED_MAX: Duration = Duration::from_secs(120);
/// Between two looks at an execution for the moment of a deed.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// An accepted start.
#[derive(Debug, Clone)]
pub struct Begun {
    pub key: String,
    /// Its place in the list.
    pub scenario: usize,
    pub execution: String,
    /// What a client saw of its log, in order, over every host.
    pub seen: Vec<Value>,
    pub broken_streams: u32,
    /// What a client saw that cannot be.
    pub wrong: Option<String>,
}

pub struct Load<'a> {
    pub scenarios: &'a [Scenario],
    pub requester: Caller,
    /// Never the one who started anything.
    pub approver: Caller,
    /// Executions that may still be started.
    pub left: AtomicU32,
}

/// Whether a deed had its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Came,
    /// The execution ended without it.
    Over,
    NotYet,
}

impl Load<'_> {
    /// One client, from its first start until everything that it began can end by itself. What it began is in `all`,
    /// also after an error.
    pub fn client(&self, number: u32, seed: u64, all: &mut Vec<Begun>) -> Result<()> {
        let mut rng = Rng::with_seed(seed ^ (u64::from(number) + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
        let mut late = Vec::new();
        while !self.requester.hosts.is_stopping() && self.take_one() {
            let key = format!("{number}-{}", all.len());
            let Some((place, scenario)) = rng.choice(self.scenarios.iter().enumerate()) else { break };
            all.push(self.start(&key, place, scenario, ANSWER_MAX)?);
            let Some(begun) = all.last_mut() else { break };
            if rng.u32(..AGAIN_ONE_IN) == 0 {
                self.start(&key, place, scenario, ANSWER_MAX)?;
            }
            for deed in &scenario.deeds {
                if self.act(deed, begun, DEED_MAX)? == Moment::NotYet {
                    late.push((deed, begun.clone()));
                }
            }
            if rng.u32(..WATCHED_ONE_IN) == 0 {
                self.watch(begun);
            }
        }
        for (deed, begun) in late {
            if self.act(deed, &begun, LAST_DEED_MAX)? == Moment::NotYet {
                let waited = LAST_DEED_MAX.as_secs();
                let Begun { execution, .. } = begun;
                return Err(Error::chaos(format!(
                    "{execution} gave no moment for {deed:?} within {waited} s"
                )));
            }
        }
        Ok(())
    }

    /// A start beside those of the clients: whether the host writes now.
    pub fn probe(&self, number: u32, most: Duration) -> Result<Begun> {
        let Some(scenario) = self.scenarios.first() else { return Err(Error::chaos("there is no scenario")) };
        self.start(&format!("probe-{number}"), 0, scenario, most)
    }

    /// Once everything has ended: a start under a known key gives the known execution, and another body is refused.
    pub fn again(&self, begun: &Begun) -> Result<Option<String>> {
        let Some(scenario) = self.scenarios.get(begun.scenario) else { return Ok(None) };
        let Begun { key, execution, .. } = begun;
        let same = self.start(key, begun.scenario, scenario, ANSWER_MAX)?;
        if same.execution != *execution {
            return Ok(Some(format!("the start {key} gave {execution}, and at the end {}", same.execution)));
        }
        let path = format!("/api/v1/intents/{}/execute", scenario.name);
        let headers = [("idempotency-key", key.as_str())];
        let request = Request { method: "POST", path: &path, headers: &headers, body: "{}" };
        let answer = self.requester.send(&self.requester.hosts.here().1, request)?;
        let refused = answer.status == 422 && field(&answer, "code") == "idempotency-mismatch";
        Ok((!refused).then(|| format!("another body under {key} was answered with {}", answer.text())))
    }

    fn take_one(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }

    fn start(&self, key: &str, place: usize, scenario: &Scenario, most: Duration) -> Result<Begun> {
        let path = format!("/api/v1/intents/{}/execute", scenario.name);
        let body = json!({ "input": { "key": key }, "labels": { "chaos": scenario.family.as_str() } });
        let about = &scenario.name;
        let change = Change { operation: "start", key, about, path: &path, body: &body, most };
        let answer = self.requester.change(change)?;
        let execution = field(&answer, "execution_id");
        if execution.is_empty() {
            let (name, text) = (&scenario.name, answer.text());
            return Err(Error::chaos(format!(
                "the start of {name} was answered with {}: {text}",
                answer.status
            )));
        }
        let (key, seen) = (key.to_owned(), Vec::new());
        Ok(Begun { key, scenario: place, execution, seen, broken_streams: 0, wrong: None })
    }

    fn act(&self, deed: &Deed, begun: &Begun, most: Duration) -> Result<Moment> {
        let hosts = &self.requester.hosts;
        match deed {
            Deed::Cancel { after_ms } => {
                hosts.rest(Duration::from_millis(*after_ms));
                self.change(&self.requester, "cancel", "cancel", begun, &json!({ "reason": "chaos" }))
            }
            Deed::Pause { after_ms, for_ms } => {
                hosts.rest(Duration::from_millis(*after_ms));
                self.change(&self.requester, "pause", "pause", begun, &json!({}))?;
                hosts.rest(Duration::from_millis(*for_ms));
                self.change(&self.requester, "resume", "resume", begun, &json!({}))
            }
            Deed::Signal { step, name, payload } => {
                let moment = self.await_view(begun, most, |view| step_is(view, step, "waiting"))?;
                let route = format!("signals/{name}");
                self.when(moment, || self.change(&self.requester, "signal", &route, begun, payload))
            }
            Deed::Approve { step } => {
                let moment = self.await_view(begun, most, |view| step_is(view, step, "waiting"))?;
                let body = json!({ "step": step, "approved": true, "comment": "chaos" });
                self.when(moment, || self.change(&self.approver, "approve", "approve", begun, &body))
            }
            Deed::Restart => self.restart(begun, most),
        }
    }

    /// As often as it parks.
    fn restart(&self, begun: &Begun, most: Duration) -> Result<Moment> {
        let until = Instant::now() + most;
        loop {
            let most = until.saturating_duration_since(Instant::now());
            match self.await_view(begun, most, |view| text(view, "status") == "parked")? {
                Moment::Came => self.change(&self.requester, "restart", "restart", begun, &json!({}))?,
                other => return Ok(other),
            };
        }
    }

    fn when(&self, moment: Moment, act: impl FnOnce() -> Result<Moment>) -> Result<Moment> {
        if moment == Moment::Came { act() } else { Ok(moment) }
    }

    fn change(
        &self,
        caller: &Caller,
        operation: &str,
        route: &str,
        begun: &Begun,
        body: &Value,
    ) -> Result<Moment> {
        let path = format!("/api/v1/executions/{}/{route}", begun.execution);
        let (key, about, most) = (&begun.key, &begun.execution, ANSWER_MAX);
        caller.change(Change { operation, key, about, path: &path, body, most })?;
        Ok(Moment::Came)
    }

    fn await_view(&self, begun: &Begun, most: Duration, came: impl Fn(&Value) -> bool) -> Result<Moment> {
        let until = Instant::now() + most;
        loop {
            let answer = self.requester.get(&format!("/api/v1/executions/{}", begun.execution))?;
            let view = json(&answer);
            if has_ended(&view) {
                return Ok(Moment::Over);
            }
            if came(&view) {
                return Ok(Moment::Came);
            }
            if Instant::now() > until {
                return Ok(Moment::NotYet);
            }
            super::pause(LOOK_EVERY);
        }
    }

    /// Reads the log, on every host anew after the last event that was seen.
    fn watch(&self, begun: &mut Begun) {
        let until = Instant::now() + WATCH_MAX;
        while Instant::now() < until {
            let (generation, url) = self.requester.hosts.here();
            let last = begun.seen.last().and_then(|event| event.get("seq")).and_then(Value::as_u64);
            let last = last.unwrap_or(0);
            match stream::follow(&self.requester, &url, &begun.execution, last, until) {
                Ok(seen) => {
                    begun.seen.extend(seen.events);
                    begun.wrong = begun.wrong.take().or(seen.wrong);
                    if seen.whole || begun.wrong.is_some() {
                        return;
                    }
                    // A host that has no database says so at once.
                    self.requester.hosts.wait_after(generation, LOOK_EVERY);
                }
                Err(_) => self.requester.hosts.wait_after(generation, Duration::from_millis(300)),
            }
            begun.broken_streams += 1;
        }
    }
}

/// What an execution's view says.
pub fn has_ended(view: &Value) -> bool {
    matches!(text(view, "status"), "succeeded" | "failed" | "cancelled")
}

fn text<'a>(view: &'a Value, name: &str) -> &'a str {
    view.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn step_is(view: &Value, step: &str, status: &str) -> bool {
    let steps = view.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    steps.iter().any(|known| text(known, "id") == step && text(known, "status") == status)
}
