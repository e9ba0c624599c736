//! What `cargo xtask chaos` is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::artifacts::Profile;
use crate::error::{Error, Result};

/// Minutes of load and faults when nothing is said: as long as the run of `cargo xtask test`.
const MINUTES_DEFAULT: f64 = 2.0;
/// Minutes at most: executions and their logs are kept for the check, and the database grows.
const MINUTES_MAX: f64 = 240.0;
/// Clients at the same time when nothing is said. Most of them wait for a host most of the time.
const CLIENTS_DEFAULT: u32 = 12;
/// Clients at most: each has two connections at most, and a host takes 64 of one address.
const CLIENTS_MAX: u32 = 24;
/// Nodes at most: each has 16 connections to the run's PostgreSQL, which takes 200.
const NODES_MAX: usize = 8;

/// Everything that a run depends on, as far as it can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Of load and faults; the check comes on top.
    pub lasts: Duration,
    pub seed: u64,
    pub clients: u32,
    /// Hosts on one PostgreSQL; none: one host on SQLite.
    pub nodes: Option<usize>,
    /// A host of an earlier version, with which all nodes begin: the run replaces it by this one. None: there is one build.
    pub older: Option<PathBuf>,
    pub profile: Profile,
    pub at_end: AtEnd,
}

/// What becomes of the data folder of a run without a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    Remove,
    Keep,
}

impl Options {
    pub fn new(lasts: Duration, seed: u64) -> Self {
        Self {
            lasts,
            seed,
            clients: CLIENTS_DEFAULT,
            nodes: None,
            older: None,
            profile: Profile::Dev,
            at_end: AtEnd::Remove,
        }
    }

    /// From the words after the task's name.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self::new(minutes(MINUTES_DEFAULT), fastrand::u64(..));
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--keep" => options.at_end = AtEnd::Keep,
                "--release" => options.profile = Profile::Release,
                "--minutes" => options.lasts = minutes(number(word, words.next(), 0.05..=MINUTES_MAX)?),
                "--clients" => options.clients = number(word, words.next(), 1..=CLIENTS_MAX)?,
                "--nodes" => options.nodes = Some(number(word, words.next(), 2..=NODES_MAX)?),
                "--older" => options.older = Some(file(word, words.next())?),
                "--seed" => options.seed = number(word, words.next(), 0..=u64::MAX)?,
                other => return Err(Error::Usage(format!("chaos does not take \"{other}\"\n\n{}", help()))),
            }
        }
        if options.older.is_some() && options.nodes.is_none() {
            return Err(Error::Usage(format!("--older is for several nodes: add --nodes 3\n\n{}", help())));
        }
        Ok(options)
    }
}

/// Whole, since hosts run in another folder.
fn file(option: &str, word: Option<&&str>) -> Result<PathBuf> {
    let given = word.copied().unwrap_or_default();
    std::fs::canonicalize(given).map_err(|error| {
        Error::Usage(format!("{option} takes a file, not \"{given}\": {error}\n\n{}", help()))
    })
}

fn minutes(minutes: f64) -> Duration {
    Duration::from_secs_f64(minutes * 60.0)
}

fn number<T>(option: &str, word: Option<&&str>, range: std::ops::RangeInclusive<T>) -> Result<T>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let given = word.copied().unwrap_or_default();
    let value = given.parse().ok().filter(|value| range.contains(value));
    value.ok_or_else(|| {
        let (from, to) = (range.start(), range.end());
        Error::Usage(format!("{option} takes a number from {from} to {to}, not \"{given}\"\n\n{}", help()))
    })
}

fn help() -> &'static str {
    crate::help::of("chaos").unwrap_or(crate::help::OVERVIEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_read() {
        let words = [
            "--minutes",
            "0.5",
            "--seed",
            "7",
            "--clients",
            "3",
            "--nodes",
            "2",
            "--older",
            "/",
            "--release",
            "--keep",
        ];
        let expected = Options {
            lasts: Duration::from_secs(30),
            seed: 7,
            clients: 3,
            nodes: Some(2),
            older: Some(PathBuf::from("/")),
            profile: Profile::Release,
            at_end: AtEnd::Keep,
        };
        assert_eq!(Options::parse(&words).unwrap(), expected);
        assert_eq!(Options::parse(&[]).unwrap().lasts, Duration::from_secs(120));
    }

    #[test]
    fn what_is_out_of_bounds_or_unknown_is_told_with_the_page() {
        for words in [
            &["--minutes", "0"][..],
            &["--clients", "99"],
            &["--nodes", "1"],
            &["--older", "/"],
            &["--nodes", "2", "--older", "no such file"],
            &["--seed"],
            &["--fast"],
        ] {
            let told = Options::parse(words).unwrap_err().to_string();
            assert!(told.contains("cargo xtask chaos"), "{words:?}: {told}");
        }
    }
}
