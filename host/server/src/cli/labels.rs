//! `--label KEY=VALUE`, once for each label.

use clap::Args;
use serde_json::{Map, Value};

use super::error::CliError;

#[derive(Debug, Args)]
pub(crate) struct Labels {
    /// Of each execution; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
}

impl Labels {
    /// Err: `Usage`.
    pub fn read(&self) -> Result<Map<String, Value>, CliError> {
        let mut read = Map::new();
        for text in &self.labels {
            let (key, value) = text
                .split_once('=')
                .ok_or_else(|| CliError::Usage(format!("\"{text}\" is no label; write --label KEY=VALUE")))?;
            if read.insert(key.to_owned(), value.into()).is_some() {
                return Err(CliError::Usage(format!("the label {key} is given twice; it has one value")));
            }
        }
        Ok(read)
    }
}
