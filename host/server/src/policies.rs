//! The operator's policies in a running host: looked at again when their folder changed or somebody sends SIGHUP,
//! checked whole, and swapped at once. A set with findings changes nothing, and is told.
//!
//! Every node does this by itself, with the folder that it was started with.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quantum_api::PolicyState;
use quantum_policy::{Authorizer, CheckReport, PolicySet, PolicySources};
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;

/// How often the folder is looked at. A change is loaded when two looks in a row saw the same, so that a folder which
/// is being copied is not taken for a whole one.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Files of the folder that a look compares. Over it the rest is not compared, and the load refuses the folder.
const FILES_MAX: usize = 2 * PolicySources::FILES_MAX;

/// The policies in force, and what was wrong with those that were to follow them.
pub(crate) struct Policies {
    /// None: only the shipped ones, which do not change.
    dir: Option<PathBuf>,
    authorizer: Authorizer,
    refused: Mutex<Option<String>>,
    /// What the folder looked like when it was read.
    read: Mutex<Look>,
}

/// A folder's files, as far as they tell of a change without being read. None: it cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look(Option<Vec<Seen>>);

/// Path, inode, bytes, and the times of its content and of its entry, with nanoseconds.
type Seen = (PathBuf, u64, u64, (i64, i64), (i64, i64));

/// What came of a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Loaded,
    Unchanged,
    Refused,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

impl Policies {
    /// At a start. Err: what is wrong with them.
    pub fn open(dir: Option<&Path>) -> Result<Self, CheckReport> {
        let read = look(dir);
        let authorizer = Authorizer::new(compile(dir)?);
        let dir = dir.map(Path::to_owned);
        Ok(Self { dir, authorizer, refused: Mutex::default(), read: Mutex::new(read) })
    }

    pub fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    pub fn state(&self) -> PolicyState {
        PolicyState {
            version: self.authorizer.policies().version().to_owned(),
            refused: self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Reloads them for as long as the host runs: after each signal, and after each change of the folder.
    pub async fn watch(&self, mut asked: Signal, closing: CancellationToken) {
        let mut before = self.read();
        loop {
            let signalled = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                _ = asked.recv() => true,
                () = closing.cancelled() => return,
            };
            let dir = self.dir.clone();
            let Ok(now) = tokio::task::spawn_blocking(move || look(dir.as_deref())).await else { continue };
            if signalled || (now != self.read() && now == before) {
                *self.read.lock().unwrap_or_else(PoisonError::into_inner) = now.clone();
                self.reload().await;
            }
            before = now;
        }
    }

    async fn reload(&self) {
        let dir = self.dir.clone();
        let compiled = tokio::task::spawn_blocking(move || compile(dir.as_deref())).await;
        let outcome = match compiled {
            Ok(Ok(policies)) => self.swap(policies),
            Ok(Err(report)) => self.refuse(&report.to_string(), &self.told(&report)),
            Err(error) => self.refuse(&error.to_string(), "the host could not compile them; see its log"),
        };
        metrics::counter!("quantum_policy_reloads_total", "outcome" => outcome.as_str()).increment(1);
    }

    fn swap(&self, policies: PolicySet) -> Outcome {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let before = self.authorizer.policies().version().to_owned();
        if policies.version() == before {
            return Outcome::Unchanged;
        }
        tracing::info!(before, version = policies.version(), "the policies were replaced");
        self.authorizer.swap(policies);
        Outcome::Loaded
    }

    fn refuse(&self, findings: &str, told: &str) -> Outcome {
        let version = self.authorizer.policies().version().to_owned();
        tracing::error!(
            version,
            "the changed policies are refused, and those before stay in force:\n{findings}"
        );
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.to_owned());
        Outcome::Refused
    }

    fn told(&self, report: &CheckReport) -> String {
        let dir = self.dir.as_deref().unwrap_or_else(|| Path::new("")).display();
        let count = report.findings.len();
        format!("{count} findings; see them with: quantum policy check {dir}")
    }

    fn read(&self) -> Look {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn compile(dir: Option<&Path>) -> Result<PolicySet, CheckReport> {
    let sources = dir.map_or_else(|| Ok(PolicySources::shipped()), PolicySources::load);
    sources.and_then(|sources| PolicySet::compile(&sources))
}

fn look(dir: Option<&Path>) -> Look {
    let Some(dir) = dir else { return Look(Some(Vec::new())) };
    let Ok(entries) = std::fs::read_dir(dir) else { return Look(None) };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut seen: Vec<Seen> =
        paths.filter(|path| PolicySources::is_policies(path)).take(FILES_MAX).map(seen).collect();
    seen.sort();
    Look(Some(seen))
}

/// Of what a link leads to: a folder that is replaced as a whole is one of links. A file that cannot be looked at is
/// there all the same.
fn seen(path: PathBuf) -> Seen {
    match std::fs::metadata(&path) {
        Ok(file) => {
            let (content, entry) = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
            (path, file.ino(), file.size(), content, entry)
        }
        Err(_) => (path, 0, 0, (0, 0), (0, 0)),
    }
}

/// For whoever only looks at the state.
pub(crate) fn state_of(policies: &Arc<Policies>) -> Arc<dyn Fn() -> PolicyState + Send + Sync> {
    let policies = Arc::clone(policies);
    Arc::new(move || policies.state())
}
