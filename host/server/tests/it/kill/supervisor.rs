//! Kills the host and starts the next one on the same data folder.

use fastrand::Rng;
use tokio::sync::watch;

use super::{Hosts, Moments};
use crate::home::{Home, Host, poll_again};

/// Things that may happen before the next kill: accepted starts and seen events.
const MOMENTS_MAX: u64 = 150;
/// One kill of so many hits a host while it starts.
const STARTING_ONE_IN: u32 = 6;
/// Looks at the ready file before such a kill.
const LOOKS_MAX: u32 = 40;

pub struct Supervisor<'a> {
    home: &'a Home,
    host: Option<Host>,
    url: watch::Sender<String>,
    rng: Rng,
}

impl<'a> Supervisor<'a> {
    pub fn new(home: &'a Home, host: Host, seed: u64) -> Self {
        let url = watch::Sender::new(host.url.clone());
        Self { home, host: Some(host), url, rng: Rng::with_seed(seed) }
    }

    pub fn watch(&self) -> Hosts {
        self.url.subscribe()
    }

    /// One kill, under load or in the middle of a start; afterwards a host lives.
    pub async fn kill_once(&mut self, moments: &Moments) {
        if self.rng.u32(..STARTING_ONE_IN) == 0 && self.host.is_none() {
            self.kill_a_start();
        } else {
            self.live();
            moments.pass(self.rng.u64(..=MOMENTS_MAX)).await;
            self.host = None;
        }
    }

    /// The last host, which nobody kills, and what says where it is.
    pub fn finish(mut self) -> (Host, watch::Sender<String>) {
        self.live();
        (self.host.take().expect("a host lives"), self.url)
    }

    fn live(&mut self) {
        if self.host.is_none() {
            let host = self.home.start();
            self.url.send_replace(host.url.clone());
            self.host = Some(host);
        }
    }

    fn kill_a_start(&mut self) {
        let mut starting = self.home.spawn();
        for _ in 0..self.rng.u32(..LOOKS_MAX) {
            if let Some(host) = starting.look() {
                // Faster than drawn: it dies in its first moment.
                drop(host);
                return;
            }
            poll_again();
        }
    }
}
