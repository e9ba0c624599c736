//! `transform-json`: one CEL expression over one value.

use std::sync::Arc;

use cel::parser::PrattParser;
use cel::{Context as Scope, Env, Value as Cel};
use quantum_sdk::prelude::*;
use serde_json::Value;

use crate::convert::{to_cel, to_json};

/// Bytes of the expression: the parser's cost grows with it. Over it the step fails.
const EXPRESSION_BYTES_MAX: usize = 4 * 1024;

/// Characters of an error's text.
const ERROR_CHARS_MAX: usize = 300;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformJson {
    /// What the expression calls `input`.
    input: Value,
    /// CEL, for example `{"names": input.users.map(u, u.name)}`.
    expression: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Transformed {
    /// What the expression gives; keys are sorted.
    output: Value,
}

/// Computes a new value from a value with a CEL expression.
///
/// The standard functions and macros are there, without `matches` and without times: their code is larger than all
/// the rest.
#[action(idempotent, no_side_effects)]
pub fn transform_json(_ctx: &Context, p: TransformJson) -> Result<Transformed> {
    if p.expression.len() > EXPRESSION_BYTES_MAX {
        let message = format!(
            "the expression has {} bytes, and {EXPRESSION_BYTES_MAX} are the most",
            p.expression.len()
        );
        return Err(Failure::permanent("expression-too-long", message));
    }
    let tree = PrattParser::default().parse(&p.expression).map_err(|errors| {
        Failure::permanent("invalid-expression", format!("failed to read the expression: {}", short(&errors)))
    })?;
    let mut scope = Scope::with_env(Arc::new(Env::stdlib()));
    scope.add_variable_from_value("input", to_cel(p.input));
    let value = Cel::resolve(&tree, &scope).map_err(|error| {
        Failure::permanent(
            "expression-failed",
            format!("failed to evaluate the expression: {}", short(&error)),
        )
    })?;
    let output = to_json(&value).map_err(|reason| {
        Failure::permanent(
            "expression-failed",
            format!("the expression gives something that is no JSON: {reason}"),
        )
    })?;
    Ok(Transformed { output })
}

/// The evaluator prints whole values in its errors; people need the reason.
fn short(error: &impl ToString) -> String {
    error.to_string().chars().take(ERROR_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use quantum_sdk::testing::Host;
    use serde_json::json;

    use super::*;

    fn check(input: Value, expression: &str) -> Result<Value> {
        let parameters = json!({ "input": input, "expression": expression });
        Host::new().run::<transform_json>(parameters).map(|answer| answer["output"].clone())
    }

    #[test]
    fn an_expression_reshapes_its_input() {
        let users = json!({ "users": [{ "name": "Ada", "age": 36 }, { "name": "Bob", "age": 7 }] });
        let expression =
            "{'adults': input.users.filter(u, u.age >= 18).map(u, u.name), 'count': size(input.users)}";
        assert_eq!(check(users, expression), Ok(json!({ "adults": ["Ada"], "count": 2 })));
    }

    #[test]
    fn numbers_keep_their_kind() {
        assert_eq!(check(json!({ "n": 41 }), "input.n + 1"), Ok(json!(42)));
        assert_eq!(check(json!({ "n": 1.5 }), "input.n * 2.0"), Ok(json!(3.0)));
        assert_eq!(check(json!(u64::MAX), "input"), Ok(json!(u64::MAX)));
    }

    #[test]
    fn keys_come_sorted_so_that_the_same_input_gives_the_same_bytes() {
        let output = check(json!({ "z": 1, "a": { "y": 1, "b": 2 } }), "input").unwrap();
        assert_eq!(output.to_string(), r#"{"a":{"b":2,"y":1},"z":1}"#);
    }

    #[test]
    fn a_wrong_expression_fails_for_good_and_says_why() {
        for (expression, code) in [
            ("input.", "invalid-expression"),
            ("inptu", "expression-failed"),
            ("input.missing", "expression-failed"),
            ("input + 'a'", "expression-failed"),
            (" ".repeat(5_000).as_str(), "expression-too-long"),
        ] {
            let failure = check(json!({}), expression).unwrap_err();
            assert_eq!(
                (failure.problem().unwrap().code.as_str(), failure.is_retryable()),
                (code, false),
                "{failure}"
            );
        }
    }
}
