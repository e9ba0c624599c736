//! A run of a bench that holds figures against bounds: how it was asked for, and how it ends.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::report::{Figure, Judged, Report};

/// What every such bench can be asked, beside what is its own.
#[derive(Debug, Clone, Args)]
pub struct RunOptions {
    /// Where the figures are written [default: below bench/ in the target folder]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// `cargo bench` says so
    #[arg(long, hide = true)]
    bench: bool,
}

/// What to measure: the parts that are named, and all where none is.
pub fn parts<P: ValueEnum>(named: &[P]) -> &[P] {
    if named.is_empty() { P::value_variants() } else { named }
}

/// Prints figures as they come, since all of them take minutes.
pub struct Run {
    judged: Judged,
    report: Report,
}

impl Run {
    /// Without `--bench`, as `cargo test` calls it, everything is small and nothing is held against a bound; what else it
    /// passes on is for test harnesses.
    pub fn judged() -> Judged {
        if std::env::args().any(|argument| argument == "--bench") { Judged::Yes } else { Judged::No }
    }

    pub fn begin(judged: Judged) -> Self {
        let report = Report::default();
        println!("{}", report.head());
        Self { judged, report }
    }

    pub fn add(&mut self, figures: Vec<Figure>) {
        for figure in figures {
            println!("{}", figure.row(self.judged));
            self.report.figures.push(figure);
        }
    }

    /// A figure over its bound fails it.
    pub fn end(self, name: &str, options: &RunOptions) -> ExitCode {
        let json = options.json.clone().unwrap_or_else(|| default_json(name));
        if let Err(error) = self.report.write(&json) {
            eprintln!("error: failed to write {}: {error}", json.display());
            return ExitCode::FAILURE;
        }
        println!("the figures as JSON: {}", json.display());
        if self.report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// In the target folder, which cargo marks, beside what the load generator writes. A program that was copied out of it
/// leaves nothing where it is called.
fn default_json(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(std::env::temp_dir, PathBuf::from).join(format!("bench/{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_lie_in_the_target_folder() {
        let json = default_json("nodes");
        let target = json.parent().and_then(std::path::Path::parent).unwrap();
        assert!(json.ends_with("bench/nodes.json") && target.join("CACHEDIR.TAG").is_file(), "{json:?}");
    }
}
