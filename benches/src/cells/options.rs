//! What can be asked of the simulation.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::setup::Setup;

/// Simulates tenants on cells, and says which placement the plan takes
#[derive(Debug, Clone, Parser)]
#[command(name = "cells")]
pub struct Options {
    /// Of the tenants, their loads and every choice; the same seed gives the same table
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Tenants; all of them together need the same however many they are
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1_000..=100_000))]
    pub tenants: u32,
    /// Tenants that rebalancing may move in a day
    #[arg(long, default_value_t = 20)]
    pub moves: u32,
    /// Where the figures are written [default: bench/cells.json in the target folder]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Options {
    pub fn setup(&self) -> Setup {
        let tenants = self.tenants as usize;
        Setup { seed: self.seed, tenants, moves_a_day_max: self.moves, ..Setup::default() }
    }

    /// Beside what the other figures are written to, below the folder that this program was built in.
    pub fn json(&self, program: &Path) -> PathBuf {
        let target = program.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        self.json.clone().unwrap_or_else(|| target.join("bench/cells.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str) -> Result<Options, String> {
        let words = ["cells"].into_iter().chain(words.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn without_words_it_is_what_the_guide_quotes() {
        assert_eq!(check("").unwrap().setup(), Setup::default());
        let other = check("--seed 7 --moves 50").unwrap().setup();
        assert_eq!((other.seed, other.moves_a_day_max), (7, 50));
    }

    #[test]
    fn the_figures_lie_in_the_target_folder() {
        let options = check("").unwrap();
        assert_eq!(options.json("/t/release/cells".as_ref()), Path::new("/t/bench/cells.json"));
    }

    #[test]
    fn too_few_tenants_are_refused() {
        let error = check("--tenants 3").unwrap_err();
        assert!(error.contains("1000..=100000"), "{error}");
    }
}
