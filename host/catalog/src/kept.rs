//! Answers of the store that are asked for with every request, kept until anything is changed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Answers that are kept. Over it all are forgotten: they are read again in microseconds.
const ANSWERS_MAX: usize = 4_096;

#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    answers: Mutex<Answers<K, V>>,
}

#[derive(Debug)]
struct Answers<K, V> {
    /// `Store::change_number` when the first of them was asked for.
    change: u64,
    by_key: HashMap<K, V>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { answers: Mutex::new(Answers { change: 0, by_key: HashMap::new() }) }
    }
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// `change`: of now, asked for before.
    pub fn find(&self, change: u64, key: &K) -> Option<V> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.change == change { answers.by_key.get(key).cloned() } else { None }
    }

    /// `change`: from before the answer was read. What was read while something changed is not kept.
    pub fn keep(&self, change: u64, key: K, answer: V) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if change < answers.change {
            return;
        }
        if change > answers.change || answers.by_key.len() >= ANSWERS_MAX {
            answers.by_key.clear();
            answers.change = change;
        }
        answers.by_key.insert(key, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_until_something_changes() {
        let kept = Kept::default();
        kept.keep(1, "a", 10);
        assert_eq!((kept.find(1, &"a"), kept.find(2, &"a")), (Some(10), None));
        kept.keep(2, "b", 20);
        assert_eq!((kept.find(2, &"a"), kept.find(2, &"b")), (None, Some(20)));
        kept.keep(1, "c", 30);
        assert_eq!(kept.find(2, &"c"), None, "it was read before the change");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let kept = Kept::default();
        for key in 0..=ANSWERS_MAX {
            kept.keep(1, key, ());
        }
        assert_eq!(kept.find(1, &0), None);
        assert_eq!(kept.find(1, &ANSWERS_MAX), Some(()));
    }
}
