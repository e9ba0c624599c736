//! An install on a host that has never seen the component: it is compiled.

use std::time::Instant;

use quantum_benches::report::{Figure, median};

use crate::attempt::Host;
use crate::component::Component;
use crate::large;
use crate::options::Sizes;

const SMALL_MS: f64 = 300.0;
const LARGE_MS: f64 = 3_000.0;
/// A large one takes seconds.
const LARGE_ROUNDS: usize = 3;

pub fn measure(component: &Component, sizes: &Sizes) -> Vec<Figure> {
    let large = large::of(&component.bytes, sizes.large_bytes);
    vec![
        Figure::bounded(
            format!("install of {} ({} kB), cold", component.name, component.bytes.len() / 1_000),
            "ms",
            install_ms(&component.bytes, sizes.rounds),
            SMALL_MS,
        ),
        Figure::bounded(
            format!("install of a component of {} kB, cold", large.len() / 1_000),
            "ms",
            install_ms(&large, sizes.rounds.min(LARGE_ROUNDS)),
            LARGE_MS,
        ),
    ]
}

fn install_ms(bytes: &[u8], rounds: usize) -> f64 {
    let each = (0..rounds).map(|_| {
        let host = Host::new();
        let began = Instant::now();
        host.install(bytes.to_vec());
        began.elapsed().as_secs_f64() * 1e3
    });
    median(each.collect())
}
