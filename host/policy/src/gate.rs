//! The ports of `core` for running steps: may this step start, may it send this request.

use quantum_core::port::{EffectGate, HttpCall, SecretCall, StepGate, StepSubject, Verdict};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Operation;

use crate::authorizer::Authorizer;
use crate::facts::SecretFacts;
use crate::question::{Question, Unfit};
use crate::{context, entity};

impl StepGate for Authorizer {
    fn step_start(&self, subject: &StepSubject, attempt: u32, now: Timestamp) -> Verdict {
        self.decide_step(Operation::StepStart, start_question(subject, attempt, now), now)
    }
}

impl EffectGate for Authorizer {
    fn http_request(&self, subject: &StepSubject, call: &HttpCall<'_>, now: Timestamp) -> Verdict {
        self.decide_step(Operation::HttpRequest, call_question(subject, call, now), now)
    }

    fn secret(&self, subject: &StepSubject, call: &SecretCall<'_>, now: Timestamp) -> Verdict {
        let operation = if call.reveal { Operation::SecretReveal } else { Operation::SecretUse };
        self.decide_step(operation, secret_question(subject, call, now), now)
    }
}

pub(crate) fn start_question(subject: &StepSubject, attempt: u32, now: Timestamp) -> Result<Question, Unfit> {
    Ok(Question {
        principal: entity::step(subject)?,
        resource: entity::plugin_action(&subject.action)?,
        named: None,
        context: context::of_step(attempt, now),
    })
}

pub(crate) fn call_question(
    subject: &StepSubject,
    call: &HttpCall<'_>,
    now: Timestamp,
) -> Result<Question, Unfit> {
    Ok(Question {
        principal: entity::step(subject)?,
        resource: entity::endpoint(subject, call)?,
        named: None,
        context: context::of_call(call, now),
    })
}

pub(crate) fn secret_question(
    subject: &StepSubject,
    call: &SecretCall<'_>,
    now: Timestamp,
) -> Result<Question, Unfit> {
    let facts = SecretFacts {
        tenant: &subject.tenant,
        name: call.name,
        environment: call.environment,
        expires_at: call.expires_at,
    };
    Ok(Question {
        principal: entity::step(subject)?,
        resource: entity::secret(&facts)?,
        named: None,
        context: context::of_step(call.attempt, now),
    })
}
