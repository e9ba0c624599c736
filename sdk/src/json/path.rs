//! Where in the text something does not fit, such as `steps[2].image.name`.

use std::cell::RefCell;
use std::fmt::Display;

/// Grows at its front while an error travels outward.
#[derive(Debug, Default)]
pub(super) struct Path(RefCell<String>);

/// One step from a value to one of its parts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Name(&'a str),
    Index(usize),
}

impl Path {
    /// Of a field, a variant or an element that was read: an error is behind this part of the path; without one, an error
    /// that somebody caught further inside is forgotten.
    pub fn note<T, E>(&self, read: Result<T, E>, part: Part<'_>) -> Result<T, E> {
        match read {
            Ok(_) => self.0.borrow_mut().clear(),
            Err(_) => self.prepend(part),
        }
        read
    }

    fn prepend(&self, part: Part<'_>) {
        let mut path = self.0.borrow_mut();
        if !path.is_empty() && !path.starts_with('[') {
            path.insert(0, '.');
        }
        match part {
            Part::Name(name) => path.insert_str(0, name),
            Part::Index(index) => path.insert_str(0, &format!("[{index}]")),
        }
    }

    /// The error behind its path.
    pub fn before(&self, error: &impl Display) -> String {
        let path = self.0.borrow();
        if path.is_empty() { error.to_string() } else { format!("{path}: {error}") }
    }
}
