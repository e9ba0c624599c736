//! Where the hosts are now, for everybody who talks to them; and whether the run still wants something new.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;

#[derive(Default)]
pub struct Hosts {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    /// Base URLs of those that listen, with the places of their nodes.
    listening: Vec<(usize, String)>,
    /// Of the host that came last.
    newest: String,
    /// Draws which of several is asked; none: the machine's chance.
    rng: Option<Rng>,
    /// Hosts so far.
    generation: u64,
    stopping: bool,
    gone: bool,
}

impl Hosts {
    /// Which of several is asked is drawn from the seed.
    pub fn new(seed: u64) -> Self {
        Self { now: Mutex::new(Now { rng: Some(Rng::with_seed(seed)), ..Now::default() }), ..Self::default() }
    }

    /// The only host.
    pub fn moved_to(&self, url: &str) {
        self.listens(0, url);
    }

    pub fn listens(&self, node: usize, url: &str) {
        let mut now = self.lock();
        now.listening.retain(|(known, _)| *known != node);
        now.listening.push((node, url.to_owned()));
        url.clone_into(&mut now.newest);
        now.generation += 1;
        self.changed.notify_all();
    }

    /// Nobody is sent there any more.
    pub fn left(&self, node: usize) {
        self.lock().listening.retain(|(known, _)| *known != node);
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

    /// The generation, and the base URL of one that listens; of the newest host when none does. It may be dead.
    pub fn here(&self) -> (u64, String) {
        let mut now = self.lock();
        let count = now.listening.len().max(1);
        let place = now.rng.as_mut().map_or(0, |rng| rng.usize(..count));
        let url = now.listening.get(place).map_or(&now.newest, |(_, url)| url);
        (now.generation, url.clone())
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

    #[test]
    fn whoever_listens_is_asked_in_turns_and_who_left_is_not() {
        let hosts = Hosts::new(7);
        ["http://a", "http://b"].iter().enumerate().for_each(|(node, url)| hosts.listens(node, url));
        let asked: std::collections::BTreeSet<_> = (0..100).map(|_| hosts.here().1).collect();
        assert_eq!(asked.len(), 2);
        hosts.left(0);
        assert!((0..100).all(|_| hosts.here().1 == "http://b"));
        hosts.left(1);
        assert_eq!(hosts.here().1, "http://b");
    }
}
