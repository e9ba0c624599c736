//! What core costs per execution: the machine, plans, expressions, schemas, documents.

#![expect(clippy::unwrap_used, reason = "what is measured is known to work")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use quantum_core::expression::{Expression, Scope, StepView, Variables};
use quantum_core::id::{DecisionId, Digest, ExecutionId, IntentName, IntentUid, PrincipalId, TenantId};
use quantum_core::intent::{CheckContext, check_document};
use quantum_core::machine::{Admission, Command, Execution, NewExecution, Slot, Turn};
use quantum_core::manifest::ActionManifest;
use quantum_core::plan::{self, Plan, PlanDocument, PlannedIntent};
use quantum_core::port::{
    ActionDirectory, ActionEntry, AttemptOutcome, AttemptReport, Bill, Decision, Grant, PrincipalKind,
    Requester, Resolution,
};
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, Signature, StepStatus, Trust};
use serde_json::{Value, json};

const UID: &str = "0198c0de-0000-7000-8000-000000000001";

/// Every name is this action.
struct OneAction(Arc<ActionEntry>);

impl ActionDirectory for OneAction {
    fn resolve(&self, _: &TenantId, _: &str) -> Resolution {
        Resolution::Found(self.0.clone())
    }

    fn pinned(&self, _: &TenantId, _: &Digest, _: &str) -> Option<Arc<ActionEntry>> {
        Some(self.0.clone())
    }

    fn names(&self, _: &TenantId) -> Vec<String> {
        vec![self.0.manifest.name.clone()]
    }
}

fn parameters_schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["url"],
        "properties": {
            "url": { "type": "string" }, "method": { "enum": ["GET", "POST"] },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "expect_status": { "type": "integer", "minimum": 100, "maximum": 599 }
        }
    })
}

fn actions() -> OneAction {
    let manifest = json!({ "name": "http-request", "parameters": parameters_schema(), "result": {} });
    let manifest: ActionManifest = serde_json::from_value(manifest).unwrap();
    OneAction(Arc::new(ActionEntry {
        plugin: "quantum:http".to_owned(),
        version: "1.0.0".to_owned(),
        component: Digest::new(format!("sha256:{}", "a".repeat(64))).unwrap(),
        parameters: Schema::compile(&manifest.parameters).unwrap(),
        result: Schema::compile(&manifest.result).unwrap(),
        manifest,
        trust: Trust::Builtin,
        signature: Signature::Verified,
        grant: Grant::default(),
        settings: Arc::default(),
    }))
}

fn tenant() -> TenantId {
    TenantId::new("tenant-123").unwrap()
}

/// Three sequential steps: the intent of the load test.
fn document() -> Value {
    json!({
        "name": "release-check",
        "definition": {
            "target": "test",
            "input": { "type": "object", "properties": { "url": { "type": "string" } }, "required": ["url"] },
            "steps": [
                { "id": "first", "action": "http-request", "url": "${ input.url }", "method": "GET" },
                { "id": "second", "action": "http-request", "url": "${ steps.first.output.next }/x", "timeout": "60s" },
                { "id": "third", "action": "http-request", "parameters": { "url": "${ steps.second.output.next }" } }
            ],
            "output": { "url": "${ steps.third.output.next }" }
        }
    })
}

fn plan_document() -> PlanDocument {
    let (tenant, actions, document) = (tenant(), actions(), document());
    let context = CheckContext { tenant: &tenant, actions: &actions };
    let checked = check_document(&document, &context).document.unwrap();
    let intent = PlannedIntent {
        uid: IntentUid::parse(UID).unwrap(),
        name: IntentName::new("release-check").unwrap(),
        version: 1,
        labels: checked.labels,
        definition: checked.source,
    };
    plan::build(intent, Environment::Test, &checked.definition, &context).unwrap()
}

fn execution(plan: &Arc<Plan>) -> Execution {
    Execution::new(NewExecution {
        id: ExecutionId::parse(UID).unwrap(),
        tenant: tenant(),
        plan: plan.clone(),
        input: json!({ "url": "http://127.0.0.1/" }).into(),
        requested_by: Requester { id: PrincipalId::new("alice").unwrap(), kind: PrincipalKind::User },
        created_at: Timestamp::from_millis(0),
        dry_run: false,
        origin: None,
    })
}

fn admit_ready(turn: &mut Turn<'_>, decision: &Decision) {
    while let Some(slot) = turn.next_ready().unwrap() {
        let admission = Admission::Start { parameters: "{}".to_owned(), decision: decision.clone() };
        turn.run(Command::Admit { slot, admission }).unwrap();
    }
}

/// From the start to the end: four turns, as many as commits.
fn run(mut execution: Execution, decision: &Decision) -> Execution {
    let now = Timestamp::from_millis(1);
    let mut turn = Turn::new(&mut execution, now);
    turn.run(Command::Start { reuse: Vec::new() }).unwrap();
    admit_ready(&mut turn, decision);
    black_box(turn.finish().unwrap());
    for step in 0..3 {
        let outcome = AttemptOutcome::Completed(json!({ "next": "http://127.0.0.1/next", "status": 200 }));
        let report = AttemptReport { outcome, bill: Bill::default() };
        let mut turn = Turn::new(&mut execution, now);
        turn.run(Command::Settle { slot: Slot::step(step), attempt: 1, report, chance: 0.5 }).unwrap();
        admit_ready(&mut turn, decision);
        black_box(turn.finish().unwrap());
    }
    assert!(execution.status.is_terminal());
    execution
}

fn machine(criterion: &mut Criterion) {
    let document = plan_document();
    let plan = Arc::new(Plan::compile(document.clone()).unwrap());
    let decision = Decision {
        id: DecisionId::parse(UID).unwrap(),
        policies: vec!["allow".to_owned()],
        reason: None,
        policy_version: "0123456789abcdef".to_owned(),
    };
    criterion.bench_function("decide: start and three steps", |bench| {
        bench.iter_batched(
            || execution(&plan),
            |made| run(made, &decision),
            criterion::BatchSize::SmallInput,
        );
    });
    criterion.bench_function("plan: compile three steps", |bench| {
        bench.iter_batched(|| document.clone(), Plan::compile, criterion::BatchSize::SmallInput);
    });
}

fn expressions(criterion: &mut Criterion) {
    let input = json!({ "tag": "1.2.3", "items": (0..100).collect::<Vec<_>>() });
    let output = json!({ "image": "myapp:1.2.3", "layers": (0..100).collect::<Vec<_>>() });
    let step = |_: &str| Some(StepView { status: StepStatus::Succeeded, output: Some(&output) });
    let scope =
        Scope { input: &input, intent: &input, execution: &input, element: None, result: None, step: &step };
    let cases = [
        ("expression: a path", "steps.build.output.image"),
        ("expression: CEL on a scalar", "steps.build.status == 'succeeded' ? 1 : 2"),
        ("expression: CEL over 100 elements", "size(input.items.filter(x, x % 2 == 0))"),
    ];
    for (name, source) in cases {
        let expression = Expression::compile(source, Variables::RUNNING).unwrap();
        criterion
            .bench_function(name, |bench| bench.iter(|| black_box(expression.evaluate(&scope).unwrap())));
    }
    criterion.bench_function("expression: compile", |bench| {
        bench.iter(|| {
            Expression::compile(black_box("size(input.items.filter(x, x % 2 == 0))"), Variables::RUNNING)
                .unwrap()
        });
    });
}

fn documents(criterion: &mut Criterion) {
    let schema = Schema::compile(&parameters_schema()).unwrap();
    let value = json!({ "url": "https://example.com", "method": "GET", "headers": { "accept": "*/*" } });
    criterion.bench_function("schema: parameters of a step", |bench| {
        bench.iter(|| schema.findings(black_box(&value), "", "parameters"));
    });
    let (tenant, actions, document) = (tenant(), actions(), document());
    let context = CheckContext { tenant: &tenant, actions: &actions };
    criterion.bench_function("document: check three steps", |bench| {
        bench.iter(|| check_document(black_box(&document), &context));
    });
}

criterion_group!(benches, machine, expressions, documents);
criterion_main!(benches);
