//! What the API said: every answer to a change, in a file that is on the disk before the client goes on.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::ledger::Lines;
use crate::error::Result;

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Milliseconds since the run began.
    pub at_ms: u64,
    pub operation: String,
    /// Of the execution: its input, and the idempotency key of its start.
    pub key: String,
    /// The intent, or the execution.
    pub about: String,
    pub result: Heard,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// A 2xx, with the execution that it names.
    Accepted {
        status: u16,
        execution: String,
        replayed: bool,
    },
    Refused {
        status: u16,
        code: String,
    },
    /// The connection ended, or nothing came: it may have happened or not.
    Lost {
        reason: String,
    },
}

pub struct Answers {
    lines: Mutex<Lines>,
    began: Instant,
}

impl Answers {
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { lines: Mutex::new(Lines::create(path)?), began: Instant::now() })
    }

    pub fn note(&self, operation: &str, key: &str, about: &str, result: Heard) -> std::io::Result<()> {
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (operation, key, about) = (operation.to_owned(), key.to_owned(), about.to_owned());
        let said = Said { at_ms, operation, key, about, result };
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).append(&said)
    }
}
