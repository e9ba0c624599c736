//! A registry of the OCI distribution protocol: push and pull with tokens of its own token service.
//!
//! Every digest is computed, never believed. A blob is in the repositories that it was pushed or mounted to, and in no
//! other.

mod access;
mod blobs;
mod digest;
mod manifests;
mod problem;
mod route;
mod shelf;
mod uploads;

use std::sync::{Arc, Mutex, PoisonError};

pub use access::{Account, basic};
pub use digest::Digest;

use crate::error::Result;
use crate::http::{Received, Reply, Seen, Server};

use access::Access;
use problem::Problem;
use shelf::Shelf;

/// Runs until it is dropped.
pub struct Registry {
    server: Server,
    state: Arc<State>,
}

/// What all connections share.
struct State {
    access: Access,
    shelf: Mutex<Shelf>,
}

impl Registry {
    /// Only this account may pull and push; there are no anonymous users.
    pub fn start(account: Account) -> Result<Self> {
        let (listener, url) = Server::bind()?;
        let state = Arc::new(State { access: Access::new(url, account), shelf: Mutex::default() });
        let shared = Arc::clone(&state);
        let server = Server::start(listener, move |request| answer(&shared, request))?;
        Ok(Self { server, state })
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A look at what it holds, for as long as anyone likes.
    pub fn view(&self) -> View {
        View { state: Arc::clone(&self.state) }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

/// What a node of a cluster finds out when it pulls.
pub struct View {
    state: Arc<State>,
}

impl View {
    /// Whether a repository has a manifest under a tag or digest.
    pub fn has(&self, repository: &str, reference: &str) -> bool {
        self.state.shelf().manifest(repository, reference).is_some()
    }
}

impl State {
    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(state: &State, request: &Received) -> Reply {
    let reply = route::answer(state, request).unwrap_or_else(Problem::reply);
    reply.header("docker-distribution-api-version", "registry/2.0")
}

#[cfg(test)]
mod tests;
