//! The exports of the component, for every plugin.

use crate::bindings::exports::quantum::plugin::actions;
use crate::context::Context;
use crate::failure::{Failure, Problem};
use crate::guest::Host;
use crate::plugin::Plugin;

impl<P: Plugin> actions::Guest for P {
    fn run(action: String, parameters: String) -> Result<String, actions::Failure> {
        super::panic::report_panics();
        P::run(&Context::new(Host), &action, &parameters).map_err(outward)
    }
}

#[cfg(quantum_describe)]
impl<P: Plugin> crate::bindings::describing::exports::quantum::plugin::describe::Guest for P {
    fn manifest() -> String {
        super::panic::report_panics();
        P::manifest().to_string()
    }
}

fn outward(failure: Failure) -> actions::Failure {
    match failure {
        Failure::Permanent(problem) => actions::Failure::Permanent(told(problem)),
        Failure::Retryable(problem, after_ms) => actions::Failure::Retryable((told(problem), after_ms)),
        Failure::Cancelled => actions::Failure::Cancelled,
    }
}

fn told(problem: Problem) -> actions::Problem {
    actions::Problem { code: problem.code, message: problem.message, details: problem.details }
}
