//! What an element of a long list costs beside one of a short list: in time, and on the processor alone, since the time
//! of a flush hides much.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use quantum_engine::{EngineOptions, StartRequest};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::fixture::{Echo, Rig, born, request};
use crate::options::Sizes;
use quantum_benches::report::{Figure, median};

const SHORT: usize = 10;
/// Executions of a short list that are measured together, for each long one.
const SHORTS: usize = 10;
const RATIO_MAX: f64 = 1.5;

/// Microseconds an element.
#[derive(Default)]
struct Costs {
    elapsed: Vec<f64>,
    processor: Vec<f64>,
}

pub async fn measure(sizes: &Sizes, folder: &Path) -> Vec<Figure> {
    let path = folder.join("for_each.db");
    let rig = Rig::launch(&path, Arc::new(Echo::default()), EngineOptions::default()).await;
    let request = request(
        "each",
        json!({ "steps": [{
            "id": "each", "action": "echo", "parameters": { "said": "${ item }" },
            "for_each": { "in": "input.items" }
        }]}),
    );
    let of = |elements: usize| {
        let items: Vec<usize> = (0..elements).collect();
        StartRequest { input: json!({ "items": items }), ..request.clone() }
    };
    let (short, long) = (of(SHORT), of(sizes.elements));
    let (mut short_costs, mut long_costs) = (Costs::default(), Costs::default());
    for _ in 0..sizes.rounds {
        short_costs.add(&rig, &short, SHORTS, SHORT).await;
        long_costs.add(&rig, &long, 1, sizes.elements).await;
    }
    rig.close().await;
    let (short, long) = (short_costs.medians(), long_costs.medians());
    let elements = sizes.elements;
    let what = |of: &str| format!("for_each: {of} of an element, {elements} over {SHORT} elements");
    vec![
        Figure::told(format!("for_each: an element of {SHORT}"), "µs", short.0),
        Figure::bounded(what("time"), "times", long.0 / short.0, RATIO_MAX),
        Figure::bounded(what("processor"), "times", long.1 / short.1, RATIO_MAX),
    ]
}

impl Costs {
    async fn add(&mut self, rig: &Rig, request: &StartRequest, executions: usize, elements: usize) {
        let (began, used) = (Instant::now(), processor_us());
        for _ in 0..executions {
            rig.execute(born(request)).await;
        }
        let each = |us: f64| us / (executions * elements) as f64;
        self.elapsed.push(each(began.elapsed().as_secs_f64() * 1e6));
        self.processor.push(each(processor_us() - used));
    }

    fn medians(self) -> (f64, f64) {
        (median(self.elapsed), median(self.processor))
    }
}

/// Of all threads, since the start.
fn processor_us() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3
}
