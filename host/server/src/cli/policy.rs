//! `quantum policy …`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use miette::Report;
use quantum_policy::{PolicyFinding, check, check_shipped};
use serde_json::{Value, json};

use super::error::CliError;
use super::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a folder of .cedar files together with the shipped policies; without a folder, the shipped ones alone
    Check { dir: Option<PathBuf> },
}

impl PolicyCommand {
    pub fn run(self, output: Output) -> Result<(), CliError> {
        let Self::Check { dir } = self;
        let report = dir.as_deref().map_or_else(check_shipped, check);
        let mut out = io::stdout();
        match output {
            Output::Json => {
                let findings: Vec<Value> = report.findings.iter().map(to_json).collect();
                output.value(&json!({ "passed": report.passed(), "findings": findings }))?;
            }
            Output::Table => {
                for finding in &report.findings {
                    writeln!(out, "{:?}", Report::new(finding.clone()))?;
                }
            }
        }
        if !report.passed() {
            return Err(CliError::Failed(format!("the policies have {} findings", report.findings.len())));
        }
        if output == Output::Table {
            writeln!(out, "{} policies in {} files are fine", report.policies, report.files)?;
        }
        Ok(())
    }
}

fn to_json(finding: &PolicyFinding) -> Value {
    json!({
        "code": finding.code, "message": finding.message, "help": finding.help, "policy": finding.policy,
        "file": finding.file, "line": finding.line, "column": finding.column,
    })
}
