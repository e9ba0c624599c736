//! The neighbour's attempts, while one attack after the other is made in another tenant, over the same without.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quantum_benches::report::{Figure, median, quantile};

use crate::attack::{ATTACKS, Attack};
use crate::options::Sizes;
use crate::stage::Stage;

const OF_ALONE: f64 = 1.5;

pub async fn measure(sizes: &Sizes, stage: &Arc<Stage>) -> Vec<Figure> {
    // What is only made once.
    p99(sizes, stage).await;
    let mut alone = Vec::new();
    let mut figures = Vec::new();
    for attack in &ATTACKS {
        stage.attack(attack).await;
        let mut ratios = Vec::new();
        for _ in 0..sizes.rounds {
            let without = p99(sizes, stage).await;
            alone.push(without);
            ratios.push(beside(sizes, stage, attack).await / without);
        }
        let what = format!("neighbour: p99 beside {}, over alone", attack.name());
        figures.push(Figure::bounded(what, "", median(ratios), OF_ALONE));
    }
    figures.insert(
        0,
        Figure::told(format!("neighbour, {}: p99 alone", stage.neighbour_name), "us", median(alone)),
    );
    figures
}

/// The same while somebody does nothing but attack. The last attack has ended when this does.
async fn beside(sizes: &Sizes, stage: &Arc<Stage>, attack: &'static Attack) -> f64 {
    let measured = Arc::new(AtomicBool::new(false));
    let (there, until) = (Arc::clone(stage), Arc::clone(&measured));
    let attacking = tokio::spawn(async move {
        while !until.load(Ordering::Relaxed) {
            there.attack(attack).await;
        }
    });
    let p99 = p99(sizes, stage).await;
    measured.store(true, Ordering::Relaxed);
    attacking.await.expect("each attack gets its error");
    p99
}

/// Microseconds.
async fn p99(sizes: &Sizes, stage: &Stage) -> f64 {
    let mut samples = Vec::with_capacity(sizes.attempts);
    for _ in 0..sizes.attempts {
        samples.push(stage.neighbour().await.as_secs_f64() * 1e6);
    }
    quantile(&samples, 0.99)
}
