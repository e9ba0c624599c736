//! The table of operations in `docs/executions.md` against the machine: in which states each one is taken, and the event
//! that it leaves. Commands, routes and policies of the table are held by a test of the server.

use quantum_core::builtin::Wait;
use quantum_core::machine::{Command, Execution, Waiting, decide};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus as E, StepStatus as S};
use serde_json::{Value, json};

use crate::script::person;
use crate::support::{alice, new_execution, plan};

const PAGE: &str = include_str!("../../../../docs/executions.md");

/// Operations, the states that the table names, and its event.
fn rows() -> Vec<(&'static str, Vec<E>, &'static str)> {
    let begin = PAGE.find("| operation | command |").unwrap();
    let lines = PAGE[begin..].lines().skip(2).take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let named = |status: &E| {
                let words = cells[4].split([',', ';', ' ']);
                words.take_while(|word| !matches!(*word, "and" | "with")).any(|word| word == status.as_str())
            };
            (cells[0], E::ALL.iter().copied().filter(named).collect(), cells[5])
        })
        .collect()
}

/// In this state, with a step that waits for a signal or an approval, or is parked. Nothing of a parked execution waits.
fn execution(status: E, step: S, wait: Wait) -> Execution {
    let mut execution =
        new_execution(plan(&json!({ "steps": [{ "id": "a", "action": "plain" }] })), Value::Null);
    execution.status = status;
    execution.steps[0].status = if status == E::Parked { S::Parked } else { step };
    execution.steps[0].waiting = Some(Waiting { wait, approvals: Vec::new() });
    execution
}

fn command(operation: &str) -> Option<(Command, S, Wait)> {
    let (requested_by, reason) = (alice(), None);
    let approve = Command::Approve {
        step: None,
        element: None,
        approved: true,
        approved_by: person("bob"),
        comment: None,
    };
    let signal = Command::Signal { name: "go".to_owned(), payload: Value::Null, sent_by: alice() };
    let awaited = Wait::Signal { name: "go".to_owned(), schema: None };
    Some(match operation {
        "cancel" => (Command::Cancel { requested_by, reason }, S::Running, Wait::Timer),
        "pause" => (Command::Pause { requested_by, reason }, S::Running, Wait::Timer),
        "resume" => (Command::Resume { requested_by }, S::Running, Wait::Timer),
        "signal" => (signal, S::Waiting, awaited),
        "approve, refuse" => (approve, S::Waiting, Wait::Approval { approvals: 1, message: None }),
        "restart" => (Command::Restart { requested_by }, S::Parked, Wait::Timer),
        _ => return None,
    })
}

#[test]
fn each_operation_is_taken_in_the_states_of_the_table_alone_and_leaves_its_event() {
    let rows = rows();
    assert_eq!(rows.len(), 7, "rows were not found: {rows:?}");
    for (operation, states, event) in rows {
        let Some((command, step, wait)) = command(operation) else {
            // A replay is no command to the old execution: it may begin once that one has ended.
            let ended: Vec<E> = E::ALL.iter().copied().filter(|status| status.is_terminal()).collect();
            assert_eq!((operation, states), ("replay", ended));
            continue;
        };
        for status in E::ALL.iter().copied() {
            let now = Timestamp::from_millis(9);
            let decided = decide(&execution(status, step, wait.clone()), command.clone(), now);
            assert_eq!(decided.is_ok(), states.contains(&status), "{operation} while {status}: {decided:?}");
            if let Ok(decided) = decided {
                assert_eq!(format!("`{}`", decided.events[0].name()), event, "{operation}");
            }
        }
    }
}
