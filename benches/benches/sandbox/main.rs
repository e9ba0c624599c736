//! What the sandbox adds to a call: one attempt through it, over a bare pooled wasmtime call of the same component.
//!
//! The component is the packed plugin `hello`; a checkout where nothing is packed measures one that gives its
//! parameters back.

mod attempt;
mod bare;
mod component;
#[path = "../fixture/sandboxed.rs"]
mod sandboxed;

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};

/// Calls of a sample below which it is no figure, but a test that the bench runs.
const CALLS_LEAST: u64 = 20;

fn sandbox(criterion: &mut Criterion) {
    let component = component::load();
    let mut group = criterion.benchmark_group(format!("sandbox/{}", component.name));
    let (bare_us, attempt_us) = (Samples::default(), Samples::default());
    let bare = bare::Bare::new(&component.bytes);
    group.bench_function("bare wasmtime: instantiate and call", |bencher| {
        bencher.iter_custom(|calls| bare_us.measure(calls, || black_box(bare.call())));
    });
    drop(bare);
    let runner = attempt::Runner::new(component.bytes);
    group.bench_function("one attempt", |bencher| {
        bencher.iter_custom(|calls| attempt_us.measure(calls, || black_box(runner.run())));
    });
    group.finish();
    if let (Some(bare), Some(attempt)) = (bare_us.median(), attempt_us.median()) {
        println!("one attempt {attempt:.1} µs over a bare call {bare:.1} µs: {:.2}\n", attempt / bare);
    }
}

/// Microseconds a call, of each sample.
#[derive(Default)]
struct Samples(RefCell<Vec<f64>>);

impl Samples {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn measure<T>(&self, calls: u64, mut call: impl FnMut() -> T) -> Duration {
        let began = Instant::now();
        for _ in 0..calls {
            call();
        }
        let took = began.elapsed();
        if calls >= CALLS_LEAST {
            self.0.borrow_mut().push(took.as_secs_f64() * 1e6 / calls as f64);
        }
        took
    }

    fn median(&self) -> Option<f64> {
        let mut samples = self.0.borrow_mut();
        samples.sort_by(f64::total_cmp);
        samples.get(samples.len() / 2).copied()
    }
}

criterion_group!(benches, sandbox);
criterion_main!(benches);
