//! What can be asked of the load generator.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::RangedU64ValueParser;

/// Drives a host with executions of trivial steps, and says how many it does and how long one takes.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Options {
    /// Clients at the same time; each measures one phase
    #[arg(long, value_delimiter = ',', default_value = "1,16,64", value_parser = bounded(1, 1_000))]
    pub clients: Vec<usize>,
    /// Seconds of each phase
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Sequential steps of an execution
    #[arg(long, default_value = "3", value_parser = bounded(1, 100))]
    pub steps: usize,
    /// Where the figures are written [default: bench/load.json in the target folder]
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The host's binary; its plugins lie beside it. `cargo xtask bench load` builds both
    #[arg(long, env = "QUANTUM_BIN", value_name = "FILE")]
    pub quantum: PathBuf,
}

fn bounded(least: u64, most: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least..=most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str) -> Result<Options, String> {
        let words =
            ["load", "--quantum", "target/release/quantum"].into_iter().chain(words.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn clients_are_a_list_and_three_sizes_without_one() {
        assert_eq!(check("").unwrap().clients, [1, 16, 64]);
        assert_eq!(check("--clients 4,8 --seconds 2").unwrap().clients, [4, 8]);
    }

    #[test]
    fn a_size_that_is_no_load_is_refused() {
        let error = check("--clients 0").unwrap_err();
        assert!(error.contains("invalid value '0'") && error.contains("--clients"), "{error}");
    }
}
