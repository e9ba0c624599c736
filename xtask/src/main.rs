//! `cargo xtask TASK`: reads the command line and calls the task.

use std::process::ExitCode;

use xtask::artifacts;
use xtask::bench::{self, Bench};
use xtask::error::{Error, Result};
use xtask::test::Depth;
use xtask::upgrade::{self, Upgrade};
use xtask::{chaos, codegen, demo, help, languages, shell, test, tidy, tools};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", shell::chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "-h" | "--help"] => print(help::OVERVIEW),
        ["help", task] | [task, "-h" | "--help"] => print(help::of(task).ok_or_else(|| unknown(task))?),
        ["demo"] => demo::run(demo::AtEnd::Stop),
        ["demo", "--keep"] => demo::run(demo::AtEnd::Keep),
        ["test"] => test::run(Depth::Full),
        ["test", "--quick"] => test::run(Depth::Quick),
        ["bench", ..] => bench::run(&Bench::parse(arguments.get(1..).unwrap_or_default())),
        ["chaos", rest @ ..] => chaos::Options::parse(rest).and_then(|options| chaos::run(&options)),
        ["upgrade", rest @ ..] => Upgrade::parse(rest).and_then(upgrade::run),
        [chaos::LEDGER, path] => chaos::serve_ledger(path.as_ref()),
        ["tidy"] => tidy::run(),
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::build_and_check(),
        ["plugins"] => tools::prepare().and_then(|()| artifacts::build_for_tests()).map(drop),
        ["languages"] => languages::run(),
        [task, rest @ ..] => Err(if help::of(task).is_some() { misused(task, rest) } else { unknown(task) }),
    }
}

fn print(text: &str) -> Result<()> {
    println!("{text}");
    Ok(())
}

fn unknown(task: &str) -> Error {
    Error::Usage(format!("there is no task \"{task}\"\n\n{}", help::OVERVIEW))
}

fn misused(task: &str, rest: &[&str]) -> Error {
    let usage = help::of(task).unwrap_or(help::OVERVIEW);
    Error::Usage(format!("{task} does not take \"{}\"\n\n{usage}", rest.join(" ")))
}
