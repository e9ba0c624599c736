//! From a document that fits the schema to its typed form. What the schema cannot say is found here.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::definition::{
    Concurrency, Definition, ForEach, OnError, OnExhausted, OnLimit, Order, RetryPolicy, StepDefinition,
};
use super::schema::{COMPENSATE_KEYS, STEP_KEYS};
use crate::builtin::BuiltIn;
use crate::duration::{DURATION_HINT, parse_duration_ms};
use crate::id::StepId;
use crate::json::pointer;
use crate::limits::{PARALLEL_DEFAULT, TIMEOUT_MS_MAX, WAIT_MS_MAX};
use crate::problem::Finding;

/// Reads `definition`; pointers start at the document's top.
pub(super) fn read_definition(definition: &Value, findings: &mut Vec<Finding>) -> Definition {
    let text = |key: &str| definition.get(key).and_then(Value::as_str);
    let order = if text("order") == Some("graph") { Order::Graph } else { Order::Sequential };
    let written = definition.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names = Names::new(written);
    let steps = written.iter().enumerate().map(|(at, step)| read_step(step, at, &mut names, findings));
    let steps = steps.collect();
    let timeout = Bound { place: "/definition/timeout", max_ms: WAIT_MS_MAX };
    Definition {
        target: text("target").map(str::to_owned),
        order,
        input: definition.get("input").cloned(),
        steps,
        output: definition.get("output").cloned(),
        timeout_ms: timeout.read(definition.get("timeout"), findings),
        concurrency: definition.get("concurrency").map(read_concurrency),
    }
}

fn read_concurrency(value: &Value) -> Concurrency {
    let limit = value.get("limit").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    Concurrency {
        key: value.get("key").and_then(Value::as_str).map(str::to_owned),
        limit: limit.unwrap_or(1),
        on_limit: match value.get("on_limit").and_then(Value::as_str) {
            Some("reject") => OnLimit::Reject,
            Some("replace") => OnLimit::Replace,
            _ => OnLimit::Queue,
        },
    }
}

/// Hands out step ids: the written one, or the action's name with `-2`, `-3` and so on.
struct Names {
    taken: HashSet<String>,
    written: HashSet<String>,
}

impl Names {
    fn new(steps: &[Value]) -> Self {
        let ids = steps.iter().filter_map(|step| step.get("id")?.as_str()).map(str::to_owned);
        Self { taken: HashSet::new(), written: ids.collect() }
    }

    fn take(&mut self, id: &str) -> bool {
        self.taken.insert(id.to_owned())
    }

    fn make(&mut self, action: &str) -> String {
        let base = action.rsplit('/').next().unwrap_or(action).to_owned();
        let free = |id: &String| !self.taken.contains(id) && !self.written.contains(id);
        let id = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}"))).find(free);
        let id = id.unwrap_or(base);
        self.taken.insert(id.clone());
        id
    }
}

/// INVARIANT: every written step has its typed form, at the same position, so that findings point to where they belong;
/// one that the schema refuses is filled up.
fn read_step(step: &Value, at: usize, names: &mut Names, findings: &mut Vec<Finding>) -> StepDefinition {
    let base = pointer("/definition/steps", at);
    let action = step.get("action").and_then(Value::as_str).unwrap_or_default();
    let id = read_id(step.get("id"), action, &base, names, findings);
    let depends_on = step.get("depends_on").and_then(Value::as_array);
    let depends_on = depends_on.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let word = |key: &str, word: &str| step.get(key).and_then(Value::as_str) == Some(word);
    StepDefinition {
        depends_on: depends_on.collect(),
        when: step.get("when").and_then(Value::as_str).map(str::to_owned),
        for_each: step.get("for_each").map(read_for_each),
        on_error: if word("on_error", "continue") { OnError::Continue } else { OnError::Fail },
        on_exhausted: if word("on_exhausted", "park") { OnExhausted::Park } else { OnExhausted::Fail },
        compensate: read_compensate(step, &id, &base, findings),
        ..read_call(step, id, STEP_KEYS, &base, findings)
    }
}

fn read_for_each(value: &Value) -> ForEach {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let max_parallel = value.get("max_parallel").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    ForEach {
        list: text("in").unwrap_or_default(),
        variable: text("as").unwrap_or_else(|| "item".to_owned()),
        max_parallel: max_parallel.unwrap_or(PARALLEL_DEFAULT),
    }
}

fn read_compensate(
    step: &Value,
    id: &StepId,
    base: &str,
    findings: &mut Vec<Finding>,
) -> Option<Box<StepDefinition>> {
    let written = step.get("compensate").filter(|value| value.is_object())?;
    let base = pointer(base, "compensate");
    Some(Box::new(read_call(written, id.clone(), COMPENSATE_KEYS, &base, findings)))
}

/// An action with its parameters, its timeout and its retries: of a step, or of what undoes it.
fn read_call(
    written: &Value,
    id: StepId,
    keys: &[&str],
    base: &str,
    findings: &mut Vec<Finding>,
) -> StepDefinition {
    let (parameters, inline) = read_parameters(written, keys, base, findings);
    let action = written.get("action").and_then(Value::as_str).unwrap_or_default().to_owned();
    let max_ms = if BuiltIn::parse(&action).is_some() { WAIT_MS_MAX } else { TIMEOUT_MS_MAX };
    let timeout = Bound { place: &pointer(base, "timeout"), max_ms };
    StepDefinition {
        id,
        action,
        parameters,
        inline,
        filled: Vec::new(),
        depends_on: Vec::new(),
        when: None,
        for_each: None,
        timeout_ms: timeout.read(written.get("timeout"), findings),
        retry: read_retry(written.get("retry"), base, findings),
        on_error: OnError::default(),
        on_exhausted: OnExhausted::default(),
        compensate: None,
    }
}

fn read_id(
    written: Option<&Value>,
    action: &str,
    base: &str,
    names: &mut Names,
    findings: &mut Vec<Finding>,
) -> StepId {
    match written.and_then(Value::as_str) {
        Some(id) => {
            if !names.take(id) {
                let message = format!("the step id \"{id}\" is used twice");
                findings.push(Finding::error(pointer(base, "id"), "step-id-twice", message));
            }
            if let Ok(id) = StepId::new(id) {
                return id; // Otherwise the schema refuses it.
            }
        }
        None if action.is_empty() => {}
        None => match StepId::new(names.make(action)) {
            Ok(id) => return id,
            Err(error) => {
                let hint = "give the step an \"id\" of letters, digits, - and _";
                findings.push(Finding::error(base, "step-id", error.to_string()).hint(hint));
            }
        },
    }
    StepId::new(names.make("step")).expect("\"step\" and a number make a step id")
}

fn read_parameters(
    step: &Value,
    keys: &[&str],
    base: &str,
    findings: &mut Vec<Finding>,
) -> (Map<String, Value>, Vec<String>) {
    let mut parameters = step.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut inline = Vec::new();
    let fields = step.as_object().into_iter().flatten();
    for (key, value) in fields.filter(|(key, _)| !keys.contains(&key.as_str())) {
        if parameters.contains_key(key) {
            let message =
                format!("the parameter \"{key}\" is written twice: inline and under \"parameters\"");
            findings.push(Finding::error(pointer(base, key), "parameter-twice", message));
            continue;
        }
        parameters.insert(key.clone(), value.clone());
        inline.push(key.clone());
    }
    (parameters, inline)
}

/// A timeout, and how long it may be.
struct Bound<'a> {
    place: &'a str,
    max_ms: u64,
}

impl Bound<'_> {
    fn read(&self, value: Option<&Value>, findings: &mut Vec<Finding>) -> Option<u64> {
        let millis = read_duration(value, self.place, findings)?;
        if millis == 0 || millis > self.max_ms {
            let message = format!("a timeout lies between 1 ms and {} h", self.max_ms / 3_600_000);
            findings.push(Finding::error(self.place, "timeout-range", message).hint(DURATION_HINT));
        }
        Some(millis)
    }
}

fn read_duration(value: Option<&Value>, place: &str, findings: &mut Vec<Finding>) -> Option<u64> {
    let value = value.filter(|value| value.is_number() || value.is_string())?; // The schema refuses what is neither.
    let millis = parse_duration_ms(value);
    if millis.is_none() {
        let message = format!("{value} is not a length of time");
        findings.push(Finding::error(place, "duration", message).hint(DURATION_HINT));
    }
    millis
}

fn read_retry(value: Option<&Value>, base: &str, findings: &mut Vec<Finding>) -> RetryPolicy {
    let default = RetryPolicy::default();
    let Some(value) = value else { return default };
    let base = pointer(base, "retry");
    let mut interval = |key: &str| read_duration(value.get(key), &pointer(&base, key), findings);
    let attempts = value.get("max_attempts").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let codes = value.get("non_retryable").and_then(Value::as_array).into_iter().flatten();
    RetryPolicy {
        max_attempts: attempts.unwrap_or(default.max_attempts),
        initial_interval_ms: interval("initial_interval").unwrap_or(default.initial_interval_ms),
        multiplier: value.get("multiplier").and_then(Value::as_f64).unwrap_or(default.multiplier),
        max_interval_ms: interval("max_interval").unwrap_or(default.max_interval_ms),
        jitter: value.get("jitter").and_then(Value::as_str) != Some("none"),
        budget_ms: interval("budget"),
        non_retryable: codes.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}
