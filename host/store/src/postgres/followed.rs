//! Which executions somebody follows at another node. Of the others nobody needs to be told how they go on, which is most
//! of what there would be to tell.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quantum_core::id::ExecutionId;
use tokio::time::Instant;

/// Whoever follows says so again before it is over.
const FOLLOWED_FOR: Duration = Duration::from_secs(5);
/// Executions that are known to be followed. When there are more, all of them are.
const KNOWN_MAX: usize = 16_384;

pub(super) struct Followed {
    until: Mutex<Until>,
}

struct Until {
    each: HashMap<ExecutionId, Instant>,
    all: Instant,
}

impl Followed {
    /// Who follows at first is not known.
    pub fn new(now: Instant) -> Self {
        Self { until: Mutex::new(Until { each: HashMap::new(), all: now + FOLLOWED_FOR }) }
    }

    /// Nothing was heard for a while.
    pub fn all(&self, now: Instant) {
        self.with(|until| until.all = now + FOLLOWED_FOR);
    }

    pub fn add(&self, execution: ExecutionId, now: Instant) {
        self.with(|until| {
            if until.each.len() >= KNOWN_MAX {
                until.each.retain(|_, until| *until > now);
            }
            if until.each.len() < KNOWN_MAX {
                until.each.insert(execution, now + FOLLOWED_FOR);
            } else {
                until.all = now + FOLLOWED_FOR;
            }
        });
    }

    pub fn contains(&self, execution: &ExecutionId, now: Instant) -> bool {
        self.with(|until| until.all > now || until.each.get(execution).is_some_and(|until| *until > now))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Until) -> T) -> T {
        act(&mut self.until.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(number: usize) -> ExecutionId {
        ExecutionId::parse(&format!("0198c0de-0000-7000-8000-{number:012}")).unwrap()
    }

    #[test]
    fn an_execution_is_followed_for_a_while_after_somebody_said_so() {
        let begin = Instant::now();
        let followed = Followed::new(begin);
        assert!(followed.contains(&execution(1), begin), "nothing is known yet");
        let later = begin + FOLLOWED_FOR;
        followed.add(execution(1), later);
        assert!(followed.contains(&execution(1), later) && !followed.contains(&execution(2), later));
        assert!(!followed.contains(&execution(1), later + FOLLOWED_FOR));
    }

    #[test]
    fn when_more_are_followed_than_can_be_known_all_are() {
        let begin = Instant::now();
        let followed = Followed::new(begin);
        let later = begin + FOLLOWED_FOR;
        (0..KNOWN_MAX).for_each(|number| followed.add(execution(number), later));
        assert!(!followed.contains(&execution(KNOWN_MAX + 1), later));
        followed.add(execution(KNOWN_MAX), later);
        assert!(followed.contains(&execution(KNOWN_MAX + 1), later));
        // Those that are over make place.
        let much_later = later + FOLLOWED_FOR;
        followed.add(execution(KNOWN_MAX), much_later);
        assert!(!followed.contains(&execution(1), much_later));
        assert!(followed.contains(&execution(KNOWN_MAX), much_later));
    }
}
