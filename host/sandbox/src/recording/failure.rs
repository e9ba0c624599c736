//! How a request failed, as `wasi:http` calls it, and back.

use quantum_core::recording::HttpFailure;
use wasmtime_wasi_http::Error;

use crate::egress::{Denied, Notes};

type Plain = (&'static str, fn() -> Error);

/// Failures that are a word alone.
const PLAIN: &[Plain] = &[
    ("DNS-timeout", || Error::DnsTimeout),
    ("DNS-error", || Error::DnsError { rcode: None, info_code: None }),
    ("destination-not-found", || Error::DestinationNotFound),
    ("destination-unavailable", || Error::DestinationUnavailable),
    ("destination-IP-prohibited", || Error::DestinationIpProhibited),
    ("destination-IP-unroutable", || Error::DestinationIpUnroutable),
    ("connection-refused", || Error::ConnectionRefused),
    ("connection-terminated", || Error::ConnectionTerminated),
    ("connection-timeout", || Error::ConnectionTimeout),
    ("connection-read-timeout", || Error::ConnectionReadTimeout),
    ("connection-write-timeout", || Error::ConnectionWriteTimeout),
    ("connection-limit-reached", || Error::ConnectionLimitReached),
    ("TLS-protocol-error", || Error::TlsProtocolError),
    ("TLS-certificate-error", || Error::TlsCertificateError),
    ("HTTP-request-denied", || Error::HttpRequestDenied),
    ("HTTP-request-length-required", || Error::HttpRequestLengthRequired),
    ("HTTP-request-method-invalid", || Error::HttpRequestMethodInvalid),
    ("HTTP-request-URI-invalid", || Error::HttpRequestUriInvalid),
    ("HTTP-request-URI-too-long", || Error::HttpRequestUriTooLong),
    ("HTTP-response-incomplete", || Error::HttpResponseIncomplete),
    ("HTTP-response-timeout", || Error::HttpResponseTimeout),
    ("HTTP-upgrade-failed", || Error::HttpUpgradeFailed),
    ("HTTP-protocol-error", || Error::HttpProtocolError),
    ("loop-detected", || Error::LoopDetected),
    ("configuration-error", || Error::ConfigurationError),
];

const REQUEST_BODY: &str = "HTTP-request-body-size";
const RESPONSE_BODY: &str = "HTTP-response-body-size";
const RESPONSE_HEAD: &str = "HTTP-response-header-section-size";
const INTERNAL: &str = "internal-error";

/// With what the host knows of it.
pub(super) fn failure(error: &Error, notes: &Notes) -> HttpFailure {
    let plain = |code: &str| HttpFailure { code: code.to_owned(), ..HttpFailure::default() };
    let told = match error {
        Error::HttpRequestBodySize(size) => HttpFailure { size: *size, ..plain(REQUEST_BODY) },
        Error::HttpResponseBodySize(size) => HttpFailure { size: *size, ..plain(RESPONSE_BODY) },
        Error::HttpResponseHeaderSectionSize(size) => {
            HttpFailure { size: size.map(u64::from), ..plain(RESPONSE_HEAD) }
        }
        Error::InternalError(message) => HttpFailure { message: message.clone(), ..plain(INTERNAL) },
        other => plain(word(other)),
    };
    let denied = matches!(error, Error::HttpRequestDenied).then(|| notes.last_denial()).flatten();
    let hint = notes.last_hint();
    match denied {
        Some(Denied { message, details }) => {
            HttpFailure { denied: Some(message), details: Some(details), hint, ..told }
        }
        None => HttpFailure { hint, ..told },
    }
}

/// As the hooks tell it to the guest.
fn word(error: &Error) -> &'static str {
    let same = |made: &Error| std::mem::discriminant(made) == std::mem::discriminant(error);
    match error {
        Error::Hyper(broken) if broken.is_timeout() => "connection-read-timeout",
        Error::Hyper(broken)
            if broken.is_incomplete_message() || broken.is_canceled() || broken.is_closed() =>
        {
            "connection-terminated"
        }
        Error::Connect(error) if error.kind() == std::io::ErrorKind::TimedOut => "connection-timeout",
        Error::Connect(_) => "connection-refused",
        Error::Tls(_) => "TLS-protocol-error",
        _ => PLAIN.iter().find(|(_, make)| same(&make())).map_or("HTTP-protocol-error", |(word, _)| word),
    }
}

/// What the guest is told again; what the host knew of it is noted again.
pub(super) fn error(failure: &HttpFailure, notes: &Notes) -> Error {
    if let (Some(message), Some(details)) = (&failure.denied, &failure.details) {
        notes.denied(Denied { message: message.clone(), details: details.clone() });
    }
    if let Some(hint) = &failure.hint {
        notes.hint(hint.clone());
    }
    let size = failure.size;
    match failure.code.as_str() {
        REQUEST_BODY => Error::HttpRequestBodySize(size),
        RESPONSE_BODY => Error::HttpResponseBodySize(size),
        RESPONSE_HEAD => Error::HttpResponseHeaderSectionSize(size.and_then(|size| u32::try_from(size).ok())),
        INTERNAL => Error::InternalError(failure.message.clone()),
        code => {
            PLAIN.iter().find(|(word, _)| *word == code).map_or(Error::HttpProtocolError, |(_, make)| make())
        }
    }
}
