//! Evaluation: a path by borrowing; anything else by CEL, converting only the variables that it names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::objects::{Key, Map};
use cel::{Context, Value as Cel};
use serde_json::Value;

use super::ast::Segment;
use super::program::{ENVIRONMENT, Expression, Kind};
use super::scope::{EvaluationError, Scope, StepView};
use crate::json;
use crate::limits::{
    COMPREHENSION_ELEMENTS_MAX, COMPREHENSION_ELEMENTS_NESTED_MAX, EXPRESSION_RESULT_BYTES_MAX,
};

impl Expression {
    /// The value, borrowed from the scope where the expression is only a path.
    pub fn evaluate<'a>(&self, scope: &Scope<'a>) -> Result<Cow<'a, Value>, EvaluationError> {
        let result = match &self.kind {
            Kind::Path { root, segments } => resolve(scope, root, segments),
            Kind::Program(tree) => self.run(tree, scope).map(Cow::Owned),
        };
        result.map_err(|reason| EvaluationError { source_text: self.source().to_owned(), reason })
    }

    fn run(&self, tree: &IdedExpr, scope: &Scope<'_>) -> Result<Value, String> {
        let elements_max = match self.references.comprehensions {
            0 => usize::MAX,
            1 => COMPREHENSION_ELEMENTS_MAX,
            _ => COMPREHENSION_ELEMENTS_NESTED_MAX,
        };
        let mut context = Context::with_env(ENVIRONMENT.clone());
        for name in &self.references.variables {
            let value = match name.as_str() {
                "steps" => self.steps_value(scope, elements_max)?,
                name => scope.variable(name).map_or(Ok(Cel::Null), |value| to_cel(value, elements_max))?,
            };
            context.add_variable_from_value(name.as_str(), value);
        }
        let value = Cel::resolve(tree, &context).map_err(|error| readable(&error))?;
        let mut value = value.json().map_err(|_| "its value has no JSON form".to_owned())?;
        // The evaluator's maps have no order; the same expression gives the same bytes on every attempt and node.
        value.sort_all_objects();
        bounded(value)
    }

    /// Only the steps that the expression names.
    fn steps_value(&self, scope: &Scope<'_>, elements_max: usize) -> Result<Cel, String> {
        let mut steps = HashMap::new();
        for id in &self.references.steps {
            let Some(view) = (scope.step)(id) else { continue };
            let mut fields = HashMap::from([(key("status"), Cel::from(view.status.as_str()))]);
            if let Some(output) = view.output {
                fields.insert(key("output"), to_cel(output, elements_max)?);
            }
            steps.insert(key(id), Cel::Map(Map { map: Arc::new(fields) }));
        }
        Ok(Cel::Map(Map { map: Arc::new(steps) }))
    }
}

fn key(text: &str) -> Key {
    Key::String(Arc::new(text.to_owned()))
}

/// The evaluator prints whole values in its errors; people need the word, not the megabyte.
fn readable(error: &cel::ExecutionError) -> String {
    const CHARS_MAX: usize = 300;
    let text = match error {
        cel::ExecutionError::NoSuchKey(key) => format!("\"{key}\" is missing"),
        other => other.to_string(),
    };
    text.chars().take(CHARS_MAX).collect()
}

fn bounded(value: Value) -> Result<Value, String> {
    let bytes = json::bytes(&value);
    if bytes > EXPRESSION_RESULT_BYTES_MAX {
        return Err(format!("its value has {bytes} bytes, {EXPRESSION_RESULT_BYTES_MAX} are allowed"));
    }
    Ok(value)
}

/// Integers stay integers: serde's conversion would make positive ones unsigned, which CEL does not add to signed ones.
fn to_cel(value: &Value, elements_max: usize) -> Result<Cel, String> {
    Ok(match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(signed), _) => Cel::Int(signed),
            (None, Some(unsigned)) => Cel::UInt(unsigned),
            (None, None) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cel::from(text.as_str()),
        Value::Array(items) if items.len() > elements_max => {
            return Err(format!("a list of {} elements; comprehensions take {elements_max}", items.len()));
        }
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| to_cel(item, elements_max)).collect();
            Cel::List(Arc::new(items?))
        }
        Value::Object(fields) => {
            let fields: Result<HashMap<_, _>, String> =
                fields.iter().map(|(name, field)| Ok((key(name), to_cel(field, elements_max)?))).collect();
            Cel::Map(Map { map: Arc::new(fields?) })
        }
    })
}

fn resolve<'a>(scope: &Scope<'a>, root: &str, segments: &[Segment]) -> Result<Cow<'a, Value>, String> {
    if root == "steps" {
        return resolve_step(scope, segments);
    }
    let value = scope.variable(root).ok_or_else(|| format!("\"{root}\" is not a variable"))?;
    walk(value, root, segments).map(Cow::Borrowed)
}

fn resolve_step<'a>(scope: &Scope<'a>, segments: &[Segment]) -> Result<Cow<'a, Value>, String> {
    let [Segment::Key(id), rest @ ..] = segments else { return Err("a step must be named".to_owned()) };
    let view = (scope.step)(id).ok_or_else(|| format!("there is no step \"{id}\""))?;
    match rest {
        [Segment::Key(field), rest @ ..] if field == "output" => {
            let output =
                view.output.ok_or_else(|| format!("step \"{id}\" is {} and has no output", view.status))?;
            walk(output, &format!("steps.{id}.output"), rest).map(Cow::Borrowed)
        }
        [Segment::Key(field)] if field == "status" => Ok(Cow::Owned(Value::from(view.status.as_str()))),
        [] => Ok(Cow::Owned(whole_step(view))),
        _ => Err(format!("step \"{id}\" has only \"output\" and \"status\"")),
    }
}

fn whole_step(view: StepView<'_>) -> Value {
    let output = view.output.cloned().unwrap_or(Value::Null);
    serde_json::json!({ "status": view.status.as_str(), "output": output })
}

fn walk<'a>(value: &'a Value, root: &str, segments: &[Segment]) -> Result<&'a Value, String> {
    let mut at = value;
    let mut place = root.to_owned();
    for segment in segments {
        let next = match segment {
            Segment::Key(key) => at.get(key),
            Segment::Index(index) => at.get(index),
        };
        at = next.ok_or_else(|| missing(at, &place, segment))?;
        match segment {
            Segment::Key(key) => place = format!("{place}.{key}"),
            Segment::Index(index) => place = format!("{place}[{index}]"),
        }
    }
    Ok(at)
}

fn missing(at: &Value, place: &str, segment: &Segment) -> String {
    match (segment, at) {
        (Segment::Key(key), Value::Object(fields)) => {
            let near = crate::problem::nearest(key, fields.keys().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            format!("{place} has no \"{key}\"{hint}")
        }
        (Segment::Key(key), _) => format!("{place} is not an object, so it has no \"{key}\""),
        (Segment::Index(index), Value::Array(items)) => {
            format!("{place} has {} elements, so none at {index}", items.len())
        }
        (Segment::Index(_), _) => format!("{place} is not a list"),
    }
}
