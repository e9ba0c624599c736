//! What must hold after a run, whatever happened in it. The parts that look at logs, at the ledger and at answers are
//! pure; only `read` asks the host.

mod answers;
mod attempts;
mod effects;
mod log;
mod read;
mod subject;

pub use answers::{Spoken, answers};
pub use effects::{Repeats, effects};
pub use read::{Read, read_all};
pub use subject::Subject;

/// Promises that the table counts.
pub const ENDS: &str = "every accepted start ends exactly once";
pub const RESULTS: &str = "each step has one recorded result";

/// One promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The promise, in a few words.
    pub promise: &'static str,
    /// Empty: it is about no single one.
    pub execution: String,
    pub found: String,
}

impl Violation {
    pub fn new(promise: &'static str, execution: &str, found: impl Into<String>) -> Self {
        Self { promise, execution: execution.to_owned(), found: found.into() }
    }
}

/// Everything about one execution that its log alone can tell.
pub fn one(subject: &Subject<'_>) -> Vec<Violation> {
    let mut found = log::check(subject);
    found.extend(attempts::check(subject));
    found
}
