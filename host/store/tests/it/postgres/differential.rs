//! Both databases get the same random commands.

use quantum_store::conformance::differential::same_commands_have_the_same_answers;

use super::prepared;
use crate::{folder, open};

/// Seeds of each run; more by the environment.
const SEEDS: u64 = 6;
const MORE: &str = "QUANTUM_TEST_SEEDS";
const STEPS: u64 = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_commands_have_the_same_answers_on_both() {
    let seeds = std::env::var(MORE).map_or(SEEDS, |text| text.parse().expect("a number of seeds"));
    for seed in 0..seeds {
        let Some(database) = prepared().await else { return };
        let folder = folder();
        let (sqlite, postgres) = (open(&folder).await, (database.opener())().await.unwrap());
        same_commands_have_the_same_answers(&sqlite, &postgres, seed, STEPS).await.unwrap();
    }
}
