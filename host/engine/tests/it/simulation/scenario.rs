//! What is played: definitions, what their steps answer, and what people do. All of it follows from a seed, or from the
//! catalogue.

use serde_json::{Value, json};

/// Executions that begin one after another, and the intents that they may call.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    pub starts: Vec<Value>,
    /// By name.
    pub callable: Vec<(String, Value)>,
}

/// What a step answers. It depends on its idempotency key and on how often the key was seen, so that attempts which are
/// lost change nothing about the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// The first time it fails and may be tried again.
    DoneTheSecondTime,
    Broken,
}

impl Scenario {
    pub fn of(definition: Value) -> Self {
        let child = json!({ "steps": [echo("inner")], "output": "${ steps.inner.output }" });
        Self { seed: 0, starts: vec![definition], callable: vec![("child".to_owned(), child)] }
    }

    pub fn random(rng: &mut fastrand::Rng) -> Self {
        let child = json!({ "order": "graph", "steps": steps(rng, 2), "output": "${ steps.s0.status }" });
        let starts = (0..rng.usize(1..4)).map(|_| definition(rng)).collect();
        Self { seed: rng.u64(..), starts, callable: vec![("child".to_owned(), child)] }
    }

    /// Steps that are called `broken…` never succeed, those called `flaky…` the second time.
    pub fn answer(&self, key: &str) -> Answer {
        let mut parts = key.split('/').skip(1);
        let step = parts.next().unwrap_or_default();
        let undo = key.ends_with("/compensate");
        if step.starts_with("broken") && !undo {
            return Answer::Broken;
        }
        if step.starts_with("flaky") {
            return Answer::DoneTheSecondTime;
        }
        match (self.seed != 0)
            .then(|| hash(self.seed, key.split_once('/').map_or(key, |(_, rest)| rest)) % 12)
        {
            Some(0) if !undo => Answer::Broken,
            Some(1..=3) => Answer::DoneTheSecondTime,
            _ => Answer::Done,
        }
    }
}

fn hash(seed: u64, text: &str) -> u64 {
    text.bytes().fold(seed | 1, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

pub fn echo(id: &str) -> Value {
    json!({ "id": id, "action": "echo", "said": id })
}

fn definition(rng: &mut fastrand::Rng) -> Value {
    let order = if rng.bool() { "graph" } else { "sequential" };
    let count = rng.usize(1..6);
    json!({ "order": order, "steps": steps(rng, count), "output": "${ steps.s0.status }" })
}

fn steps(rng: &mut fastrand::Rng, count: usize) -> Vec<Value> {
    (0..count).map(|at| step(rng, at)).collect()
}

fn step(rng: &mut fastrand::Rng, at: usize) -> Value {
    let id = format!("s{at}");
    let mut step = match rng.u8(0..12) {
        0 => json!({ "id": id, "action": "core/wait", "duration": format!("{}ms", rng.u32(1..5_000)) }),
        1 => json!({ "id": id, "action": "core/signal", "name": "go" }),
        2 => json!({ "id": id, "action": "core/approve", "approvals": rng.u32(1..3) }),
        3 if at > 0 => json!({ "id": id, "action": "core/execute-intent", "intent": "child" }),
        4 => json!({ "id": id, "action": "echo", "said": "${ item }",
                     "for_each": { "in": format!("[{}]", list(rng)), "max_parallel": rng.u32(1..4) } }),
        _ => echo(&id),
    };
    let fields = step.as_object_mut().unwrap();
    if fields["action"] == "echo" {
        // Lost attempts count: there are more than deaths.
        fields.insert("retry".to_owned(), json!({ "max_attempts": 50, "initial_interval": "100ms" }));
        if rng.u8(0..3) == 0 {
            let undo = json!({ "action": "echo", "undo": id, "retry": { "max_attempts": 50 } });
            fields.insert("compensate".to_owned(), undo);
        }
    }
    if rng.u8(0..6) == 0 {
        fields.insert("on_error".to_owned(), json!("continue"));
    }
    if rng.u8(0..8) == 0 {
        fields.insert("when".to_owned(), json!(if rng.bool() { "true" } else { "1 > 2" }));
    }
    step
}

fn list(rng: &mut fastrand::Rng) -> String {
    (0..rng.usize(0..6)).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")
}
