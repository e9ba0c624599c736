//! The way of news between nodes: what one of them is asked and another one runs, and what is seen of it there.

use std::sync::Arc;
use std::time::Instant;

use quantum_benches::report::{Figure, quantile};
use quantum_core::machine::Command;
use quantum_core::port::{Attempt, AttemptReport, BoxFuture, PrincipalKind, Requester, StepRunner};
use quantum_engine::FeedItem;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::cluster::Cluster;
use crate::fixture::{Echo, born, request};
use crate::options::Sizes;

const MS_MAX: f64 = 50.0;
const LEASE_MS: u64 = 10_000;

/// Tells when the step after the signal runs.
struct Stamps(mpsc::UnboundedSender<Instant>, Echo);

impl StepRunner for Stamps {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        self.0.send(Instant::now()).expect("somebody listens");
        self.1.run(attempt)
    }
}

pub async fn measure(sizes: &Sizes, cluster: &Cluster) -> Vec<Figure> {
    let database = cluster.database();
    let (sender, mut ran) = mpsc::unbounded_channel();
    let a = database.node("a", Arc::new(Stamps(sender, Echo::default())), LEASE_MS).await;
    let b = database.node("b", Arc::new(Echo::default()), LEASE_MS).await;
    let request = request(
        "wakeup",
        json!({ "steps": [
            { "id": "go", "action": "core/signal", "name": "go" },
            { "id": "then", "action": "echo" }
        ]}),
    );
    let (mut woken, mut answered, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..sizes.wakeups {
        let id = a.engine.start(born(&request)).await.expect("the store writes").id;
        let mut feed =
            b.engine.follow(&b.scope, &id, 0).await.expect("the store reads").expect("it is known");
        let here = a.engine.clone();
        let scope = a.scope.clone();
        let ended = tokio::spawn(async move {
            here.ended(&scope, &id).await.expect("it is known");
            Instant::now()
        });
        let asked = Instant::now();
        let following = tokio::spawn(async move {
            // The stream is open for a moment longer, for what the last step said.
            let mut seen = Instant::now();
            while let Some(item) = feed.next().await.expect("the store reads") {
                if matches!(item, FeedItem::Events(_)) {
                    seen = Instant::now();
                }
            }
            seen
        });
        b.engine.operate(&b.scope, &id, signal()).await.expect("it waits for it");
        answered.push(ms(asked, Instant::now()));
        woken.push(ms(asked, ran.recv().await.expect("the runner is there")));
        let ended = ended.await.expect("it ends");
        seen.push(ms(ended, following.await.expect("it ends")));
    }
    for rig in [a, b] {
        rig.close().await;
    }
    let figures = |what: &str, samples: &[f64]| {
        [
            Figure::told(format!("{what}, p50"), "ms", quantile(samples, 0.5)),
            Figure::bounded(format!("{what}, p99"), "ms", quantile(samples, 0.99), MS_MAX),
        ]
    };
    [
        figures("wake-up: a signal at another node, until the next step runs", &woken),
        figures("wake-up: a signal at another node, until it is answered", &answered),
        figures("wake-up: an end, until a follower at another node sees it", &seen),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn signal() -> Command {
    let id = quantum_core::id::PrincipalId::new("olga").expect("a good id");
    let sent_by = Requester { id, kind: PrincipalKind::User };
    Command::Signal { name: "go".to_owned(), payload: Value::Null, sent_by }
}

/// Nothing where the second came first.
fn ms(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1_000.0
}
