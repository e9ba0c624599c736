//! Both actions against scripted receivers and chats.

mod chats;
mod webhooks;

use quantum_sdk::Failure;

fn code(failure: &Failure) -> (&str, bool) {
    (failure.problem().map_or("cancelled", |problem| problem.code.as_str()), failure.is_retryable())
}
