//! What bounds outgoing requests. What `EgressOptions` can set has its value there from here.

use std::time::Duration;

/// Requests of one attempt. Over it a request is denied: an attempt that polls each second for two hours makes fewer.
pub const REQUESTS_MAX: u64 = 10_000;
/// Requests of one attempt that are open at once. Over it: `connection-limit-reached`.
pub const OPEN_REQUESTS_MAX: usize = 32;
/// Bytes of one request's body: a layer of an image. Over it sending fails with `HTTP-request-body-size`.
pub const REQUEST_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes that one attempt sends, heads included: an image of a few layers. Over it the same.
pub const SENT_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// Bytes of one answer's body, where the grant names none. Over it reading fails with `HTTP-response-body-size`.
pub const RESPONSE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Bytes that a grant can raise it to: a layer of an image. Bodies are streamed, so this bounds traffic, not memory.
pub const RESPONSE_BYTES_CEILING: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes that one attempt receives, heads included: as many as it may send. Over it reading fails like that, and the next
/// request is denied.
pub const RECEIVED_BYTES_MAX: u64 = SENT_BYTES_MAX;

/// Fields of an answer's head. Over it the answer is refused with `HTTP-response-header-section-size`.
pub const HEADERS_MAX: usize = 100;
/// Bytes of an answer's head. Over it the same.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Milliseconds for lookup, and again for TCP with TLS.
pub const CONNECT_MS_MAX: u64 = 10_000;
/// Milliseconds to the answer's head, and between two parts of its body. The whole has the step's timeout.
pub const SILENCE_MS_MAX: u64 = 60_000;
/// How long a connection that was just given back may take to be ready again.
pub const READY_TIME_MAX: Duration = Duration::from_millis(50);

/// Addresses of one name that are looked at.
pub const ADDRESSES_MAX: usize = 8;
/// Names that one tenant looks up at once; others wait, as long as connecting may take. A lookup counts until the
/// system is done with it, however long ago the guest gave up.
pub const LOOKUPS_PER_TENANT_MAX: usize = 8;
/// Names that are looked up at once: each occupies a thread of those that files are read with.
pub const LOOKUPS_MAX: usize = 64;

/// Idle connections of one key. Over it the connection is closed instead of kept.
pub const IDLE_PER_KEY_MAX: usize = 8;
/// Idle connections of all keys. Over it the same.
pub const IDLE_MAX: usize = 512;
/// How long a connection is kept. Servers close theirs after a minute or so.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(30);

/// Placeholders in one request. Over it the request is denied: a short text must not become a long one.
pub const PLACEHOLDERS_MAX: usize = 64;
/// Bytes of a denial in the host's own log.
pub const DENIAL_BYTES_MAX: usize = 4 * 1024;
