//! From a document that fits the schema to its typed form. What the schema cannot say is found here.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::definition::{Definition, Order, RetryPolicy, StepDefinition};
use super::duration::{DURATION_HINT, parse_duration_ms};
use super::schema::STEP_KEYS;
use crate::id::StepId;
use crate::json::pointer;
use crate::limits::{TIMEOUT_MS_DEFAULT, TIMEOUT_MS_MAX};
use crate::problem::Finding;

/// Reads `definition`; pointers start at the document's top.
pub(super) fn read_definition(definition: &Value, findings: &mut Vec<Finding>) -> Definition {
    let text = |key: &str| definition.get(key).and_then(Value::as_str);
    let order = if text("order") == Some("graph") { Order::Graph } else { Order::Sequential };
    let written = definition.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names = Names::new(written);
    let steps = written.iter().enumerate().map(|(at, step)| read_step(step, at, &mut names, findings));
    Definition {
        target: text("target").map(str::to_owned),
        order,
        input: definition.get("input").cloned(),
        steps: steps.collect(),
        output: definition.get("output").cloned(),
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
    let (parameters, inline) = read_parameters(step, &base, findings);
    let depends_on = step.get("depends_on").and_then(Value::as_array);
    let depends_on = depends_on.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    StepDefinition {
        id,
        action: action.to_owned(),
        parameters,
        inline,
        filled: Vec::new(),
        depends_on: depends_on.collect(),
        timeout_ms: read_timeout(step.get("timeout"), &base, findings),
        retry: read_retry(step.get("retry"), &base, findings),
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
    base: &str,
    findings: &mut Vec<Finding>,
) -> (Map<String, Value>, Vec<String>) {
    let mut parameters = step.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut inline = Vec::new();
    let fields = step.as_object().into_iter().flatten();
    for (key, value) in fields.filter(|(key, _)| !STEP_KEYS.contains(&key.as_str())) {
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

fn read_timeout(value: Option<&Value>, base: &str, findings: &mut Vec<Finding>) -> u64 {
    let millis = read_duration(value, &pointer(base, "timeout"), TIMEOUT_MS_DEFAULT, findings);
    if millis == 0 || millis > TIMEOUT_MS_MAX {
        let message = format!("a timeout lies between 1 ms and {} h", TIMEOUT_MS_MAX / 3_600_000);
        findings.push(Finding::error(pointer(base, "timeout"), "timeout-range", message).hint(DURATION_HINT));
    }
    millis
}

fn read_duration(value: Option<&Value>, place: &str, default: u64, findings: &mut Vec<Finding>) -> u64 {
    let fits = |value: &&Value| value.is_number() || value.is_string(); // The schema refuses what is neither.
    let Some(value) = value.filter(fits) else { return default };
    parse_duration_ms(value).unwrap_or_else(|| {
        let message = format!("{value} is not a length of time");
        findings.push(Finding::error(place, "duration", message).hint(DURATION_HINT));
        default
    })
}

fn read_retry(value: Option<&Value>, base: &str, findings: &mut Vec<Finding>) -> RetryPolicy {
    let default = RetryPolicy::default();
    let Some(value) = value else { return default };
    let base = pointer(base, "retry");
    if value.get("budget").is_some() {
        findings.push(not_supported(&pointer(&base, "budget"), "budget"));
    }
    let mut interval =
        |key: &str, default| read_duration(value.get(key), &pointer(&base, key), default, findings);
    let attempts = value.get("max_attempts").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let codes = value.get("non_retryable").and_then(Value::as_array).into_iter().flatten();
    RetryPolicy {
        max_attempts: attempts.unwrap_or(default.max_attempts),
        initial_interval_ms: interval("initial_interval", default.initial_interval_ms),
        multiplier: value.get("multiplier").and_then(Value::as_f64).unwrap_or(default.multiplier),
        max_interval_ms: interval("max_interval", default.max_interval_ms),
        jitter: value.get("jitter").and_then(Value::as_str) != Some("none"),
        non_retryable: codes.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

/// A word of the language that this version knows and does not run.
pub(super) fn not_supported(place: &str, key: &str) -> Finding {
    Finding::error(place, "not-supported", format!("\"{key}\" is not supported by this version of the host"))
        .hint("leave it out; it is refused rather than stored and ignored")
}
