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

/// Readings, of which the least counts: bombs that are under way hold tens of mebibytes for a moment, and a leak raises
/// every reading.
const READINGS: usize = 8;

pub async fn measure(sizes: &Sizes, stage: &Stage) -> Vec<Figure> {
    attack(sizes.warm_up, stage).await;
    let before = least_resident(sizes.warm_up, stage).await;
    attack(sizes.attacks - sizes.warm_up, stage).await;
    let after = least_resident(sizes.warm_up, stage).await;
    let (warm_up, attacks) = (sizes.warm_up, sizes.attacks);
    vec![
        Figure::told(
            format!("memory: least resident after {warm_up} to {} attacks", 2 * warm_up),
            "MiB",
            before,
        ),
        Figure::bounded(format!("memory: growth over {attacks} more"), "MiB", after - before, GROWTH_MIB_MAX),
    ]
}

/// Of readings among so many attacks.
async fn least_resident(attacks: usize, stage: &Stage) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..READINGS {
        attack(attacks.div_ceil(READINGS), stage).await;
        least = least.min(resident());
    }
    least
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
