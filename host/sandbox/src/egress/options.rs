//! Settings of outgoing requests.

use ipnet::IpNet;

/// Bytes of one answer's body, where the grant names none. Over it reading fails with `HTTP-response-body-size`.
const RESPONSE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Bytes that a grant can raise it to: a layer of an image. Bodies are streamed, so this bounds traffic, not memory.
const RESPONSE_BYTES_CEILING: u64 = 2 * 1024 * 1024 * 1024;
/// Milliseconds for lookup, TCP and TLS.
const CONNECT_MS_MAX: u64 = 10_000;
/// Milliseconds to the answer's head, and between two parts of its body.
const SILENCE_MS_MAX: u64 = 60_000;

/// Bounds of each request, and what the operator adds.
#[derive(Debug, Clone)]
pub struct EgressOptions {
    /// Ranges that are not public and that the operator allows; metadata addresses stay refused.
    pub allow_cidrs: Vec<IpNet>,
    /// Certificate authorities beside the web's, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Bytes of one answer's body, where the grant names none.
    pub response_bytes_max: u64,
    /// The most that a grant can ask for.
    pub response_bytes_ceiling: u64,
    pub connect_ms_max: u64,
    /// Without a byte.
    pub silence_ms_max: u64,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            allow_cidrs: Vec::new(),
            authorities: Vec::new(),
            response_bytes_max: RESPONSE_BYTES_MAX,
            response_bytes_ceiling: RESPONSE_BYTES_CEILING,
            connect_ms_max: CONNECT_MS_MAX,
            silence_ms_max: SILENCE_MS_MAX,
        }
    }
}
