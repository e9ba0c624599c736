//! Reads everything back through the API, in every way in which it can be read, and holds the ways against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::Value;

use super::super::caller::{Caller, json};
use super::super::event::Event;
use super::super::load::{Begun, has_ended};
use super::super::scenario::{CHILD, Family, Scenario};
use super::super::stream;
use super::{ENDS, Subject, Violation};
use crate::error::Result;

/// Threads that read: more than the host has processors does not make it faster.
const READERS: usize = 4;
/// How long everything may take to end once nobody disturbs the host any more. What does not end is stuck.
const END_MAX: Duration = Duration::from_secs(180);
/// Between two looks at an execution that has not ended.
const END_POLL: Duration = Duration::from_millis(50);
/// Streams that are begun in the middle of each log, beside the one from its start and the one from its end.
const REPLAYS: usize = 2;

const STREAM: &str = "a stream from any Last-Event-ID equals the log";
const SEEN: &str = "what a client saw stays";
const VIEWS: &str = "every way to read an execution says the same";
const GHOSTS: &str = "nothing runs that nobody started";

/// What was read.
#[derive(Default)]
pub struct Read<'a> {
    pub subjects: Vec<Subject<'a>>,
    pub violations: Vec<Violation>,
}

pub fn read_all<'a>(
    caller: &Caller,
    scenarios: &'a [Scenario],
    begun: &[Begun],
    seed: u64,
) -> Result<Read<'a>> {
    let deadline = Instant::now() + END_MAX;
    let size = begun.len().div_ceil(READERS).max(1);
    let parts: Vec<Result<Read<'a>>> = std::thread::scope(|scope| {
        let parts = begun.chunks(size).zip(0_u64..).map(|(part, number)| {
            let reader = Reader { caller, deadline };
            scope.spawn(move || reader.part(scenarios, part, Rng::with_seed(seed ^ number)))
        });
        let parts: Vec<_> = parts.collect();
        parts.into_iter().map(|part| part.join().unwrap_or_else(|_| Ok(Read::default()))).collect()
    });
    let mut all = Read::default();
    for part in parts {
        let Read { subjects, violations } = part?;
        all.subjects.extend(subjects);
        all.violations.extend(violations);
    }
    let reader = Reader { caller, deadline };
    reader.strangers(scenarios, &mut all)?;
    Ok(all)
}

#[derive(Clone, Copy)]
struct Reader<'c> {
    caller: &'c Caller,
    deadline: Instant,
}

impl Reader<'_> {
    fn part<'a>(self, scenarios: &'a [Scenario], begun: &[Begun], mut rng: Rng) -> Result<Read<'a>> {
        let mut read = Read::default();
        for one in begun {
            let Some(scenario) = scenarios.get(one.scenario) else { continue };
            let subject = self.subject(scenario, &one.key, &one.execution, &mut read.violations)?;
            self.seen(&subject, one, &mut read.violations);
            self.compare(&subject, &mut rng, &mut read.violations)?;
            read.subjects.push(subject);
        }
        Ok(read)
    }

    /// The log of an execution that has ended, or had its time to.
    fn subject<'a>(
        self,
        scenario: &'a Scenario,
        key: &str,
        execution: &str,
        found: &mut Vec<Violation>,
    ) -> Result<Subject<'a>> {
        let path = format!("/api/v1/executions/{execution}");
        let mut view = json(&self.caller.get(&path)?);
        while !has_ended(&view) && Instant::now() < self.deadline {
            super::super::pause(END_POLL);
            view = json(&self.caller.get(&path)?);
        }
        if !has_ended(&view) {
            found.push(Violation::new(ENDS, execution, format!("it does not end: {view}")));
            let log = self.pages(execution, 200)?;
            return Ok(Subject { scenario, key: key.to_owned(), execution: execution.to_owned(), log });
        }
        let log = self.stream(execution, 0)?.unwrap_or_else(|wrong| {
            found.push(Violation::new(STREAM, execution, wrong));
            Vec::new()
        });
        Ok(Subject { scenario, key: key.to_owned(), execution: execution.to_owned(), log })
    }

    /// Err: it is no whole stream.
    fn stream(self, execution: &str, after: u64) -> Result<std::result::Result<Vec<Value>, String>> {
        let (_, url) = self.caller.hosts.here();
        let until = Instant::now() + END_MAX;
        let seen = stream::follow(self.caller, &url, execution, after, until)?;
        if let Some(wrong) = seen.wrong {
            return Ok(Err(wrong));
        }
        let told = || format!("the stream after {after} was cut at {} events", seen.events.len());
        Ok(if seen.whole { Ok(seen.events) } else { Err(told()) })
    }

    fn pages(self, execution: &str, limit: u64) -> Result<Vec<Value>> {
        self.listed(&format!("/api/v1/executions/{execution}/events?limit={limit}"))
    }

    /// All items of a list.
    fn listed(self, path: &str) -> Result<Vec<Value>> {
        let (mut items, mut next) = (Vec::new(), path.to_owned());
        loop {
            let mut page = json(&self.caller.get(&next)?);
            let more = page.get_mut("items").map(Value::take);
            items.extend(more.as_ref().and_then(Value::as_array).into_iter().flatten().cloned());
            match page.get("next_page_token").and_then(Value::as_str) {
                Some(token) => next = format!("{path}&page_token={token}"),
                None => return Ok(items),
            }
        }
    }

    fn seen(self, subject: &Subject<'_>, begun: &Begun, found: &mut Vec<Violation>) {
        if let Some(wrong) = &begun.wrong {
            found.push(subject.violation(SEEN, wrong.clone()));
        }
        if !subject.log.starts_with(&begun.seen) {
            let count = begun.seen.iter().zip(&subject.log).take_while(|(seen, kept)| seen == kept).count();
            let seen = begun.seen.get(count).map(Value::to_string).unwrap_or_default();
            found.push(subject.violation(SEEN, format!("a client saw {seen} after {count} events")));
        }
    }

    fn compare(self, subject: &Subject<'_>, rng: &mut Rng, found: &mut Vec<Violation>) -> Result<()> {
        let count = subject.log.len();
        let mut places: Vec<usize> = (0..REPLAYS).map(|_| rng.usize(0..=count)).collect();
        places.push(count);
        for place in places {
            let rest = self.stream(&subject.execution, place as u64)?;
            let wrong = match &rest {
                Ok(events) if events.iter().eq(subject.log.iter().skip(place)) => continue,
                Ok(events) => format!("after {place} it has {} events of {count}", events.len()),
                Err(wrong) => wrong.clone(),
            };
            found.push(subject.violation(STREAM, wrong));
        }
        let limit = rng.u64(1..=(count as u64 + 1).min(200));
        if self.pages(&subject.execution, limit)? != subject.log {
            found.push(subject.violation(VIEWS, format!("pages of {limit} differ from the stream")));
        }
        let view = json(&self.caller.get(&format!("/api/v1/executions/{}", subject.execution))?);
        found.extend(differs(subject, &view).map(|told| subject.violation(VIEWS, told)));
        Ok(())
    }

    /// What is listed and was not accepted: children of what was, or ghosts.
    fn strangers<'a>(self, scenarios: &'a [Scenario], read: &mut Read<'a>) -> Result<()> {
        let listed = self.listed("/api/v1/executions?limit=200")?;
        let id = |item: &Value| item.get("execution_id").and_then(Value::as_str).map(str::to_owned);
        let listed: BTreeSet<String> = listed.iter().filter_map(id).collect();
        let known: BTreeSet<String> = read.subjects.iter().map(|subject| subject.execution.clone()).collect();
        let missing = known.difference(&listed);
        read.violations.extend(missing.map(|id| Violation::new(VIEWS, id, "it is not listed")));
        let parents: BTreeMap<String, Family> =
            read.subjects.iter().map(|subject| (subject.key.clone(), subject.scenario.family)).collect();
        let mut children = BTreeSet::new();
        for id in listed.difference(&known) {
            let view = json(&self.caller.get(&format!("/api/v1/executions/{id}"))?);
            let key = view.pointer("/input/key").and_then(Value::as_str).unwrap_or_default();
            let intent = view.get("intent").and_then(Value::as_str).unwrap_or_default();
            let scenario = scenarios.iter().find(|known| intent.starts_with(&format!("{}-v", known.name)));
            let parent = key.strip_suffix(CHILD).and_then(|key| parents.get(key));
            let (Some(scenario), Some(Family::Child), true) =
                (scenario, parent, children.insert(key.to_owned()))
            else {
                read.violations.push(Violation::new(GHOSTS, id, format!("it is of {intent} for \"{key}\"")));
                continue;
            };
            let subject = self.subject(scenario, key, id, &mut read.violations)?;
            read.subjects.push(subject);
        }
        Ok(())
    }
}

/// The view of an execution against its log.
fn differs(subject: &Subject<'_>, view: &Value) -> Option<String> {
    let status = match subject.last() {
        "execution_completed" => "succeeded",
        "execution_failed" => "failed",
        "execution_cancelled" => "cancelled",
        _ => return None,
    };
    let same = view.get("status").and_then(Value::as_str) == Some(status)
        && view.get("last_seq").and_then(Value::as_u64) == Some(subject.log.len() as u64);
    if !same {
        return Some(format!("the view says {view}"));
    }
    let steps = view.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let wrong = steps.iter().find(|step| {
        let id = step.get("id").and_then(Value::as_str).unwrap_or_default();
        let status = step.get("status").and_then(Value::as_str).unwrap_or_default();
        subject.result(id).is_some_and(|(_, event)| !fits(event, status))
    })?;
    Some(format!("the view of a step says {wrong}"))
}

fn fits(result: Event<'_>, status: &str) -> bool {
    match result.kind() {
        "step_completed" => {
            matches!(status, "succeeded" | "compensating" | "compensated" | "compensation_failed")
        }
        "step_failed" => status == "failed",
        "step_skipped" => status == "skipped",
        _ => status == "cancelled",
    }
}
