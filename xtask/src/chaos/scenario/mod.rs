//! Intents that are drawn from the seed, each with what its executions must lead to. Pure: a scenario knows nothing of
//! processes, faults or time.

mod draft;
mod family;
mod line;
mod graph;
mod service;
mod end;
mod host;
mod people;
mod undo;

use serde_json::{Value, json};

use super::ledger::Plan;
pub use family::Family;
pub use undo::UNDO;

/// Scenarios of each family in a run.
pub const SCENARIOS_PER_FAMILY: u32 = 4;
/// Joins a parent's key and its child's.
pub const CHILD: &str = ".child";

/// An intent and what it must lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    pub family: Family,
    pub name: String,
    pub definition: Value,
    pub steps: Vec<Step>,
    /// What its client does after the start.
    pub deeds: Vec<Deed>,
    pub end: End,
    /// How many executions may run beside each other.
    pub limit: Option<usize>,
    /// Of an execution that succeeds; `KEY` in texts is its key.
    pub output: Option<Value>,
}

/// What one step may do.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub id: String,
    /// Steps that must have ended before it may start.
    pub needs: Vec<String>,
    pub attempts_max: u32,
    pub fate: Fate,
    /// How the ledger answers; none: the step has no effect there.
    pub effect: Option<Plan>,
    /// Elements of a fan-out; none: it is an ordinary step.
    pub elements: Option<u32>,
    /// Undone when the execution ends badly after it; with an effect of its own.
    pub undo: bool,
    /// Milliseconds between two attempts, without jitter; none: drawn.
    pub interval_ms: Option<u64>,
}

/// What becomes of a step in an execution that ends as its scenario says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Completes,
    /// Its `when` is false.
    Skipped,
    /// It fails, and the execution goes on.
    Fails,
}

/// How an execution that nobody cancels may end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Succeeds,
    /// Because of this step, with one of these codes.
    Fails {
        step: String,
        codes: Vec<&'static str>,
    },
    /// Its own time is over; or, when the clock was set back and that time came no nearer, this step's attempts are.
    TimesOut {
        step: String,
    },
    /// Kills use up attempts: whichever of the two the policy says.
    Either,
}

/// What a client does to an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    Cancel {
        after_ms: u64,
    },
    /// Once the step waits.
    Signal {
        step: String,
        name: String,
        payload: Value,
    },
    /// By another user than the one who started it, once the step waits.
    Approve {
        step: String,
    },
    Pause {
        after_ms: u64,
        for_ms: u64,
    },
    /// Once it is parked.
    Restart,
}

impl Scenario {
    /// What a client posts.
    pub fn document(&self) -> Value {
        json!({ "name": self.name, "labels": { "chaos": self.family.as_str() }, "definition": self.definition })
    }

    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The output that an execution of this key must end with.
    pub fn output_of(&self, key: &str) -> Option<Value> {
        self.output.as_ref().map(|output| filled(output, key))
    }
}

fn filled(value: &Value, key: &str) -> Value {
    match value {
        Value::String(text) => text.replace("KEY", key).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, key)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), filled(value, key))).collect()
        }
        other => other.clone(),
    }
}

/// One scenario of a family. `ledger` is the base URL of the effects.
pub fn draw(family: Family, number: u32, seed: u64, ledger: &str) -> Scenario {
    let stream = seed ^ (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ family.stream();
    let mut drawing = draft::Drawing { rng: fastrand::Rng::with_seed(stream), ledger };
    let scenario = family.draw(&mut drawing);
    let name = format!("chaos-{}-n{number}", family.as_str());
    Scenario { family, name, ..scenario.finish() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: &str = "http://127.0.0.1:1";

    #[test]
    fn a_seed_always_gives_the_same_scenarios_and_another_one_others() {
        let all = |seed| Family::ALL.map(|family| draw(family, 1, seed, LEDGER));
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
    }

    #[test]
    fn every_scenario_knows_the_steps_that_its_document_has() {
        for family in Family::ALL {
            for number in 0..50 {
                let scenario = draw(family, number, 3, LEDGER);
                let written = scenario.definition.get("steps").and_then(Value::as_array).unwrap();
                let written: Vec<_> = written.iter().map(|step| step["id"].as_str().unwrap()).collect();
                let known: Vec<_> = scenario.steps.iter().map(|step| step.id.as_str()).collect();
                assert_eq!(written, known, "{}", scenario.name);
                let needed = scenario.steps.iter().flat_map(|step| &step.needs);
                assert!(needed.into_iter().all(|id| known.contains(&id.as_str())), "{}", scenario.name);
            }
        }
    }

    #[test]
    fn the_key_stands_where_the_output_says() {
        let scenario = draw(Family::Chain, 1, 7, LEDGER);
        let output = scenario.output_of("3-9").unwrap();
        assert!(output.to_string().contains("3-9") && !output.to_string().contains("KEY"), "{output}");
    }
}
