//! Admission of what is ready: conditions are asked, lists expanded, parameters filled in and held against the action's
//! schema; then the policies are asked. The engine brings the answers together; what is pure about it is here.

use serde_json::Value;

use super::event::SkipCause;
use super::execution::Execution;
use super::slot::{Phase, Slot};
use crate::builtin::{self, Begin, BuiltIn, BuiltInStart, Wait};
use crate::expression::Template;
use crate::id::ExecutionId;
use crate::json::Json;
use crate::limits::{CHILD_DEPTH_MAX, ELEMENTS_MAX};
use crate::plan::{CompiledStep, PinnedAction, PlannedAction, PlannedStep};
use crate::port::{ActionEntry, Decision};
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::vocabulary::StepStatus;

/// What happens to what is ready.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    Start {
        /// JSON text.
        parameters: String,
        decision: Decision,
    },
    /// It fails for good, without an attempt.
    Refuse {
        error: Problem,
        decision: Option<Decision>,
    },
    Skip {
        reason: String,
        cause: SkipCause,
    },
    /// The list of a `for_each`.
    Expand {
        items: Json,
    },
    /// A built-in action begins to wait.
    Wait {
        wait: Wait,
        until: Option<Timestamp>,
    },
}

impl Admission {
    pub const fn refuse(error: Problem) -> Self {
        Self::Refuse { error, decision: None }
    }
}

/// How far the machine can answer by itself.
pub enum Prepared<'a> {
    Decided(Admission),
    /// An attempt of this action: it has to be installed, its parameters to fit, and the policies to allow it.
    Attempt {
        action: &'a PinnedAction,
        template: &'a Template,
    },
}

/// Arguments of the decision that only the caller has.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    pub now: Timestamp,
    /// The id of a child, if one is started.
    pub child: ExecutionId,
}

pub fn prepare<'a>(execution: &'a Execution, slot: Slot, circumstances: Circumstances) -> Prepared<'a> {
    let found = execution.plan.step(slot.step).zip(execution.plan.compiled(slot.step));
    let Some((planned, compiled)) = found else {
        let error = Problem::new("host-fault", format!("the plan has no step {}", slot.step));
        return Prepared::Decided(Admission::refuse(error));
    };
    if slot.phase == Phase::Compensate {
        return match planned.compensate.as_ref().zip(compiled.undo.as_ref()) {
            Some((undo, template)) => Prepared::Attempt { action: &undo.action, template },
            None => {
                let error = Problem::new("host-fault", "the plan does not say how to undo this step");
                Prepared::Decided(Admission::refuse(error))
            }
        };
    }
    let fresh = slot.element.is_none()
        && execution.step(slot.step).is_some_and(|state| state.status == StepStatus::Pending);
    if fresh && let Some(admission) = open(execution, planned, compiled) {
        return Prepared::Decided(admission);
    }
    match &planned.action {
        PlannedAction::Component(action) => Prepared::Attempt { action, template: &compiled.parameters },
        PlannedAction::BuiltIn { built_in, timeout_ms } => {
            let context = Begin {
                step: &planned.id,
                timeout_ms: *timeout_ms,
                now: circumstances.now,
                child: circumstances.child,
            };
            Prepared::Decided(begin(execution, slot, *built_in, &compiled.parameters, &context))
        }
    }
}

/// What is asked once for a whole step: whether it runs at all, and over which list.
fn open(execution: &Execution, planned: &PlannedStep, compiled: &CompiledStep) -> Option<Admission> {
    if execution.dry_run
        && let Some(skipped) = reads_skipped(execution, compiled)
    {
        let reason = format!("it reads step \"{skipped}\", which the dry run skipped");
        return Some(Admission::Skip { reason, cause: SkipCause::DryRun });
    }
    if execution.dry_run
        && let PlannedAction::BuiltIn { built_in, .. } = &planned.action
        && !matches!(built_in, BuiltIn::Wait | BuiltIn::Fail)
    {
        let reason = format!("a dry run does not do {}", built_in.action());
        return Some(Admission::Skip { reason, cause: SkipCause::DryRun });
    }
    if let Some(when) = &compiled.when {
        match execution.with_scope(None, |scope| when.evaluate(scope).map(|value| value.as_bool())) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => {
                let reason = format!("its condition is false: {}", when.source());
                return Some(Admission::Skip { reason, cause: SkipCause::When });
            }
            Ok(None) => {
                let message = format!("\"when\" gives neither true nor false: {}", when.source());
                return Some(Admission::refuse(Problem::new("when-not-bool", message)));
            }
            Err(error) => {
                return Some(Admission::refuse(Problem::new("expression-failed", error.to_string())));
            }
        }
    }
    planned.for_each.as_ref().map(|_| expand(execution, compiled))
}

fn reads_skipped(execution: &Execution, compiled: &CompiledStep) -> Option<String> {
    compiled.reads().into_iter().find(|id| {
        let state = execution.plan.position(id).and_then(|at| execution.step(at));
        state.is_some_and(|state| state.skipped == Some(SkipCause::DryRun))
    })
}

fn expand(execution: &Execution, compiled: &CompiledStep) -> Admission {
    let refuse = |code: &str, message: String| Admission::refuse(Problem::new(code, message));
    let Some(list) = &compiled.list else {
        return refuse("host-fault", "the list of \"for_each\" was not compiled".to_owned());
    };
    let value = match execution.with_scope(None, |scope| list.evaluate(scope).map(|value| value.into_owned()))
    {
        Ok(value) => value,
        Err(error) => return refuse("expression-failed", error.to_string()),
    };
    let kind = match &value {
        Value::Array(items) if items.len() > ELEMENTS_MAX => {
            let message = format!(
                "\"for_each\" has {} elements, {ELEMENTS_MAX} are allowed: split the list",
                items.len()
            );
            return refuse("for-each-too-long", message);
        }
        Value::Array(_) => return Admission::Expand { items: value.into() },
        Value::Object(_) => "an object",
        Value::String(_) => "a string",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::Null => "null",
    };
    refuse("for-each-not-list", format!("\"for_each\" needs a list, and {} gives {kind}", list.source()))
}

fn begin(
    execution: &Execution,
    slot: Slot,
    built_in: BuiltIn,
    template: &Template,
    context: &Begin<'_>,
) -> Admission {
    let depth = super::execution::Origin::depth(execution.origin.as_ref());
    if built_in == BuiltIn::ExecuteIntent && depth + 1 > CHILD_DEPTH_MAX {
        let message = format!("there are {depth} executions above this one, {CHILD_DEPTH_MAX} are allowed");
        return Admission::refuse(Problem::new("child-depth", message));
    }
    let parameters = match execution.with_scope(Some(slot), |scope| template.evaluate(scope)) {
        Ok(parameters) => parameters,
        Err(error) => return Admission::refuse(Problem::new("expression-failed", error.to_string())),
    };
    match builtin::begin(built_in, &parameters, context) {
        BuiltInStart::Fail(error) => Admission::refuse(error),
        BuiltInStart::Wait { wait: Wait::Timer, .. } if execution.dry_run => {
            Admission::Wait { wait: Wait::Timer, until: Some(context.now) }
        }
        BuiltInStart::Wait { wait, until } => Admission::Wait { wait, until },
    }
}

/// In a dry run: why the step does not run, unless its action can do so without effects. Asked before anything else of
/// a step, so that its list is not even expanded.
pub fn skipped_by_dry_run(execution: &Execution, slot: Slot, entry: &ActionEntry) -> Option<Admission> {
    let runs = !execution.dry_run || entry.manifest.dry_run || !entry.manifest.side_effects;
    if runs || slot != Slot::step(slot.step) {
        return None;
    }
    let reason = format!("the action \"{}\" has effects and no dry run", entry.manifest.name);
    Some(Admission::Skip { reason, cause: SkipCause::DryRun })
}

/// Fills in the parameters of an attempt and holds them against the action's schema. Gives JSON text.
#[expect(clippy::result_large_err, reason = "the problem goes into an event as it is")]
pub fn fill(
    execution: &Execution,
    slot: Slot,
    template: &Template,
    entry: &ActionEntry,
) -> Result<String, Problem> {
    let parameters = execution
        .with_scope(Some(slot), |scope| template.evaluate(scope))
        .map_err(|error| Problem::new("expression-failed", error.to_string()))?;
    let findings = entry.parameters.findings(&parameters, "", "parameters");
    if findings.is_empty() {
        return Ok(parameters.to_string());
    }
    let first = findings.first().map(|f| format!("{}: {}", f.pointer, f.message)).unwrap_or_default();
    let message = format!("the parameters do not fit the action \"{}\": {first}", entry.manifest.name);
    Err(Problem {
        details: serde_json::to_value(&findings).ok(),
        ..Problem::new("invalid-parameters", message)
    })
}
