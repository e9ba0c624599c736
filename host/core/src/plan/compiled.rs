//! A plan ready to run: its expressions and schemas compiled, shared by all executions of the version.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::document::{PLAN_FORMAT, PlanDocument, PlannedStep};
use crate::expression::{Expression, Scope, Template, Variables};
use crate::intent::{ForEach, StepDefinition};
use crate::json::pointer;
use crate::limits::CONCURRENCY_KEY_BYTES_MAX;
use crate::problem::{Finding, Problem};
use crate::schema::Schema;

#[derive(Debug)]
pub struct Plan {
    pub document: PlanDocument,
    /// What expressions read as `intent`.
    pub intent: Value,
    steps: Vec<CompiledStep>,
    /// Of `concurrency.key`.
    concurrency_key: Option<Expression>,
    output: Option<Template>,
    input: Option<Schema>,
    positions: HashMap<String, usize>,
}

impl Plan {
    /// Err: the document is of a newer format, or what it holds does not compile (any more).
    pub fn compile(document: PlanDocument) -> Result<Self, Vec<Finding>> {
        if document.format > PLAN_FORMAT {
            let message =
                format!("the plan has format {}, this host reads up to {PLAN_FORMAT}", document.format);
            return Err(vec![Finding::error("/format", "plan-format", message).hint("run a newer host")]);
        }
        let mut findings = Vec::new();
        let mut steps = Vec::new();
        for (at, step) in document.steps.iter().enumerate() {
            match CompiledStep::compile(&Source::planned(step), &pointer("/steps", at)) {
                Ok(compiled) => steps.push(compiled),
                Err(wrong) => findings.extend(wrong),
            }
        }
        let key = document.concurrency.as_ref().and_then(|limit| limit.key.as_deref());
        let key = key.map(|key| bare(key, "/concurrency/key", Variables::STARTING));
        let concurrency_key = key.transpose().map_err(|wrong| findings.push(*wrong)).ok().flatten();
        let output = document.output.as_ref();
        let output = output.map(|output| Template::compile(output, "/output", Variables::RUNNING));
        let output = output.transpose().map_err(|wrong| findings.extend(wrong)).ok().flatten();
        let input = document.input.as_ref().map(Schema::compile).transpose();
        let input =
            input.map_err(|why| findings.push(Finding::error("/input", "input-schema", why))).ok().flatten();
        if !findings.is_empty() {
            return Err(findings);
        }
        let ids = document.steps.iter().enumerate();
        let positions = ids.map(|(at, step)| (step.id.as_str().to_owned(), at)).collect();
        let intent = json!({
            "name": document.intent.name, "version": document.intent.version,
            "labels": document.intent.labels, "definition": document.intent.definition,
        });
        Ok(Self { document, intent, steps, concurrency_key, output, input, positions })
    }

    pub fn step(&self, at: usize) -> Option<&PlannedStep> {
        self.document.steps.get(at)
    }

    pub fn position(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }

    pub fn compiled(&self, at: usize) -> Option<&CompiledStep> {
        self.steps.get(at)
    }

    /// The key under which executions are counted together, as text. Err: the expression gives no value.
    pub fn concurrency_key(&self, input: &Value) -> Result<Option<String>, Box<Problem>> {
        if self.document.concurrency.is_none() {
            return Ok(None);
        }
        let Some(expression) = &self.concurrency_key else { return Ok(Some(String::new())) };
        let scope = Scope {
            input,
            intent: &self.intent,
            execution: &Value::Null,
            element: None,
            result: None,
            step: &|_| None,
        };
        let value = expression.evaluate(&scope).map_err(|error| {
            Box::new(Problem::new("concurrency-key", format!("the key of \"concurrency\": {error}")))
        })?;
        let key = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if key.len() > CONCURRENCY_KEY_BYTES_MAX {
            let message = format!(
                "the key of \"concurrency\" has {} bytes, {CONCURRENCY_KEY_BYTES_MAX} are allowed",
                key.len()
            );
            return Err(Box::new(Problem::new("concurrency-key", message)));
        }
        Ok(Some(key))
    }

    pub fn output(&self) -> Option<&Template> {
        self.output.as_ref()
    }

    /// Everything in an input that does not fit the intent's schema.
    pub fn check_input(&self, input: &Value) -> Vec<Finding> {
        self.input.as_ref().map(|schema| schema.findings(input, "/input", "input")).unwrap_or_default()
    }
}

/// The expressions of one step.
#[derive(Debug)]
pub struct CompiledStep {
    pub parameters: Template,
    pub when: Option<Expression>,
    /// The list of `for_each`.
    pub list: Option<Expression>,
    /// Parameters of what undoes the step.
    pub undo: Option<Template>,
}

/// The texts that a step is compiled from, as a document or a plan holds them.
pub(super) struct Source<'a> {
    parameters: &'a Map<String, Value>,
    when: Option<&'a str>,
    for_each: Option<&'a ForEach>,
    undo: Option<&'a Map<String, Value>>,
}

impl<'a> Source<'a> {
    pub fn of(step: &'a StepDefinition) -> Self {
        Self {
            parameters: &step.parameters,
            when: step.when.as_deref(),
            for_each: step.for_each.as_ref(),
            undo: step.compensate.as_ref().map(|undo| &undo.parameters),
        }
    }

    pub fn planned(step: &'a PlannedStep) -> Self {
        Self {
            parameters: &step.parameters,
            when: step.when.as_deref(),
            for_each: step.for_each.as_ref(),
            undo: step.compensate.as_ref().map(|undo| &undo.parameters),
        }
    }
}

impl CompiledStep {
    pub(super) fn compile(source: &Source<'_>, base: &str) -> Result<Self, Vec<Finding>> {
        let element = source.for_each.map(|for_each| for_each.variable.as_str());
        let mut findings = Vec::new();
        let template = |parameters: &Map<String, Value>, place: &str, known: Variables<'_>| {
            Template::compile(&Value::Object(parameters.clone()), place, known.with_element(element))
        };
        let parameters = template(source.parameters, base, Variables::RUNNING);
        let parameters = parameters.map_err(|wrong| findings.extend(wrong)).ok();
        let undo = source.undo.map(|undo| template(undo, &pointer(base, "compensate"), Variables::UNDOING));
        let undo = undo.transpose().map_err(|wrong| findings.extend(wrong)).ok().flatten();
        let condition = |text: &str, key: &str| bare(text, &pointer(base, key), Variables::RUNNING);
        let when = source.when.map(|when| condition(when, "when"));
        let when = when.transpose().map_err(|wrong| findings.push(*wrong)).ok().flatten();
        let list = source.for_each.map(|for_each| condition(&for_each.list, "for_each"));
        let list = list.transpose().map_err(|wrong| findings.push(*wrong)).ok().flatten();
        match parameters {
            Some(parameters) if findings.is_empty() => Ok(Self { parameters, when, list, undo }),
            _ => Err(findings),
        }
    }

    /// Ids of the steps that decide whether and how the step runs.
    pub fn reads(&self) -> Vec<String> {
        let conditions =
            self.when.iter().chain(&self.list).flat_map(|expression| expression.steps().to_vec());
        self.parameters.steps().into_iter().map(|(id, _)| id).chain(conditions).collect()
    }
}

fn bare(source: &str, place: &str, variables: Variables<'_>) -> Result<Expression, Box<Finding>> {
    Expression::compile(source, variables)
        .map_err(|error| Box::new(Finding::error(place, error.code, error.message)))
}
