//! What a tenant says is its own: the host's log does not repeat it, at whatever level, and its numbers do not either.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;

use crate::twins::life;
use crate::world::{B, World};

/// No other test writes it; one word, as an expression too.
const CANARY: &str = "canaryofthelog";

/// All lines of this program, of which those with the canary are kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    debug: usize,
    with_canary: Vec<String>,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.debug += usize::from(text.contains("DEBUG"));
        heard.with_canary.extend(text.contains(CANARY).then(|| text.into_owned()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_a_tenant_says_is_in_no_line_of_the_log_and_in_no_metric() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::DEBUG).with_ansi(false);
    subscriber.with_writer(move || writer.clone()).try_init().expect("nobody else listens");
    let numbers = PrometheusBuilder::new().install_recorder().expect("nobody else counts");
    let world = World::start().await;
    life(&world, B, CANARY, false).live().await;
    let token = world.admin(B);
    // What is found fault with is content as well, and so is the input, and why a step failed.
    for (name, steps) in
        [("a", json!([{ "action": CANARY }])), ("b", json!([{ "action": "echo", "when": CANARY }]))]
    {
        let body = json!({ "name": name, "labels": { CANARY: CANARY }, "definition": { "steps": steps } });
        let answer = world.post(&token, "/api/v1/intents", &body).await;
        assert!(answer.text.contains(CANARY), "it is told to who asks: {}", answer.text);
    }
    let fails =
        json!([{ "action": "core/fail", "message": CANARY }, { "action": "echo", "say": "${ input.say }" }]);
    let body = json!({ "name": "fails", "definition": { "steps": fails } });
    world.post(&token, "/api/v1/intents", &body).await.is(201);
    let path = "/api/v1/intents/fails/execute?wait=30s";
    let ended = world.post(&token, path, &json!({ "input": { "say": CANARY } })).await;
    assert!(ended.text.contains(CANARY), "it is told to who asks: {}", ended.text);
    world.engine.observe();
    let numbers = numbers.render();
    assert!(numbers.contains("quantum_executions_ended_total"), "{numbers}");
    assert!(!numbers.contains(CANARY), "{numbers}");
    let heard = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(heard.debug > 0, "nothing was heard");
    assert!(heard.with_canary.is_empty(), "{:#?}", heard.with_canary);
}
