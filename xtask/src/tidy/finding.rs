//! One broken rule: where, what, and what to do.

use std::fmt;

/// Ordered by place, so that a report reads like the checkout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// From 1; 0: the file as a whole.
    pub line: usize,
    pub what: String,
    pub fix: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    {}", self.path, self.line.max(1), self.what, self.fix)
    }
}
