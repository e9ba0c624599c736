//! Watches: changes as they happen, one JSON object a line, until the time that the client asked for is over.

use std::io::{Result, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::State;
use super::controller;
use super::deployment::fits;
use super::objects::text;
use super::path::Target;
use super::selector::Selector;
use super::status::{Status, bad_request};
use super::world::Change;
use crate::http::{Received, Reply};

/// Of a watch that says nothing; so that none stays for ever.
const SECONDS: u64 = 60;

struct Watch {
    namespace: String,
    name: Option<String>,
    labels: Selector,
    /// Of the last change that was told.
    version: u64,
    end: Instant,
}

pub fn start(state: &Arc<State>, request: &Received, namespace: &str) -> std::result::Result<Reply, Status> {
    let number = |name: &str| request.query(name).filter(|text| !text.is_empty()).map(str::parse::<u64>);
    let version =
        number("resourceVersion").transpose().map_err(|_| bad_request("invalid resource version"))?;
    let seconds = number("timeoutSeconds").transpose().map_err(|_| bad_request("invalid timeoutSeconds"))?;
    let fields = Selector::parse(request.query("fieldSelector").unwrap_or_default())?;
    let watch = Watch {
        namespace: namespace.to_owned(),
        name: fields.name()?.map(str::to_owned),
        labels: Selector::parse(request.query("labelSelector").unwrap_or_default())?,
        version: version.unwrap_or(0),
        end: Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS)),
    };
    let state = Arc::clone(state);
    Ok(Reply::stream("application/json", move |out| watch.run(&state, out)))
}

impl Watch {
    fn run(mut self, state: &State, out: &mut dyn Write) -> Result<()> {
        while let Some(news) = self.next(state) {
            match news {
                Ok(changes) => {
                    for change in changes {
                        self.version = change.version;
                        tell(out, change.kind, &change.object)?;
                    }
                }
                Err(status) => return tell(out, "ERROR", &status.object()),
            }
        }
        Ok(())
    }

    /// What is new, at least one change; what nobody has made yet, the controller does now. None: the time is over.
    fn next(&self, state: &State) -> Option<std::result::Result<Vec<Change>, Status>> {
        let mut world = state.world();
        loop {
            let changes = match world.changes_after(self.version) {
                Ok(changes) => changes,
                Err(status) => return Some(Err(status)),
            };
            let mine: Vec<_> = changes.into_iter().filter(|change| self.wants(&change.object)).collect();
            if !mine.is_empty() {
                return Some(Ok(mine));
            }
            let watched = world.deployments(&self.namespace).filter(|object| self.wants(object));
            let watched: Vec<Target> = watched.map(target).collect();
            if watched.iter().any(|target| controller::step(&mut world, target, &state.pull)) {
                state.changed.notify_all();
                continue;
            }
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = state.changed.wait_timeout(world, left);
            world = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }

    fn wants(&self, object: &Value) -> bool {
        text(object, "/metadata/namespace") == self.namespace
            && fits(object, &self.labels, self.name.as_deref())
    }
}

fn target(object: &Value) -> Target {
    let owned = |pointer| text(object, pointer).to_owned();
    Target { namespace: owned("/metadata/namespace"), name: owned("/metadata/name") }
}

fn tell(out: &mut dyn Write, kind: &str, object: &Value) -> Result<()> {
    out.write_all(format!("{}\n", json!({ "type": kind, "object": object })).as_bytes())
}
