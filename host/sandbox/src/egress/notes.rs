//! What the last request of an attempt leaves for the words of its failure.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::denial::Denial;

#[derive(Default)]
pub(crate) struct Notes(Mutex<Last>);

/// A denial, as the failure of the attempt says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Denied {
    pub message: String,
    pub details: Value,
}

impl From<&Denial> for Denied {
    fn from(denial: &Denial) -> Self {
        Self { message: denial.to_string(), details: denial.details() }
    }
}

#[derive(Default)]
struct Last {
    denial: Option<Denied>,
    hint: Option<String>,
}

impl Notes {
    /// A request was let through: what was before is not why the attempt fails.
    pub fn clear(&self) {
        self.change(|last| *last = Last::default());
    }

    pub fn denied(&self, denied: Denied) {
        self.change(|last| last.denial = Some(denied));
    }

    /// What a person can do about a request that was let through and failed.
    pub fn hint(&self, hint: String) {
        self.change(|last| last.hint = Some(hint));
    }

    pub fn last_denial(&self) -> Option<Denied> {
        self.change(|last| last.denial.clone())
    }

    pub fn last_hint(&self) -> Option<String> {
        self.change(|last| last.hint.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Last) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
