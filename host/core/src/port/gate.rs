//! Decisions about running steps. Whoever implements them does no IO and takes no lock.

use std::net::IpAddr;
use std::sync::Arc;

use super::{ActionEntry, StepSubject, Verdict};
use crate::time::Timestamp;
use crate::vocabulary::{AddressClass, Environment};

/// Decides whether a step may start. No IO, no lock.
pub trait StepGate: Send + Sync + 'static {
    fn step_start(&self, subject: &StepSubject, attempt: u32, now: Timestamp) -> Verdict;
}

/// Decides each effect of a running step. No IO, no lock.
pub trait EffectGate: Send + Sync + 'static {
    /// The step's action as it is installed now, so that what an installer takes back is gone at the next effect; none:
    /// it is not installed any more. Where installations do not change it is what the step began with.
    fn in_force(&self, subject: &StepSubject) -> Option<Arc<ActionEntry>> {
        Some(Arc::clone(&subject.action))
    }

    fn http_request(&self, subject: &StepSubject, call: &HttpCall<'_>, now: Timestamp) -> Verdict;
    fn secret(&self, subject: &StepSubject, call: &SecretCall<'_>, now: Timestamp) -> Verdict;
}

/// One outgoing request, after resolution and before the connection.
#[derive(Debug, Clone, Copy)]
pub struct HttpCall<'a> {
    pub method: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub path: &'a str,
    pub tls: bool,
    pub ip: IpAddr,
    pub address_class: AddressClass,
    /// A pattern of the grant covers it.
    pub granted: bool,
    pub attempt: u32,
}

/// One use of a secret: before a placeholder is given, and again before each request that carries it.
#[derive(Debug, Clone, Copy)]
pub struct SecretCall<'a> {
    /// As the tenant calls it.
    pub name: &'a str,
    /// That it is stored for.
    pub environment: Environment,
    pub expires_at: Option<Timestamp>,
    /// The guest asks for the value itself.
    pub reveal: bool,
    pub attempt: u32,
}
