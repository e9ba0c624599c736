//! From the parameters of a built-in action to what it waits for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{BuiltIn, schema};
use crate::duration::{DURATION_HINT, parse_duration_ms};
use crate::id::{ExecutionId, StepId};
use crate::json::Json;
use crate::limits::WAIT_MS_MAX;
use crate::problem::Problem;
use crate::schema::Schema;
use crate::time::Timestamp;

/// What a waiting step waits for. The end of the wait, if there is one, is the step's `due_at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Wait {
    Timer,
    Signal {
        name: String,
        /// JSON Schema of the payload.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schema: Option<Json>,
    },
    Approval {
        approvals: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    Child {
        execution_id: ExecutionId,
        intent: String,
        input: Json,
    },
}

/// How a built-in action begins.
#[derive(Debug, Clone, PartialEq)]
pub enum BuiltInStart {
    /// `until`: none waits as long as it takes.
    Wait {
        wait: Wait,
        until: Option<Timestamp>,
    },
    Fail(Problem),
}

/// What decides beside the parameters.
pub struct Begin<'a> {
    pub step: &'a StepId,
    pub timeout_ms: Option<u64>,
    pub now: Timestamp,
    /// The id of a child that would be started.
    pub child: ExecutionId,
}

/// Holds the parameters against the action's schema and reads them.
pub fn begin(built_in: BuiltIn, parameters: &Value, context: &Begin<'_>) -> BuiltInStart {
    let findings = schema(built_in).findings(parameters, "", "parameters");
    if let Some(first) = findings.first() {
        let message = format!(
            "the parameters do not fit the action \"{}\": {}: {}",
            built_in.action(),
            first.pointer,
            first.message
        );
        let details = serde_json::to_value(&findings).ok();
        return BuiltInStart::Fail(Problem { details, ..Problem::new("invalid-parameters", message) });
    }
    let text = |key: &str| parameters.get(key).and_then(Value::as_str).map(str::to_owned);
    let wait = match built_in {
        BuiltIn::Fail => return BuiltInStart::Fail(failure(parameters)),
        BuiltIn::Wait => {
            return match until(parameters, context.now) {
                Ok(until) => BuiltInStart::Wait { wait: Wait::Timer, until: Some(until) },
                Err(problem) => BuiltInStart::Fail(problem),
            };
        }
        BuiltIn::Signal => match signal(text("name"), parameters.get("schema"), context.step) {
            Ok(wait) => wait,
            Err(problem) => return BuiltInStart::Fail(problem),
        },
        BuiltIn::Approve => {
            let approvals = parameters.get("approvals").and_then(Value::as_u64).unwrap_or(1);
            let approvals = u32::try_from(approvals).unwrap_or(u32::MAX);
            Wait::Approval { approvals, message: text("message") }
        }
        BuiltIn::ExecuteIntent => {
            let empty = || Value::Object(Map::new());
            let input = parameters.get("input").cloned().unwrap_or_else(empty).into();
            Wait::Child { execution_id: context.child, intent: text("intent").unwrap_or_default(), input }
        }
    };
    let until = context.timeout_ms.map(|millis| context.now.plus_millis(millis));
    BuiltInStart::Wait { wait, until }
}

/// What is wrong with parameters that hold no expressions and fit the schema: the key, the code and the message.
pub fn wrong_literal(
    built_in: BuiltIn,
    parameters: &Map<String, Value>,
) -> Option<(&'static str, &'static str, String)> {
    let duration = parameters.get("duration").filter(|value| value.is_number() || value.is_string());
    let until = parameters.get("until").and_then(Value::as_str);
    match built_in {
        BuiltIn::Wait => {
            let bad_duration = duration.filter(|value| parse_duration_ms(value).is_none());
            let bad_until = until.filter(|text| Timestamp::parse(text).is_none());
            let duration = bad_duration.map(|value| ("duration", "duration", not_a_duration(value)));
            duration.or_else(|| bad_until.map(|text| ("until", "time", not_a_time(text))))
        }
        BuiltIn::Signal => {
            let why = Schema::compile(parameters.get("schema")?).err()?;
            Some(("schema", "signal-schema", format!("\"schema\" is not a JSON Schema: {why}")))
        }
        BuiltIn::Approve | BuiltIn::ExecuteIntent | BuiltIn::Fail => None,
    }
}

fn not_a_duration(value: &Value) -> String {
    format!("{value} is not a length of time; write {DURATION_HINT}")
}

fn not_a_time(text: &str) -> String {
    format!("\"{text}\" is not a time; write RFC 3339, such as 2030-01-31T08:00:00Z")
}

fn failure(parameters: &Value) -> Problem {
    let text = |key: &str| parameters.get(key).and_then(Value::as_str);
    let problem = Problem::new(text("code").unwrap_or("failed"), text("message").unwrap_or_default());
    Problem { details: parameters.get("details").cloned(), ..problem }
}

#[expect(clippy::result_large_err, reason = "the problem goes into an event as it is")]
fn until(parameters: &Value, now: Timestamp) -> Result<Timestamp, Problem> {
    let until = match (parameters.get("duration"), parameters.get("until").and_then(Value::as_str)) {
        (Some(duration), _) => parse_duration_ms(duration)
            .map(|millis| now.plus_millis(millis))
            .ok_or_else(|| Problem::new("duration", not_a_duration(duration)))?,
        (None, text) => {
            let text = text.unwrap_or_default();
            Timestamp::parse(text).ok_or_else(|| Problem::new("time", not_a_time(text)))?
        }
    };
    if until.millis_since(now) > WAIT_MS_MAX {
        let message = format!("a wait lasts at most {} days", WAIT_MS_MAX / 86_400_000);
        return Err(Problem::new("wait-too-long", message));
    }
    Ok(until)
}

#[expect(clippy::result_large_err, reason = "the problem goes into an event as it is")]
fn signal(name: Option<String>, schema: Option<&Value>, step: &StepId) -> Result<Wait, Problem> {
    if let Some(schema) = schema {
        Schema::compile(schema).map_err(|why| {
            Problem::new("signal-schema", format!("\"schema\" is not a JSON Schema: {why}"))
        })?;
    }
    let name = name.unwrap_or_else(|| step.as_str().to_owned());
    Ok(Wait::Signal { name, schema: schema.cloned().map(Json::new) })
}
