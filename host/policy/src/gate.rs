//! The ports of `core` for running steps: may this step start, may it send this request.

use cedar_policy_core::ast::EntityType;
use quantum_core::port::{EffectGate, HttpCall, SecretCall, StepGate, StepSubject, Verdict};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Operation;

use crate::authorizer::Authorizer;
use crate::facts::SecretFacts;
use crate::needs::Needs;
use crate::question::{Asked, Question, Unfit};
use crate::words::WORDS;
use crate::{context, entity};

impl StepGate for Authorizer {
    fn step_start(&self, subject: &StepSubject, attempt: u32, now: Timestamp) -> Verdict {
        let asked = asked(Operation::StepStart, &WORDS.plugin_action);
        self.decide_step(asked, now, |needs| start_question(subject, attempt, now, needs))
    }
}

impl EffectGate for Authorizer {
    fn http_request(&self, subject: &StepSubject, call: &HttpCall<'_>, now: Timestamp) -> Verdict {
        let asked = asked(Operation::HttpRequest, &WORDS.endpoint);
        self.decide_step(asked, now, |needs| call_question(subject, call, now, needs))
    }

    fn secret(&self, subject: &StepSubject, call: &SecretCall<'_>, now: Timestamp) -> Verdict {
        let operation = if call.reveal { Operation::SecretReveal } else { Operation::SecretUse };
        let asked = asked(operation, &WORDS.secret);
        self.decide_step(asked, now, |needs| secret_question(subject, call, now, needs))
    }
}

fn asked(operation: Operation, resource: &'static EntityType) -> Asked {
    Asked { operation, principal: &WORDS.step, resource }
}

pub(crate) fn start_question<'n>(
    subject: &StepSubject,
    attempt: u32,
    now: Timestamp,
    needs: &'n Needs,
) -> Result<Question<'n>, Unfit> {
    Ok(Question {
        principal: entity::step(subject, needs),
        resource: entity::plugin_action(&subject.action, needs),
        named: None,
        context: context::of_step(attempt, now, needs)?,
    })
}

pub(crate) fn call_question<'n>(
    subject: &StepSubject,
    call: &HttpCall<'_>,
    now: Timestamp,
    needs: &'n Needs,
) -> Result<Question<'n>, Unfit> {
    Ok(Question {
        principal: entity::step(subject, needs),
        resource: entity::endpoint(subject, call, needs)?,
        named: None,
        context: context::of_call(call, now, needs)?,
    })
}

pub(crate) fn secret_question<'n>(
    subject: &StepSubject,
    call: &SecretCall<'_>,
    now: Timestamp,
    needs: &'n Needs,
) -> Result<Question<'n>, Unfit> {
    let facts = SecretFacts {
        tenant: &subject.tenant,
        name: call.name,
        environment: call.environment,
        expires_at: call.expires_at,
    };
    Ok(Question {
        principal: entity::step(subject, needs),
        resource: entity::secret(&facts, needs)?,
        named: None,
        context: context::of_step(call.attempt, now, needs)?,
    })
}
