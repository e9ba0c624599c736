//! Settings of outgoing requests.

use std::sync::Arc;

use ipnet::IpNet;

use super::limits;
use super::resolve::{Resolver, SystemResolver};

/// Bounds of each request, and what the operator adds.
#[derive(Debug, Clone)]
pub struct EgressOptions {
    /// Ranges that are not public and that the operator allows; metadata addresses stay refused.
    pub allow_cidrs: Vec<IpNet>,
    /// Certificate authorities beside the web's, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Who knows the addresses of names.
    pub resolver: Arc<dyn Resolver>,
    /// Requests of one attempt.
    pub requests_max: u64,
    /// Bytes of one request's body.
    pub request_bytes_max: u64,
    /// Bytes that one attempt sends.
    pub sent_bytes_max: u64,
    /// Bytes of one answer's body, where the grant names none.
    pub response_bytes_max: u64,
    /// The most that a grant can ask for.
    pub response_bytes_ceiling: u64,
    /// Bytes that one attempt receives.
    pub received_bytes_max: u64,
    pub connect_ms_max: u64,
    /// Without a byte.
    pub silence_ms_max: u64,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            allow_cidrs: Vec::new(),
            authorities: Vec::new(),
            resolver: Arc::new(SystemResolver),
            requests_max: limits::REQUESTS_MAX,
            request_bytes_max: limits::REQUEST_BYTES_MAX,
            sent_bytes_max: limits::SENT_BYTES_MAX,
            response_bytes_max: limits::RESPONSE_BYTES_MAX,
            response_bytes_ceiling: limits::RESPONSE_BYTES_CEILING,
            received_bytes_max: limits::RECEIVED_BYTES_MAX,
            connect_ms_max: limits::CONNECT_MS_MAX,
            silence_ms_max: limits::SILENCE_MS_MAX,
        }
    }
}
