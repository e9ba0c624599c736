//! The actions against a scripted host: what goes in, what is stored and sent, and which failure each bad input gets.

mod tar;
mod registry;
mod context;
mod build;
mod base;
mod push;
mod chunks;
mod auth;

use quantum_sdk::Failure;
use serde_json::Value;

/// Code and whether it is tried again.
fn ending(result: Result<Value, Failure>) -> (String, bool) {
    let failure = result.expect_err("it must fail");
    let retryable = failure.is_retryable();
    let problem = failure.problem().expect("it was not cancelled").clone();
    (problem.code, retryable)
}

fn message(result: Result<Value, Failure>) -> String {
    result.expect_err("it must fail").problem().expect("it was not cancelled").message.clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
