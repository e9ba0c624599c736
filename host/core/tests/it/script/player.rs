//! Runs the turns of a script, and keeps the log as the journal would.

use quantum_core::machine::{
    Admission, ChildOutcome, Circumstances, Command, Event, Execution, Prepared, Refusal, Slot, Turn, apply,
    fill, prepare, skipped_by_dry_run,
};
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
        let make = || {
            let mut execution = new_execution(plan.clone(), intent.input.clone());
            execution.dry_run = intent.dry_run;
            execution
        };
        Self { fresh: make(), execution: make(), actions: Actions::installed(), log: Vec::new() }
    }

    /// What happened, a line each.
    pub fn turn(&mut self, millis: i64, commands: &str) -> Vec<String> {
        let plan = self.execution.plan.clone();
        let name = |step: usize| plan.document.steps[step].id.to_string();
        let now = Timestamp::from_millis(millis);
        let mut turn = Turn::new(&mut self.execution, now);
        let mut refused = Vec::new();
        for text in commands.split("; ") {
            if text.starts_with("admit") {
                turn.next_ready().unwrap(); // As the engine does: what follows by itself comes first.
            }
            let command = command(text, turn.execution(), now, &self.actions);
            if let Err(refusal) = turn.run(command) {
                let refusal: Refusal = refusal;
                refused.push(format!("!! {refusal}"));
            }
        }
        let (events, effects) = turn.finish().unwrap();
        self.log.extend(events.iter().map(|event| serde_json::to_string(event).unwrap()));
        let events = events.iter().map(words::event);
        let effects = effects.iter().map(|effect| words::effect(effect, name));
        events.chain(effects).chain(refused).chain([self.state()]).collect()
    }

    fn state(&self) -> String {
        let steps = self.execution.plan.document.steps.iter().zip(&self.execution.steps);
        let steps: Vec<String> =
            steps.map(|(planned, state)| format!("{} {}", planned.id, words::status(state))).collect();
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

fn command(text: &str, execution: &Execution, now: Timestamp, actions: &Actions) -> Command {
    let (word, rest) = words::first(text);
    match word {
        "queue" => Command::Queue { reason: rest.to_owned() },
        "start" => Command::Start { reuse: words::reuse(rest, execution) },
        "wake" => Command::Wake,
        "cancel" => Command::Cancel { requested_by: alice(), reason: words::rest(rest) },
        "pause" => Command::Pause { requested_by: alice(), reason: words::rest(rest) },
        "resume" => Command::Resume { requested_by: alice() },
        "restart" => Command::Restart { requested_by: alice() },
        "admit" => {
            let (name, answer) = words::first(rest);
            let slot = words::slot(execution, name);
            Command::Admit { slot, admission: admission(execution, slot, answer, (now, actions)) }
        }
        "settle" => {
            let (name, rest) = words::first(rest);
            let (attempt, rest) = words::first(rest);
            let (report, chance) = words::report(rest);
            let slot = words::slot(execution, name);
            Command::Settle { slot, attempt: attempt.parse().unwrap(), report, chance }
        }
        "signal" => {
            let (name, payload) = words::first(rest);
            let payload = serde_json::from_str(payload).unwrap();
            Command::Signal { name: name.to_owned(), payload, sent_by: words::person("bob") }
        }
        "approve" | "refuse" => words::approval(word == "approve", rest),
        "child" => {
            let (name, rest) = words::first(rest);
            let (how, output) = words::first(rest);
            let outcome = match how {
                "ok" => ChildOutcome::Succeeded(serde_json::from_str(output).unwrap()),
                code => ChildOutcome::Failed(Problem::new(code, "the child did not succeed")),
            };
            Command::ChildEnded { slot: words::slot(execution, name), child: words::child(), outcome }
        }
        other => panic!("there is no command {other:?}"),
    }
}

/// As the engine admits: conditions and parameters first, then the policies' answer.
fn admission(
    execution: &Execution,
    slot: Slot,
    answer: &str,
    (now, actions): (Timestamp, &Actions),
) -> Admission {
    let planned = execution.plan.step(slot.step).and_then(|planned| planned.action.component());
    let rehearsed =
        planned.and_then(|action| skipped_by_dry_run(execution, slot, &actions.entry(&action.name)));
    if let Some(skipped) = rehearsed {
        return skipped;
    }
    let circumstances = Circumstances { now, child: words::child() };
    let (action, template) = match prepare(execution, slot, circumstances) {
        Prepared::Decided(admission) => return admission,
        Prepared::Attempt { action, template } => (action, template),
    };
    let entry = actions.entry(&action.name);
    let parameters = match fill(execution, slot, template, &entry) {
        Ok(parameters) => parameters,
        Err(error) => return Admission::Refuse { error, decision: None },
    };
    if answer == "refused" {
        let error = Problem::new("policy-denied", "the policies refuse the start");
        return Admission::Refuse { error, decision: Some(words::decision(false)) };
    }
    Admission::Start { parameters, decision: words::decision(true) }
}
