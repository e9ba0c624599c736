//! `cargo xtask chaos`: a real host under load, or several on one PostgreSQL, hurt in every way that a machine can, and
//! afterwards everything that was promised held against what an outside ledger saw and what the API said. What is
//! checked: docs/chaos.md.

mod options;
mod scenario;
mod fault;
mod ledger;
mod host;
mod hosts;
mod supervisor;
mod answers;
mod caller;
mod stream;
mod load;
mod nodes;
mod cast;
mod stage;
mod event;
mod check;
mod report;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use crate::artifacts::{self, Artifacts};
use crate::error::{Error, Result};
use crate::{shell, tools, workspace};

pub use ledger::{SUBCOMMAND as LEDGER, serve as serve_ledger};
pub use options::{AtEnd, Options};

use cast::{Cast, Left};
use check::{ENDS, RESULTS, Read, Subject, Violation};
use host::Place;
use load::{Begun, Load};
use report::Report;
use stage::Stage;
use supervisor::Faults;

/// Executions that a minute may start: the check reads each of them several times.
const EXECUTIONS_PER_MINUTE_MAX: f64 = 1_500.0;

/// One start of so many is sent once more at the end.
const AGAIN_EVERY: usize = 7;

const ANSWERED: &str = "every request is answered in the end, and again in the same way";

/// Builds what is needed first.
pub fn run(options: &Options) -> Result<()> {
    tools::prepare()?;
    run_on(&artifacts::build(options.profile)?, options)
}

/// Err: a promise was not kept, or the run proves nothing.
pub fn run_on(artifacts: &Artifacts, options: &Options) -> Result<()> {
    let began = Instant::now();
    let several = options.nodes.map(|nodes| format!(", {nodes} nodes")).unwrap_or_default();
    let folder = workspace::target_dir()?.join(if options.nodes.is_some() { "chaos-nodes" } else { "chaos" });
    println!("chaos: seed {}, {} of load and faults{several}", options.seed, shell::seconds(options.lasts));
    let place = Place { quantum: artifacts.quantum.clone(), folder: folder.clone(), node: None };
    let (stage, cast) = Stage::set(place, &artifacts.plugins, options)?;
    let data = cast.data(&stage.place);
    let run = stage.play(cast, options)?;
    let (report, logs) = judge(&stage, options, run, began)?;
    report.print();
    report.print_violations(&logs);
    println!("\n  {}", workspace::relative(&report.write(&folder)?));
    if let Some(first) = report.violations.first() {
        let (count, seed) = (report.violations.len(), options.seed);
        let kept = workspace::relative(&stage.place.folder);
        return Err(Error::chaos(format!(
            "{count} promises were not kept with seed {seed}; everything is in {kept}\n  the first: {}: {} {}",
            first.promise, first.execution, first.found
        )));
    }
    let unproven = report.unproven(options);
    if !unproven.is_empty() {
        return Err(Error::chaos(format!("the run proves too little: {}", unproven.join(", "))));
    }
    if options.at_end == AtEnd::Remove {
        for data in data {
            std::fs::remove_dir_all(&data).map_err(Error::file(&data))?;
        }
    }
    Ok(())
}

/// What is left when nobody disturbs the hosts any more.
struct Run {
    cast: Cast,
    begun: Vec<Begun>,
    faults: Faults,
    /// Requests that were given up, and starts that were answered otherwise later.
    unanswered: Vec<String>,
}

impl Stage {
    /// The clients and the faults, side by side.
    fn play(&self, cast: Cast, options: &Options) -> Result<Run> {
        let minutes = options.lasts.as_secs_f64() / 60.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive bound")]
        let left = (minutes * EXECUTIONS_PER_MINUTE_MAX) as u32;
        let load = Load {
            scenarios: &self.scenarios,
            requester: self.requester.clone(),
            approver: self.approver.clone(),
            left: AtomicU32::new(left.max(1)),
        };
        let (left, clients) = crowd(&load, options, || cast.play(&self.place, &load, options));
        let Left { cast, faults, probes: mut begun } = left?;
        let mut unanswered = Vec::new();
        for client in clients {
            let (part, ended) = client.map_err(|_| Error::chaos("a client panicked"))?;
            begun.extend(part);
            unanswered.extend(ended.err().map(|error| shell::chain(&error)));
        }
        for one in begun.iter().step_by(AGAIN_EVERY) {
            unanswered.extend(load.again(one)?);
        }
        Ok(Run { cast, begun, faults, unanswered })
    }
}

/// What a client began, and why it gave up when it did.
type Ended = (Vec<Begun>, Result<()>);

/// The clients, each in a thread, while something else happens.
fn crowd<T>(
    load: &Load<'_>,
    options: &Options,
    meanwhile: impl FnOnce() -> T,
) -> (T, Vec<std::thread::Result<Ended>>) {
    std::thread::scope(|scope| {
        let client = |number| {
            scope.spawn(move || {
                let mut begun = Vec::new();
                let ended = load.client(number, options.seed, &mut begun);
                (begun, ended)
            })
        };
        let clients: Vec<_> = (0..options.clients).map(client).collect();
        let happened = meanwhile();
        (happened, clients.into_iter().map(|client| client.join()).collect())
    })
}

type Logs = BTreeMap<String, Vec<serde_json::Value>>;

fn judge(stage: &Stage, options: &Options, run: Run, began: Instant) -> Result<(Report, Logs)> {
    let Run { cast, begun, mut faults, unanswered } = run;
    println!("chaos: {} executions; everything is read back and checked", begun.len());
    let Read { subjects, violations: mut found } =
        check::read_all(&stage.requester, &stage.scenarios, &begun, options.seed)?;
    found.extend(subjects.iter().flat_map(check::one));
    let (repeats, wrong) = check::effects(&subjects, &stage.ledger.records()?);
    found.extend(wrong);
    let (spoken, wrong) = check::answers(&subjects, &stage.said()?);
    found.extend(wrong);
    found.extend(unanswered.into_iter().map(|told| Violation::new(ANSWERED, "", told)));
    found.extend(faults.wrong.iter().cloned());
    found.extend(cast.leave(&stage.place.folder, &mut faults)?);
    let of = |promise| found.iter().filter(|violation| violation.promise == promise).count();
    let events = || subjects.iter().flat_map(Subject::events);
    let report = Report {
        seed: options.seed,
        seconds: began.elapsed().as_secs_f64(),
        clients: options.clients,
        executions: count(subjects.iter().map(|subject| subject.scenario.family.as_str())),
        ends: count(subjects.iter().map(|subject| subject.last().to_owned())),
        lost: of(ENDS),
        double_results: of(RESULTS),
        attempts: events().filter(|event| event.kind() == "step_started").count(),
        lost_attempts: events().filter(|event| event.error_code() == "attempt-lost").count(),
        streams_broken: begun.iter().map(|begun| begun.broken_streams).sum(),
        repeats,
        ledger_faults: stage.ledger_faults()?,
        answers: spoken,
        faults,
        left_out: stage.left_out.clone(),
        violations: found,
    };
    Ok((report, subjects.into_iter().map(|subject| (subject.execution, subject.log)).collect()))
}

fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

#[expect(
    clippy::disallowed_methods,
    reason = "faults come at drawn moments, and a process of others tells nothing"
)]
fn pause(most: Duration) {
    std::thread::sleep(most);
}

/// An empty folder: every run starts like a first one.
fn fresh(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(folder)(error)),
        _ => std::fs::create_dir_all(folder).map_err(Error::file(folder)),
    }
}
