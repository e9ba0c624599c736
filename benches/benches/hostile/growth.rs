//! Memory of the process after many attacks of every kind, over that after the first ones.

use futures::future::join_all;
use quantum_benches::process::rss_bytes;
use quantum_benches::report::Figure;

use crate::attack::ATTACKS;
use crate::options::Sizes;
use crate::stage::Stage;

/// Mebibytes: what the allocator and the pool of instances keep may move a little; a leak of a kilobyte an attack is
/// already as much.
const GROWTH_MIB_MAX: f64 = 10.0;
/// Attacks that are made at once.
const AT_ONCE: usize = 4;

pub async fn measure(sizes: &Sizes, stage: &Stage) -> Vec<Figure> {
    attack(sizes.warm_up, stage).await;
    let before = resident();
    attack(sizes.attacks, stage).await;
    let after = resident();
    let attacks = sizes.attacks;
    vec![
        Figure::told(format!("memory: resident after {} attacks", sizes.warm_up), "MiB", before),
        Figure::bounded(format!("memory: growth over {attacks} more"), "MiB", after - before, GROWTH_MIB_MAX),
    ]
}

/// So many, of all kinds in turn.
async fn attack(count: usize, stage: &Stage) {
    let attacker = |first: usize| async move {
        for at in (first..count).step_by(AT_ONCE) {
            stage.attack(&ATTACKS[at % ATTACKS.len()]).await;
        }
    };
    join_all((0..AT_ONCE).map(attacker)).await;
}

/// Mebibytes; nothing where the machine does not say.
fn resident() -> f64 {
    rss_bytes(std::process::id()).unwrap_or_default() as f64 / f64::from(1024 * 1024)
}
