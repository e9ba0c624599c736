//! Where the host is now, for everybody who talks to it; and whether the run still wants something new.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Default)]
pub struct Hosts {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    url: String,
    /// Hosts so far.
    generation: u64,
    stopping: bool,
    gone: bool,
}

impl Hosts {
    pub fn moved_to(&self, url: &str) {
        let mut now = self.lock();
        url.clone_into(&mut now.url);
        now.generation += 1;
        self.changed.notify_all();
    }

    /// Clients end what they have begun, and begin nothing more.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.changed.notify_all();
    }

    pub fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// No further host comes: whoever waits for an answer need not wait longer.
    pub fn give_up(&self) {
        let mut now = self.lock();
        (now.stopping, now.gone) = (true, true);
        self.changed.notify_all();
    }

    pub fn are_gone(&self) -> bool {
        self.lock().gone
    }

    /// The generation and base URL of the newest host. It may be dead.
    pub fn here(&self) -> (u64, String) {
        let now = self.lock();
        (now.generation, now.url.clone())
    }

    /// Returns when a later host listens than the one of this generation, or after so long.
    pub fn wait_after(&self, generation: u64, most: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), most, |now| now.generation == generation));
    }

    /// A while that ends early when the run stops.
    pub fn rest(&self, most: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), most, |now| !now.stopping));
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_for_the_next_host_gets_it_at_once_when_it_is_there() {
        let hosts = Hosts::default();
        hosts.moved_to("http://a");
        let (first, _) = hosts.here();
        hosts.moved_to("http://b");
        hosts.wait_after(first, Duration::from_secs(600));
        assert_eq!(hosts.here(), (2, "http://b".to_owned()));
        hosts.stop();
        hosts.rest(Duration::from_secs(600));
        assert!(hosts.is_stopping());
    }
}
