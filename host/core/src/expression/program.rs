//! One compiled expression.

use std::sync::{Arc, LazyLock};

use cel::Env;
use cel::common::ast::IdedExpr;
use cel::parser::PrattParser;

use super::ast::{self, References, Segment};
use super::variables::Variables;
use crate::limits::{COMPREHENSIONS_NESTED_MAX, EXPRESSION_BYTES_MAX, EXPRESSION_LEVELS_MAX};
use crate::problem::nearest;

/// CEL's standard library and nothing else.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Why a text is not an expression, with the place inside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// `expression-syntax`, `expression-variable`, `expression-limit` or `not-supported`.
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    /// Bytes from and to, inside the expression's source.
    pub span: (usize, usize),
}

/// A parsed and checked expression. A path is resolved by borrowing, the rest by CEL.
#[derive(Debug)]
pub struct Expression {
    source: String,
    pub(super) kind: Kind,
    pub(super) references: References,
}

#[derive(Debug)]
pub(super) enum Kind {
    Path { root: String, segments: Vec<Segment> },
    Program(IdedExpr),
}

impl Expression {
    pub fn compile(source: &str, variables: Variables<'_>) -> Result<Self, ExpressionError> {
        let source = source.trim();
        let whole = (0, source.len());
        if source.len() > EXPRESSION_BYTES_MAX {
            let message =
                format!("an expression has at most {EXPRESSION_BYTES_MAX} bytes, this one {}", source.len());
            return Err(ExpressionError { code: "expression-limit", message, hint: None, span: whole });
        }
        // The default parser of the crate can be made to use gigabytes; this one is bounded.
        let tree = PrattParser::default().parse(source).map_err(|errors| syntax_error(source, &errors))?;
        let references = ast::references(&tree);
        check(&references, variables, whole)?;
        let kind = match ast::as_path(&tree) {
            Some((root, segments)) => Kind::Path { root, segments },
            None => Kind::Program(tree),
        };
        Ok(Self { source: source.to_owned(), kind, references })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Ids of the steps that it reads.
    pub fn steps(&self) -> &[String] {
        &self.references.steps
    }
}

fn syntax_error(source: &str, errors: &cel::ParseErrors) -> ExpressionError {
    let (message, at) = match errors.errors.first() {
        Some(error) => (error.msg.clone(), offset(source, error.pos)),
        None => ("not an expression".to_owned(), 0),
    };
    let hint = Some("expressions are CEL, for example input.tag or size(input.items) > 0".to_owned());
    let letter = source.get(at..).and_then(|rest| rest.chars().next());
    let span = (at, at + letter.map_or(0, char::len_utf8));
    let message = match message.trim_start_matches("Syntax error: ") {
        "mismatched input '<EOF>' expecting expression" => "it ends where a value is expected",
        told => told,
    };
    ExpressionError { code: "expression-syntax", message: format!("syntax error: {message}"), hint, span }
}

/// Line and column, both from 1, as a byte offset that lies between letters.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let lines = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = source.split_inclusive('\n').take(lines).map(str::len).sum();
    let at = before + usize::try_from(column - 1).unwrap_or(0);
    source.floor_char_boundary(at)
}

fn check(
    references: &References,
    variables: Variables<'_>,
    span: (usize, usize),
) -> Result<(), ExpressionError> {
    let fail = |code, message, hint| Err(ExpressionError { code, message, hint, span });
    if references.too_deep {
        let message = format!("an expression has at most {EXPRESSION_LEVELS_MAX} levels");
        let hint = Some("split it: let a step compute a part of it".to_owned());
        return fail("expression-limit", message, hint);
    }
    if references.comprehensions > COMPREHENSIONS_NESTED_MAX {
        let message = format!("at most {COMPREHENSIONS_NESTED_MAX} comprehensions may be nested");
        return fail("expression-limit", message, None);
    }
    for name in &references.variables {
        if name == "secrets" {
            let hint = Some("give the secret to the plugin's installation".to_owned());
            return fail("not-supported", "secrets in expressions are not supported yet".to_owned(), hint);
        }
        if name == "config" {
            let hint = Some("put the value into the intent's input or definition".to_owned());
            return fail("not-supported", "config in expressions is not supported yet".to_owned(), hint);
        }
        if !variables.contains(name) {
            let near = nearest(name, variables.names()).map(|near| format!("did you mean \"{near}\"?"));
            let hint = near.or_else(|| {
                Some(format!("known here: {}", variables.names().collect::<Vec<_>>().join(", ")))
            });
            return fail("expression-variable", format!("\"{name}\" is not a variable"), hint);
        }
    }
    if references.steps_computed {
        let hint = Some("write steps.ID or steps[\"ID\"] with the id itself".to_owned());
        return fail("expression-variable", "a step must be named literally".to_owned(), hint);
    }
    Ok(())
}
