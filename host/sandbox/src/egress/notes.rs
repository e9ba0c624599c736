//! What the last request of an attempt leaves for the words of its failure.

use std::sync::{Mutex, PoisonError};

use super::denial::Denial;

#[derive(Default)]
pub(crate) struct Notes(Mutex<Last>);

#[derive(Default)]
struct Last {
    denial: Option<Denial>,
    hint: Option<String>,
}

impl Notes {
    /// A request was let through: what was before is not why the attempt fails.
    pub fn clear(&self) {
        self.change(|last| *last = Last::default());
    }

    pub fn deny(&self, denial: Denial) {
        self.change(|last| last.denial = Some(denial));
    }

    /// What a person can do about a request that was let through and failed.
    pub fn hint(&self, hint: String) {
        self.change(|last| last.hint = Some(hint));
    }

    pub fn last_denial(&self) -> Option<Denial> {
        self.change(|last| last.denial.clone())
    }

    pub fn last_hint(&self) -> Option<String> {
        self.change(|last| last.hint.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Last) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
