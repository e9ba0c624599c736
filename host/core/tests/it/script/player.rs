//! Runs the turns of a script, and keeps the log as the journal would.

use quantum_core::machine::{Admission, Command, Event, Execution, Refusal, Turn, apply, prepare};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;

use super::reader::Intent;
use super::words;
use crate::support::{Actions, alice, new_execution, plan, state_of};

pub struct Player {
    fresh: Execution,
    execution: Execution,
    actions: Actions,
    /// As they are stored.
    log: Vec<String>,
}

impl Player {
    pub fn new(intent: &Intent) -> Self {
        let plan = plan(&intent.definition());
        let make = || new_execution(plan.clone(), intent.input.clone());
        Self { fresh: make(), execution: make(), actions: Actions::installed(), log: Vec::new() }
    }

    /// What happened, a line each.
    pub fn turn(&mut self, millis: i64, commands: &str) -> Vec<String> {
        let plan = self.execution.plan.clone();
        let name = |step: usize| plan.document.steps[step].id.to_string();
        let mut turn = Turn::new(&mut self.execution, Timestamp::from_millis(millis));
        let mut refused = Vec::new();
        for text in commands.split("; ") {
            let command = command(text, turn.execution(), &self.actions);
            if let Err(refusal) = turn.run(command) {
                let refusal: Refusal = refusal;
                refused.push(format!("!! {refusal}"));
            }
        }
        let (events, effects) = turn.finish();
        self.log.extend(events.iter().map(|event| serde_json::to_string(event).unwrap()));
        let events = events.iter().map(words::event);
        let effects = effects.iter().map(|effect| words::effect(effect, name));
        events.chain(effects).chain(refused).chain([self.state()]).collect()
    }

    fn state(&self) -> String {
        let steps = self.execution.plan.document.steps.iter().zip(&self.execution.steps);
        let steps: Vec<String> =
            steps.map(|(planned, state)| format!("{} {}", planned.id, state.status)).collect();
        let due =
            self.execution.next_due().map(|at| format!(", due @{}", at.as_millis())).unwrap_or_default();
        format!("= {}: {}{due}", self.execution.status, steps.join(", "))
    }

    /// The log, read again, gives the execution.
    pub fn check_fold(mut self) {
        for line in &self.log {
            let event: Event = serde_json::from_str(line).unwrap();
            apply(&mut self.fresh, &event).unwrap();
        }
        assert_eq!(state_of(&self.fresh), state_of(&self.execution));
    }
}

fn command(text: &str, execution: &Execution, actions: &Actions) -> Command {
    let (word, rest) = words::first(text);
    match word {
        "start" => Command::Start,
        "wake" => Command::Wake,
        "cancel" => Command::Cancel { requested_by: alice(), reason: words::rest(rest) },
        "admit" => {
            let (name, answer) = words::first(rest);
            let step = position(execution, name);
            Command::Admit { step, admission: admission(execution, step, answer, actions) }
        }
        "settle" => {
            let (name, rest) = words::first(rest);
            let (attempt, rest) = words::first(rest);
            let (report, chance) = words::report(rest);
            Command::Settle {
                step: position(execution, name),
                attempt: attempt.parse().unwrap(),
                report,
                chance,
            }
        }
        other => panic!("there is no command {other:?}"),
    }
}

/// `#9` is the step at that position, also when there is none.
fn position(execution: &Execution, name: &str) -> usize {
    match name.strip_prefix('#') {
        Some(digits) => digits.parse().unwrap(),
        None => execution.plan.position(name).unwrap(),
    }
}

/// As the engine admits: parameters first, then the policies' answer.
fn admission(execution: &Execution, step: usize, answer: &str, actions: &Actions) -> Admission {
    if answer == "refused" {
        let error = Problem::new("policy-denied", "the policies refuse the start");
        return Admission::Refuse { error, decision: Some(words::decision(false)) };
    }
    let Some(planned) = execution.plan.step(step) else {
        return Admission::Start { parameters: "{}".to_owned(), decision: words::decision(true) };
    };
    match prepare(execution, step, &actions.entry(&planned.action.name)) {
        Ok(parameters) => Admission::Start { parameters, decision: words::decision(true) },
        Err(error) => Admission::Refuse { error, decision: None },
    }
}
