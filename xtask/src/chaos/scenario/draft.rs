//! A scenario while it is drawn: the document and what is known about it grow together.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{Deed, End, Family, Fate, Scenario, Step};
use crate::chaos::ledger::Plan;

/// Attempts of a step that must get through: as many as a document may ask for, far more than kills hit one step.
pub const PATIENT: u32 = 100;

/// What a scenario is drawn from.
pub struct Drawing<'a> {
    pub rng: Rng,
    pub ledger: &'a str,
}

impl Drawing<'_> {
    /// A step that greets: no effect, and a text that the next one can use.
    pub fn hello(&self, id: &str, name: &str) -> (Value, Step) {
        (json!({ "id": id, "action": "hello", "name": name, "retry": patient() }), Step::new(id))
    }

    /// A step with one effect in the ledger.
    pub fn effect(&self, id: &str, plan: Plan) -> (Value, Step) {
        let mut written = self.call(plan, id);
        written.insert("id".to_owned(), id.into());
        (Value::Object(written), Step { effect: Some(plan), ..Step::new(id) })
    }

    /// The action alone, with its label: also for what undoes a step.
    pub fn call(&self, plan: Plan, label: &str) -> Map<String, Value> {
        let url = format!("{}/effect/{plan}/{label}/${{ input.key }}", self.ledger);
        let call = json!({
            "action": "http-request", "method": "POST", "url": url, "body": "${ input.key }",
            "retry": patient(),
        });
        if let Value::Object(call) = call { call } else { Map::new() }
    }

    /// A service that mostly works.
    pub fn plan(&mut self) -> Plan {
        match self.rng.u32(..10) {
            0..6 => Plan::Done,
            6 => Plan::busy(self.rng.u32(1..3)),
            7 => Plan::Cut { times: 1 },
            8 => Plan::Shut { times: 1 },
            _ => Plan::Slow { times: 1, late_ms: self.rng.u32(50..300) },
        }
    }
}

fn patient() -> Value {
    retry(PATIENT)
}

/// Quick, so that a run has many.
pub fn retry(attempts_max: u32) -> Value {
    json!({ "max_attempts": attempts_max, "initial_interval": "20ms", "max_interval": "200ms" })
}

impl Step {
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            needs: Vec::new(),
            attempts_max: PATIENT,
            fate: Fate::Completes,
            effect: None,
            elements: None,
            undo: false,
            interval_ms: None,
        }
    }
}

/// The scenario so far.
pub struct Draft {
    order: &'static str,
    written: Vec<Value>,
    steps: Vec<Step>,
    pub deeds: Vec<Deed>,
    pub end: End,
    /// Template, and what it must give.
    pub output: Option<(Value, Value)>,
    /// How many executions may run beside each other; the others wait in the queue.
    pub limit: Option<usize>,
    /// Keys of the definition beside these.
    pub more: Map<String, Value>,
}

impl Draft {
    /// Each step needs the one before.
    pub fn sequential() -> Self {
        Self::new("sequential")
    }

    /// Each step needs what it names.
    pub fn graph() -> Self {
        Self::new("graph")
    }

    fn new(order: &'static str) -> Self {
        let (written, steps, deeds) = (Vec::new(), Vec::new(), Vec::new());
        let (end, limit, output) = (End::Succeeds, None, None);
        Self { order, written, steps, deeds, end, output, limit, more: Map::new() }
    }

    pub fn push(&mut self, (written, mut step): (Value, Step)) -> &mut Self {
        if self.order == "sequential" {
            step.needs = self.steps.last().map(|before| before.id.clone()).into_iter().collect();
        }
        self.written.push(written);
        self.steps.push(step);
        self
    }

    pub fn ids(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.id.clone()).collect()
    }

    /// How many elements a step has.
    pub fn elements(&self, id: &str) -> u32 {
        self.steps.iter().find(|step| step.id == id).and_then(|step| step.elements).unwrap_or(0)
    }

    /// The name comes later.
    pub fn finish(self) -> Scenario {
        let mut definition = json!({
            "order": self.order,
            "input": {
                "type": "object", "properties": { "key": { "type": "string" } }, "required": ["key"],
            },
            "steps": self.written,
        });
        let (template, output) = self.output.unzip();
        if let Some(fields) = definition.as_object_mut() {
            fields.extend(self.more);
            let queue = self.limit.map(|limit| json!({ "limit": limit, "on_limit": "queue" }));
            fields.extend(queue.map(|queue| ("concurrency".to_owned(), queue)));
            fields.extend(template.map(|template| ("output".to_owned(), template)));
        }
        Scenario {
            family: Family::Chain,
            name: String::new(),
            definition,
            steps: self.steps,
            deeds: self.deeds,
            end: self.end,
            limit: self.limit,
            output,
        }
    }
}

/// Sets one key of a written step.
pub fn set(written: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(fields) = written.as_object_mut() {
        fields.insert(key.to_owned(), value.into());
    }
}
