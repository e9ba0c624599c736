//! JSON with expressions in its strings. A string that is one expression takes the value's own type; otherwise values
//! are put into the text. `$${` is a literal `${`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::program::{Expression, ExpressionError};
use super::scope::{EvaluationError, Scope};
use super::variables::Variables;
use crate::json::{self, pointer};
use crate::limits::TEMPLATE_RESULT_BYTES_MAX;
use crate::problem::Finding;

/// A compiled JSON value.
#[derive(Debug)]
pub struct Template {
    root: Node,
}

#[derive(Debug)]
enum Node {
    Plain(Value),
    Whole(Expression),
    Text(Vec<Part>),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value(Expression),
}

impl Template {
    /// Err: everything that is wrong, with pointers below `base`.
    pub fn compile(value: &Value, base: &str, variables: Variables<'_>) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let root = node(value, base, variables, &mut findings);
        if findings.is_empty() { Ok(Self { root }) } else { Err(findings) }
    }

    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, EvaluationError> {
        Filling { scope, bytes_left: TEMPLATE_RESULT_BYTES_MAX }.fill(&self.root)
    }

    /// Ids of the steps that it reads, with the pointers of the strings that do.
    pub fn steps(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        visit(&self.root, "", &mut |place, expression| {
            found.extend(expression.steps().iter().map(|step| (step.clone(), place.to_owned())));
        });
        found
    }

    /// Pointers of the strings whose value is not known before the execution.
    pub fn holes(&self) -> Vec<String> {
        let mut found = Vec::new();
        visit(&self.root, "", &mut |place, _| found.push(place.to_owned()));
        found.dedup();
        found
    }
}

fn node(value: &Value, base: &str, variables: Variables<'_>, findings: &mut Vec<Finding>) -> Node {
    match value {
        Value::String(text) if text.contains("${") => string(text, base, variables, findings),
        Value::Array(items) => {
            let nodes = items
                .iter()
                .enumerate()
                .map(|(at, item)| node(item, &pointer(base, at), variables, findings));
            join(value, nodes.collect(), Node::List)
        }
        Value::Object(fields) => {
            let mut plain = true;
            let nodes: Vec<_> = fields
                .iter()
                .map(|(name, field)| {
                    let made = node(field, &pointer(base, name), variables, findings);
                    plain &= matches!(made, Node::Plain(_));
                    (name.clone(), made)
                })
                .collect();
            if plain { Node::Plain(value.clone()) } else { Node::Object(nodes) }
        }
        _ => Node::Plain(value.clone()),
    }
}

fn join(value: &Value, nodes: Vec<Node>, make: fn(Vec<Node>) -> Node) -> Node {
    let plain = nodes.iter().all(|node| matches!(node, Node::Plain(_)));
    if plain { Node::Plain(value.clone()) } else { make(nodes) }
}

fn string(text: &str, base: &str, variables: Variables<'_>, findings: &mut Vec<Finding>) -> Node {
    match parts(text, variables) {
        Ok(mut parts) => match (parts.len(), parts.pop()) {
            (1, Some(Part::Value(expression))) => Node::Whole(expression),
            (1, Some(Part::Text(text))) => Node::Plain(Value::String(text)),
            (_, Some(last)) => {
                parts.push(last);
                Node::Text(parts)
            }
            (_, None) => Node::Plain(Value::String(String::new())),
        },
        Err((error, offset)) => {
            let (from, to) = error.span;
            let mut finding =
                Finding::error(base, error.code, error.message).span(from + offset, to + offset);
            finding.hint = error.hint;
            findings.push(finding);
            Node::Plain(Value::Null)
        }
    }
}

/// Cuts a text into what is literal and what is an expression. Err: with the offset of the expression in the text.
fn parts(text: &str, variables: Variables<'_>) -> Result<Vec<Part>, (ExpressionError, usize)> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let open = at + found;
        if text[..open].ends_with('$') {
            literal.push_str(&text[at..open]);
            literal.push('{');
            at = open + 2;
            continue;
        }
        literal.push_str(&text[at..open]);
        let close = closing(text, open + 2).ok_or_else(|| (unclosed(), open))?;
        let source = &text[open + 2..close];
        let lead = source.len() - source.trim_start().len();
        let expression = Expression::compile(source, variables).map_err(|error| (error, open + 2 + lead))?;
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        parts.push(Part::Value(expression));
        at = close + 1;
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

fn unclosed() -> ExpressionError {
    ExpressionError {
        code: "expression-syntax",
        message: "\"${\" is not closed".to_owned(),
        hint: Some("close it with }, or write $${ for a literal ${".to_owned()),
        span: (0, 2),
    }
}

/// The `}` that closes an expression: braces nest, and those inside quotes do not count.
fn closing(text: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < from) {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

/// One evaluation of a template: what it may still give.
struct Filling<'a, 'b> {
    scope: &'a Scope<'b>,
    bytes_left: usize,
}

impl<'b> Filling<'_, 'b> {
    fn fill(&mut self, node: &Node) -> Result<Value, EvaluationError> {
        Ok(match node {
            Node::Plain(value) => value.clone(),
            Node::Whole(expression) => self.evaluate(expression)?.into_owned(),
            Node::Text(parts) => Value::String(self.fill_text(parts)?),
            Node::List(nodes) => {
                let items: Result<Vec<_>, _> = nodes.iter().map(|node| self.fill(node)).collect();
                Value::Array(items?)
            }
            Node::Object(nodes) => {
                let mut fields = Map::new();
                for (name, node) in nodes {
                    fields.insert(name.clone(), self.fill(node)?);
                }
                Value::Object(fields)
            }
        })
    }

    fn fill_text(&mut self, parts: &[Part]) -> Result<String, EvaluationError> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Value(expression) => match self.evaluate(expression)?.as_ref() {
                    Value::String(value) => text.push_str(value),
                    other => text.push_str(&other.to_string()),
                },
            }
        }
        Ok(text)
    }

    fn evaluate(&mut self, expression: &Expression) -> Result<Cow<'b, Value>, EvaluationError> {
        let value = expression.evaluate(self.scope)?;
        let left = self.bytes_left.checked_sub(json::bytes(&value));
        self.bytes_left = left.ok_or_else(|| EvaluationError {
            source_text: expression.source().to_owned(),
            reason: format!(
                "the values of all expressions here have more than {TEMPLATE_RESULT_BYTES_MAX} bytes"
            ),
        })?;
        Ok(value)
    }
}

fn visit(node: &Node, place: &str, found: &mut impl FnMut(&str, &Expression)) {
    match node {
        Node::Plain(_) => {}
        Node::Whole(expression) => found(place, expression),
        Node::Text(parts) => {
            for part in parts {
                if let Part::Value(expression) = part {
                    found(place, expression);
                }
            }
        }
        Node::List(nodes) => {
            nodes.iter().enumerate().for_each(|(at, node)| visit(node, &pointer(place, at), found))
        }
        Node::Object(nodes) => {
            nodes.iter().for_each(|(name, node)| visit(node, &pointer(place, name), found));
        }
    }
}
