//! What a store that is full of finished executions costs those who start, look and list, beside one with few.
//!
//! Both stores are open at the same time and asked in turn, so that whatever else the machine does meets both. "Few" is
//! not none, but a hundredth, which fills a first page of every list: lists of nothing are no measure.

mod copies;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use quantum_core::id::ExecutionId;
use quantum_core::port::{
    Attempt, AttemptOutcome, AttemptReport, Bill, BoxFuture, Failure, FailureKind, StepRunner,
};
use quantum_core::problem::Problem;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::{EngineOptions, StartRequest};
use quantum_store::{ExecutionFilter, PageRequest};
use serde_json::json;

use crate::fixture::{Echo, Rig, born, request, three_steps};
use crate::options::Sizes;
use quantum_benches::report::{Figure, median};

const RATIO_MAX: f64 = 1.3;
/// One execution of the other store stands for so many of the full one.
const FULLER: u64 = 100;
const INTENTS: usize = 10;
/// Of ten executions of an intent one fails, but those of the last intent never do.
const TURNS: usize = 100;
const CLIENTS: usize = 64;
/// Rows of a page.
const PAGE: u32 = 50;
/// A question is asked so often in a round, unless that takes longer than this.
const ASKED: usize = 40;
const ROUND: Duration = Duration::from_millis(250);

/// Fails executions whose input says so, in their last step.
struct Fallible(Echo);

impl StepRunner for Fallible {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        if !attempt.parameters.contains("fail") {
            return self.0.run(attempt);
        }
        let problem = Problem::new("wanted", "the input says so");
        let failure = Failure { kind: FailureKind::Permanent, problem, retry_after_ms: None };
        let report = AttemptReport { outcome: AttemptOutcome::Failed(failure), bill: Bill::default() };
        Box::pin(std::future::ready(report))
    }
}

/// A store with so many finished executions.
struct Past {
    rig: Rig,
    finished: u64,
}

/// What somebody wants of a store.
enum Ask {
    Start,
    StartTogether,
    /// With its steps; one of the newest of so many, or of all.
    Get(Option<u64>),
    List(Box<ExecutionFilter>),
}

pub async fn measure(sizes: &Sizes, folder: &Path) -> Vec<Figure> {
    let intents: Vec<StartRequest> = (0..INTENTS).map(intent).collect();
    let few = (sizes.finished / FULLER).max(1);
    let filling = Instant::now();
    let few = Past::make(&folder.join("few.db"), &intents, few).await;
    let many = Past::make(&folder.join("many.db"), &intents, sizes.finished).await;
    let what = format!("history: filling a store with {} finished executions", sizes.finished);
    let mut figures = vec![Figure::told(what, "s", filling.elapsed().as_secs_f64())];
    let asks = asks(&intents, few.finished);
    let mut samples: Vec<(Vec<f64>, Vec<f64>)> = asks.iter().map(|_| Default::default()).collect();
    for round in 0..=sizes.rounds {
        for ((_, ask), (of_few, of_many)) in asks.iter().zip(&mut samples) {
            let mut turns = [(&few, of_few), (&many, of_many)];
            // Nobody always comes after the other.
            if round % 2 == 0 {
                turns.reverse();
            }
            for (past, samples) in turns {
                let us = past.ask(ask, &intents).await;
                // The first round only warms caches.
                if round > 0 {
                    samples.push(us);
                }
            }
        }
    }
    for ((name, _), (of_few, of_many)) in asks.iter().zip(samples) {
        let (of_few, of_many) = (median(of_few), median(of_many));
        let what = format!("history: {name}, {of_many:.0} over {of_few:.0} µs");
        figures.push(Figure::bounded(what, "times", of_many / of_few, RATIO_MAX));
    }
    few.rig.close().await;
    many.rig.close().await;
    figures
}

fn intent(number: usize) -> StartRequest {
    let mut definition = three_steps();
    definition["steps"][2]["parameters"] = json!({ "said": "${ input.said }" });
    let labels = BTreeMap::from([("team".to_owned(), format!("team-{number}"))]);
    let input = json!({ "said": "c" });
    StartRequest { labels, input, ..request(&format!("load-{number}"), definition) }
}

fn asks(intents: &[StartRequest], few: u64) -> Vec<(&'static str, Ask)> {
    let uid = |number: usize| intents.get(number).map(|request| request.plan.document.intent.uid);
    let list = |filter: ExecutionFilter| Ask::List(Box::new(filter));
    let none = ExecutionFilter::default;
    let failed = Some(ExecutionStatus::Failed);
    let (common, unfailing) = (uid(0), uid(INTENTS - 1));
    let label = Some(("team".to_owned(), "team-1".to_owned()));
    vec![
        ("one new execution", Ask::Start),
        ("64 new executions at once, each", Ask::StartTogether),
        ("get a recent one", Ask::Get(Some(few))),
        ("get any", Ask::Get(None)),
        ("list", list(none())),
        ("list of an intent", list(ExecutionFilter { intent_uid: common, ..none() })),
        ("list of a status", list(ExecutionFilter { status: failed, ..none() })),
        ("list of both", list(ExecutionFilter { intent_uid: common, status: failed, ..none() })),
        (
            "list of both, without any",
            list(ExecutionFilter { intent_uid: unfailing, status: failed, ..none() }),
        ),
        ("list of a label", list(ExecutionFilter { label, ..none() })),
        ("list of open ones", list(ExecutionFilter { open_only: true, ..none() })),
    ]
}

impl Past {
    async fn make(path: &Path, intents: &[StartRequest], finished: u64) -> Self {
        let rig = launch(path).await;
        let mut templates = Vec::new();
        for turn in 0..TURNS {
            let (request, fails) = (&intents[turn % INTENTS], turn < INTENTS - 1);
            let said = if fails { "fail" } else { "c" };
            let request = StartRequest { input: json!({ "said": said }), ..born(request) };
            templates.push(request.id);
            rig.execute(request).await;
        }
        rig.close().await;
        copies::make(path, &templates, finished).await;
        Self { rig: launch(path).await, finished }
    }

    /// Microseconds of one.
    async fn ask(&self, ask: &Ask, intents: &[StartRequest]) -> f64 {
        let began = Instant::now();
        let mut asked = 0;
        while asked < ASKED && began.elapsed() < ROUND {
            asked += self.answer(ask, &intents[0], asked as u64).await;
        }
        began.elapsed().as_secs_f64() * 1e6 / asked as f64
    }

    /// How many it were.
    async fn answer(&self, ask: &Ask, request: &StartRequest, asked: u64) -> usize {
        let (engine, scope) = (&self.rig.engine, &self.rig.scope);
        match ask {
            Ask::Start => self.rig.execute(born(request)).await,
            Ask::StartTogether => {
                join_all((0..CLIENTS).map(|_| self.rig.execute(born(request)))).await;
                return CLIENTS;
            }
            Ask::Get(newest) => {
                let view = engine.view(scope, &self.some(*newest, asked)).await.expect("the store reads");
                assert!(view.is_some_and(|view| view.steps.len() == 3), "it is there");
            }
            Ask::List(filter) => {
                let page =
                    engine.list(scope, filter, PageRequest::first(PAGE)).await.expect("the store reads");
                std::hint::black_box(page);
            }
        }
        1
    }

    /// Spread over the newest of so many, or over all.
    fn some(&self, newest: Option<u64>, asked: u64) -> ExecutionId {
        const STRIDE: u64 = 7_919;
        let among = newest.unwrap_or(self.finished);
        copies::id(self.finished - among + asked * STRIDE % among)
    }
}

async fn launch(path: &Path) -> Rig {
    Rig::launch(path, Arc::new(Fallible(Echo::default())), EngineOptions::default()).await
}
