//! A case: a folder `cases/NAME` with `input.json`, `output.json` or `error.json`, and, when the action talks to a
//! service, `http.json`. What it finds besides is in `given.rs`, what it leaves in `left.rs`. `${server}` in any of the
//! files is where the service listens; `"<any>"` in an expected value stands for anything.

use std::path::{Path, PathBuf};

use quantum_core::problem::nearest;
use quantum_core::recording::{ReadError, Recording};
use quantum_core::vocabulary::Environment;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::Error;
use super::service::Exchange;

/// Milliseconds that a case may take when it says nothing.
const TIMEOUT_MS: u64 = 10_000;
/// Stands for the service's base URL.
const SERVER: &str = "${server}";
/// The service's part of a case.
const SCRIPT: &str = "http.json";

/// An attempt to be made again, in the place of `input.json`.
pub(super) const RECORDING: &str = "recording.json";

#[derive(Debug)]
pub(super) struct Case {
    pub name: String,
    pub dir: PathBuf,
}

/// `input.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub action: String,
    #[serde(default)]
    pub parameters: Value,
    /// The installation's configuration, when `settings.json` has none.
    #[serde(default)]
    pub config: Map<String, Value>,
    #[serde(default = "test_environment")]
    pub environment: Environment,
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    #[serde(default = "first")]
    pub attempt: u32,
    #[serde(default)]
    pub dry_run: bool,
}

fn timeout_ms() -> u64 {
    TIMEOUT_MS
}

fn first() -> u32 {
    1
}

fn test_environment() -> Environment {
    Environment::Test
}

/// All that a case may have, beside files of other kinds.
const FILES: [&str; 11] = [
    "input.json",
    "output.json",
    "error.json",
    RECORDING,
    SCRIPT,
    "settings.json",
    "secrets.json",
    "kv.json",
    "artifacts.json",
    "stored-artifacts.json",
    "stored-kv.json",
];
/// All that is known of a failure.
const FAILURE: [&str; 5] = ["code", "message", "retryable", "retry_after_ms", "details"];

/// How it must end.
#[derive(Debug)]
pub(super) enum Expected {
    /// The whole result.
    Output(Value),
    /// Of the failure, the fields that the file names.
    Error(Value),
}

/// All cases of a folder, by name.
fn find(dir: &Path) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    let none = || Error::NoCases { path: dir.to_owned() };
    for entry in std::fs::read_dir(dir).map_err(|_| none())? {
        let entry = entry.map_err(Error::file(dir))?;
        if entry.path().is_dir() {
            cases.push(Case::open(&entry.path())?);
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    if cases.is_empty() { Err(none()) } else { Ok(cases) }
}

/// Those whose name contains the text; it is a mistake when none does.
pub(super) fn find_some(dir: &Path, part: Option<&str>) -> Result<Vec<Case>, Error> {
    let cases = find(dir)?;
    let Some(part) = part else { return Ok(cases) };
    let (fitting, others): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.name.contains(part));
    if fitting.is_empty() {
        let names = others.iter().map(|case| case.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Error::NoneSuch { path: dir.to_owned(), part: part.to_owned(), names });
    }
    Ok(fitting)
}

impl Case {
    /// A folder of files as cases have them.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        if !dir.is_dir() {
            return Err(Error::Case { path: dir.to_owned(), reason: "it is no folder".to_owned() });
        }
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, dir: dir.to_owned() })
    }

    /// A file that nobody reads would be taken for a check that held.
    pub fn check_names(&self) -> Result<(), Error> {
        for entry in std::fs::read_dir(&self.dir).map_err(Error::file(&self.dir))? {
            let name = entry.map_err(Error::file(&self.dir))?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".json") && !FILES.contains(&name.as_str()) {
                return Err(self.broken(&format!("a case has no {name}; {}", meant(&name, &FILES))));
            }
        }
        Ok(())
    }

    /// The action talks to a service.
    pub fn has_service(&self) -> bool {
        self.dir.join(SCRIPT).exists()
    }

    /// The case is an attempt that was recorded, to be made again. None: it is a call.
    pub fn recording(&self) -> Result<Option<Recording>, Error> {
        let path = self.dir.join(RECORDING);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(Error::file(&path))?;
        let damaged = |error: ReadError| Error::Case { path, reason: error.to_string() };
        Recording::read(&bytes).map(Some).map_err(damaged)
    }

    /// What the service expects and answers.
    pub fn script(&self, server: &str) -> Result<Vec<Exchange>, Error> {
        Ok(self.read_if_there(SCRIPT, server)?.unwrap_or_default())
    }

    pub fn input(&self, server: &str) -> Result<Input, Error> {
        let input = self.read_if_there("input.json", server)?;
        input.ok_or_else(|| {
            self.broken("it has no input.json, which says what is called, and no recording.json")
        })
    }

    /// A folder that is no case may go without it.
    pub fn input_if_there(&self, server: &str) -> Result<Option<Input>, Error> {
        self.read_if_there("input.json", server)
    }

    /// None: the case has no such file.
    pub fn read_if_there<T: DeserializeOwned>(&self, name: &str, server: &str) -> Result<Option<T>, Error> {
        let path = self.dir.join(name);
        if path.exists() { self.read(&path, server).map(Some) } else { Ok(None) }
    }

    fn read<T: DeserializeOwned>(&self, path: &Path, server: &str) -> Result<T, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        let unusable = |reason: String| Error::Case { path: path.to_owned(), reason };
        if text.contains(SERVER) && !self.has_service() {
            let reason = format!(
                "it names {SERVER}, and without {SCRIPT} beside it there is no service; [] in it expects no request"
            );
            return Err(unusable(reason));
        }
        serde_json::from_str(&text.replace(SERVER, server)).map_err(|error| unusable(error.to_string()))
    }

    fn broken(&self, reason: &str) -> Error {
        Error::Case { path: self.dir.clone(), reason: reason.to_owned() }
    }

    pub fn expected(&self, server: &str) -> Result<Expected, Error> {
        let (output, error) = (self.dir.join("output.json"), self.dir.join("error.json"));
        match (output.exists(), error.exists()) {
            (true, false) => Ok(Expected::Output(self.read(&output, server)?)),
            (false, true) => Ok(Expected::Error(Value::Object(self.failure(&error, server)?))),
            (false, false) => Err(self.broken("it needs output.json or error.json, which say how it ends")),
            (true, true) => {
                Err(self.broken("it has output.json and error.json, and can end in one way only; remove one"))
            }
        }
    }

    fn failure(&self, path: &Path, server: &str) -> Result<Map<String, Value>, Error> {
        let fields: Map<String, Value> = self.read(path, server)?;
        match fields.keys().find(|name| !FAILURE.contains(&name.as_str())) {
            None => Ok(fields),
            Some(name) => {
                let reason = format!("a failure has no \"{name}\"; {}", meant(name, &FAILURE));
                Err(Error::Case { path: path.to_owned(), reason })
            }
        }
    }
}

fn meant(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it may have {}", known.join(", ")),
    }
}
