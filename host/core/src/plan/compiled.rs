//! A plan ready to run: its expressions and schemas compiled, shared by all executions of the version.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::document::{PLAN_FORMAT, PlanDocument, PlannedStep};
use crate::expression::Template;
use crate::json::pointer;
use crate::problem::Finding;
use crate::schema::Schema;

#[derive(Debug)]
pub struct Plan {
    pub document: PlanDocument,
    /// What expressions read as `intent`.
    pub intent: Value,
    parameters: Vec<Template>,
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
        let mut parameters = Vec::new();
        for (at, step) in document.steps.iter().enumerate() {
            match Template::compile(&Value::Object(step.parameters.clone()), &pointer("/steps", at)) {
                Ok(template) => parameters.push(template),
                Err(wrong) => findings.extend(wrong),
            }
        }
        let output = document.output.as_ref().map(|output| Template::compile(output, "/output"));
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
        Ok(Self { document, intent, parameters, output, input, positions })
    }

    pub fn step(&self, at: usize) -> Option<&PlannedStep> {
        self.document.steps.get(at)
    }

    pub fn position(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }

    pub fn parameters(&self, at: usize) -> Option<&Template> {
        self.parameters.get(at)
    }

    pub fn output(&self) -> Option<&Template> {
        self.output.as_ref()
    }

    /// Everything in an input that does not fit the intent's schema.
    pub fn check_input(&self, input: &Value) -> Vec<Finding> {
        self.input.as_ref().map(|schema| schema.findings(input, "/input", "input")).unwrap_or_default()
    }
}
