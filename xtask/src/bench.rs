//! `cargo xtask bench`: the benches, the load generator against a release build of the host, and the simulation of cells.

use std::process::Command;

use crate::artifacts::{self, Profile};
use crate::error::Result;
use crate::{shell, tools};

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bench {
    /// Every bench.
    All,
    /// One bench by its name, with its own arguments: mostly criterion's.
    One(String, Vec<String>),
    /// The load generator, with its own arguments.
    Load(Vec<String>),
    /// The simulation of tenants on cells, with its own arguments. It measures nothing and needs no host.
    Cells(Vec<String>),
}

impl Bench {
    pub fn parse(arguments: &[String]) -> Self {
        match arguments {
            [] => Self::All,
            [first, rest @ ..] if first == "load" => Self::Load(rest.to_vec()),
            [first, rest @ ..] if first == "cells" => Self::Cells(rest.to_vec()),
            [first, rest @ ..] => Self::One(first.clone(), rest.to_vec()),
        }
    }
}

pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::All => shell::run(&mut shell::cargo(&["bench", "--package", "quantum-benches"])),
        Bench::One(name, rest) => {
            let mut command = shell::cargo(&["bench", "--package", "quantum-benches", "--bench", name, "--"]);
            shell::run(command.args(rest))
        }
        Bench::Load(rest) => load(rest),
        Bench::Cells(rest) => shell::run(program("cells").args(rest)),
    }
}

/// The generator starts its own host: it is told where the release binary is; the plugins lie beside it.
fn load(arguments: &[String]) -> Result<()> {
    tools::prepare()?;
    let artifacts = artifacts::build(Profile::Release)?;
    shell::run(program("load").args(arguments).env("QUANTUM_BIN", &artifacts.quantum))
}

fn program(name: &str) -> Command {
    shell::cargo(&["run", "--release", "--package", "quantum-benches", "--bin", name, "--"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_chooses_and_the_rest_is_passed_on() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let check = |text: &str, expected: Bench| assert_eq!(Bench::parse(&words(text)), expected, "{text}");
        check("", Bench::All);
        check("journal --quick", Bench::One("journal".into(), words("--quick")));
        check("scale history --finished 1000", Bench::One("scale".into(), words("history --finished 1000")));
        check("load --clients 64", Bench::Load(words("--clients 64")));
        check("cells --seed 7", Bench::Cells(words("--seed 7")));
    }
}
