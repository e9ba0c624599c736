//! The engine under a store and steps that fail, stall and die: whatever happens in between, an execution ends as it
//! would have ended undisturbed.
//!
//! A seed gives the intents, what their steps answer, what people do, and when the process dies. Time is a manual clock.
//! `QUANTUM_SEEDS=5000 cargo test -p quantum-engine --test it seeds` plays more seeds than the tests do, and
//! `QUANTUM_SEED=17` one alone; a failing seed prints that command.

mod catalogue;
mod check;
mod process;
mod scenario;

use std::sync::Arc;
use std::time::Duration;

use process::{Death, End, World};
use scenario::Scenario;

/// Seeds that the tests play where nothing else is asked for.
const SEEDS: u64 = 1_000;
/// Seeds that are played side by side: each waits for its store most of the time.
const AT_ONCE: usize = 8;
/// After this a scenario is told to hang: it takes a second at most where nothing does.
const HANGS_AFTER: Duration = Duration::from_secs(300);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Plays a scenario undisturbed, and then with each of the given deaths, and compares the ends.
async fn rehearse(scenario: &Scenario, deaths: Vec<Death>) {
    let calm = Arc::new(World::new(scenario.clone(), Vec::new()));
    let expected = play(&calm).await;
    let rough = Arc::new(World::new(scenario.clone(), deaths));
    let ends = play(&rough).await;
    check::ends_are_equal(scenario, &expected, &ends);
    check::effects(&rough, &ends);
}

async fn play(world: &Arc<World>) -> Vec<End> {
    match tokio::time::timeout(HANGS_AFTER, world.play()).await {
        Ok(ends) => ends,
        Err(_) => panic!("a process hangs while it is {}, after {} deaths", world.stage(), world.deaths()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_and_stalls_executions_of_all_seeds_end_as_undisturbed() {
    let seeds = match number("QUANTUM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("QUANTUM_SEEDS").unwrap_or(SEEDS),
    };
    let mut playing = tokio::task::JoinSet::new();
    for seed in seeds {
        if playing.len() >= AT_ONCE {
            passed(playing.join_next().await);
        }
        playing.spawn(async move {
            let played = tokio::spawn(async move {
                let mut rng = fastrand::Rng::with_seed(seed);
                let scenario = Scenario::random(&mut rng);
                let deaths = Death::random(&mut rng);
                rehearse(&scenario, deaths).await;
            });
            played.await.map_err(|failed| {
                format!(
                    "seed {seed} failed: {failed}; QUANTUM_SEED={seed} cargo test -p quantum-engine --test it \
                     whatever_dies plays it again"
                )
            })
        });
    }
    while let Some(played) = playing.join_next().await {
        passed(Some(played));
    }
}

fn passed(played: Option<Result<Result<(), String>, tokio::task::JoinError>>) {
    if let Some(Ok(Err(failed))) = played {
        panic!("{failed}");
    }
}

/// Before and after each write, and before and after each effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_of_each_kind_ends_as_undisturbed_from_every_single_crash_point() {
    let mut points = 0;
    for (name, scenario) in catalogue::all() {
        let calm = Arc::new(World::new(scenario.clone(), Vec::new()));
        let expected = play(&calm).await;
        for death in Death::each(calm.flushes(), calm.effects()) {
            let rough = Arc::new(World::new(scenario.clone(), vec![death]));
            let played = rough.clone();
            let ends = tokio::spawn(async move { play(&played).await }).await;
            let ends = ends.unwrap_or_else(|failed| panic!("{name} with {death:?}: {failed}"));
            let compared = std::panic::catch_unwind(|| {
                check::ends_are_equal(&scenario, &expected, &ends);
                check::effects(&rough, &ends);
            });
            assert!(compared.is_ok(), "{name} with {death:?}");
            points += 1;
        }
    }
    assert!(points > 200, "{points} crash points are too few to be all of them");
}
