//! A cluster's API: the part of Kubernetes that has Deployments, with a controller that rolls them out.
//!
//! The wire format is the documented one: server-side apply with field managers, optimistic concurrency, watches, and
//! `Status` objects. Nothing here takes time by itself: the controller makes one step whenever somebody looks.

mod access;
mod apply;
mod controller;
mod deployment;
mod fields;
mod managers;
mod objects;
mod path;
mod replica_set;
mod route;
mod selector;
mod status;
mod update;
mod watch;
mod world;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use access::ClusterUser;

use crate::error::Result;
use crate::http::{Received, Reply, Seen, Server};

use world::World;

/// Runs until it is dropped.
pub struct Cluster {
    server: Server,
    state: Arc<State>,
}

/// Whether a node can get an image; why not, as a runtime says it.
pub type Pull = Box<dyn Fn(&str) -> std::result::Result<(), String> + Send + Sync>;

pub struct ClusterOptions {
    pub namespaces: Vec<String>,
    pub users: Vec<ClusterUser>,
    pub pull: Pull,
}

/// What all connections share.
struct State {
    users: Vec<ClusterUser>,
    pull: Pull,
    world: Mutex<World>,
    changed: Condvar,
}

impl Cluster {
    pub fn start(options: ClusterOptions) -> Result<Self> {
        let (listener, _) = Server::bind()?;
        let ClusterOptions { namespaces, users, pull } = options;
        let world = Mutex::new(World::new(namespaces));
        let state = Arc::new(State { users, pull, world, changed: Condvar::new() });
        let shared = Arc::clone(&state);
        let server = Server::start(listener, move |request| answer(&shared, request))?;
        Ok(Self { server, state })
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A Deployment as the cluster holds it.
    pub fn deployment(&self, namespace: &str, name: &str) -> Option<Value> {
        self.state.world().deployment(namespace, name).cloned()
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

impl State {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(state: &Arc<State>, request: &Received) -> Reply {
    route::answer(state, request).unwrap_or_else(|status| status.reply())
}

#[cfg(test)]
mod tests;
