//! One attempt through sandbox and policies, over a bare pooled wasmtime call of the same component.

use std::hint::black_box;
use std::time::Duration;

use quantum_benches::report::{Figure, median};
use rustix::time::{ClockId, clock_gettime};

use crate::attempt::Runner;
use crate::bare::Bare;
use crate::component::Component;
use crate::options::Sizes;

const OF_BARE: f64 = 2.0;
/// As many times the calls that are counted are made before.
const SETTLING: u32 = 4;

pub fn measure(component: &Component, sizes: &Sizes) -> Vec<Figure> {
    let (mut bare_us, mut decision_us, mut attempt_us) = (Vec::new(), Vec::new(), Vec::new());
    // Two pools do not stand beside each other in the address space of every machine: each round makes its own.
    for round in 0..=sizes.rounds {
        let bare = Bare::new(&component.bytes);
        let without = cpu_us(sizes.calls, |calls| repeat(calls, || bare.call()));
        drop(bare);
        let runner = Runner::new(component.bytes.clone());
        let decision = cpu_us(sizes.calls, |calls| repeat(calls, || runner.decide()));
        let with = cpu_us(sizes.calls, |calls| drop(black_box(runner.run(calls))));
        // The first round is for what is only made once.
        if round > 0 {
            bare_us.push(without);
            decision_us.push(decision);
            attempt_us.push(with);
        }
    }
    let (bare, attempt) = (median(bare_us), median(attempt_us));
    let what = format!("{}: CPU of an attempt with its decision, over a bare call", component.name);
    vec![
        Figure::told(format!("{}: CPU of a bare pooled call", component.name), "µs", bare),
        Figure::told(format!("{}: CPU of an attempt with its decision", component.name), "µs", attempt),
        Figure::told("of it for the decision", "µs", median(decision_us)),
        Figure::bounded(what, "", attempt / bare, OF_BARE),
    ]
}

fn repeat<T>(times: u32, mut call: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(call());
    }
}

/// Microseconds of processor time of a call: of all threads, so that nothing is hidden on another one. Not counted is what
/// compiling leaves behind: memory that the allocator gives back some milliseconds later.
fn cpu_us(calls: u32, make: impl Fn(u32)) -> f64 {
    make(calls * SETTLING);
    let began = process_cpu();
    make(calls);
    (process_cpu() - began).as_secs_f64() * 1e6 / f64::from(calls)
}

fn process_cpu() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(used).expect("a process has used no less than nothing")
}
