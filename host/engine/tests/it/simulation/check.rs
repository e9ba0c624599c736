//! What has to hold at the end.

use std::collections::BTreeMap;

use quantum_core::usage::Day;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_store::{ExecutionFilter, PageRequest, Store, TenantScope, UsageFilter, UsageGroup};
use serde_json::{Value, json};

use super::process::{End, World};
use super::scenario::Scenario;

/// The same status, output and steps. Where a failure stops steps beside it, how far those came is a matter of time: then
/// the status alone is compared.
pub fn ends_are_equal(scenario: &Scenario, expected: &[End], ends: &[End]) {
    assert_eq!(expected.len(), ends.len());
    for ((expected, end), definition) in expected.iter().zip(ends).zip(&scenario.starts) {
        assert_eq!(expected.view.status, end.view.status, "{:#?}", end.log);
        let raced = definition["order"] == "graph" && expected.view.status != ExecutionStatus::Succeeded;
        assert!(raced || summary(expected) == summary(end), "{:#?}", end.log);
        whole_log(&end.log);
    }
}

fn summary(end: &End) -> Value {
    let view = &end.view;
    let steps: Vec<Value> = view
        .steps
        .iter()
        .map(|step| {
            json!([
                step.id,
                step.status,
                output(step.output.as_deref()),
                step.error.as_ref().map(|e| &e.code)
            ])
        })
        .collect();
    let error = view.error.as_ref().map(|error| &error.code);
    json!({ "status": view.status, "output": view.output.as_deref(), "error": error, "steps": steps })
}

/// Ids of children are new each time, and who is faster to approve is a matter of time.
fn output(output: Option<&Value>) -> Option<Value> {
    let mut output = output?.clone();
    if let Some(fields) = output.as_object_mut() {
        fields.remove("execution_id");
        fields.remove("approved_by");
    }
    Some(output)
}

/// `seq` without gaps, and one result for each step and each element.
fn whole_log(log: &[Value]) {
    let mut results: BTreeMap<String, u32> = BTreeMap::new();
    for (event, seq) in log.iter().zip(1_u64..) {
        assert_eq!(event["seq"].as_u64(), Some(seq), "{log:#?}");
        let ends = ["step_completed", "step_failed", "step_skipped", "step_cancelled", "step_compensated"];
        if ends.contains(&event["type"].as_str().unwrap()) {
            let undone = event["type"] == "step_compensated";
            *results.entry(format!("{}/{}/{undone}", event["step"], event["element"])).or_default() += 1;
        }
    }
    let twice = results.iter().find(|(_, count)| **count > 1);
    assert!(twice.is_none(), "{twice:?} in {log:#?}");
    let last = log.last().unwrap()["type"].as_str().unwrap();
    assert!(["execution_completed", "execution_failed", "execution_cancelled"].contains(&last), "{last}");
}

/// What completed has happened; what happened more than once did so around a death, or because it was tried again.
pub fn effects(world: &World, ends: &[End]) {
    let effects = world.ledger();
    for end in ends {
        let happened = |key: &str| effects.get(&format!("{}/{key}", end.view.id)).copied().unwrap_or(0);
        for step in end.view.steps.iter().filter(|step| step.plugin.is_some() && step.elements.is_none()) {
            let done = matches!(step.status, StepStatus::Succeeded | StepStatus::Compensated);
            assert!(!done || happened(&format!("{}/run", step.id)) > 0, "{} never happened", step.id);
            let undone = step.status == StepStatus::Compensated;
            assert!(
                !undone || happened(&format!("{}/compensate", step.id)) > 0,
                "{} was not undone",
                step.id
            );
        }
        assert!(end.view.status != ExecutionStatus::Running);
    }
    let most = 2 + world.deaths() as u32;
    let twice = effects.iter().find(|(_, count)| **count > most);
    let logs: Vec<&Vec<Value>> = ends.iter().map(|end| &end.log).collect();
    assert!(twice.is_none(), "{twice:?} with {} deaths: {logs:#?}", world.deaths());
}

/// What is booked is what the bills of all logs say, children's too, unless one of them is not over yet.
pub async fn booked(store: &Store, scope: &TenantScope) {
    let all =
        store.executions(scope).list(&ExecutionFilter::default(), PageRequest::first(1_000)).await.unwrap();
    assert_eq!(all.next, None);
    if all.items.iter().any(|row| !row.status.is_terminal()) {
        return;
    }
    let (mut cpu_us, mut sent_bytes) = (0, 0);
    for row in &all.items {
        for event in store.executions(scope).events(&row.id, 0, 10_000).await.unwrap() {
            let event: Value = serde_json::from_str(&event.json).unwrap();
            cpu_us += event["bill"]["cpu_us"].as_u64().unwrap_or(0);
            sent_bytes += event["bill"]["sent_bytes"].as_u64().unwrap_or(0);
        }
    }
    let (from, to) = (Day::from_number(i64::MIN / 2), Day::from_number(i64::MAX / 2));
    let filter = UsageFilter { from, to, plugin: None, by: UsageGroup::Plugin };
    let rows = store.usage(scope).list(&filter, PageRequest::first(9)).await.unwrap().items;
    let sums = rows.first().map(|row| (row.sums.cpu_us, row.sums.sent_bytes)).unwrap_or_default();
    assert_eq!(sums, (cpu_us, sent_bytes));
}
