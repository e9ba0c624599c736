//! The errors of `wasi:http` in the client's words.

use crate::bindings::wasi::http::types::{ErrorCode, http_error_code};
use crate::bindings::wasi::io::streams::StreamError;
use crate::http::{ErrorKind, Fault};

pub(super) fn invalid(reason: &str) -> Fault {
    Fault::new(ErrorKind::InvalidRequest, reason)
}

/// A part of the exchange was taken before: the host does not do that.
pub(super) fn taken() -> Fault {
    Fault::new(ErrorKind::Protocol, "a part of the exchange is lost")
}

pub(super) fn of_stream(error: StreamError) -> Fault {
    let broken = || Fault::new(ErrorKind::Connection, "the connection broke");
    match error {
        StreamError::Closed => broken(),
        StreamError::LastOperationFailed(error) => http_error_code(&error).map_or_else(broken, of_code),
    }
}

pub(super) fn of_code(code: ErrorCode) -> Fault {
    let (kind, reason) = match code {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => (ErrorKind::Dns, "the name does not resolve"),
        ErrorCode::ConnectionTimeout => (ErrorKind::Timeout, "no connection in time"),
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout => {
            (ErrorKind::Timeout, "no byte in time")
        }
        ErrorCode::HttpResponseTimeout => (ErrorKind::Timeout, "no answer in time"),
        ErrorCode::DestinationNotFound | ErrorCode::DestinationUnavailable => {
            (ErrorKind::Connection, "not reachable")
        }
        ErrorCode::ConnectionRefused => (ErrorKind::Connection, "the connection was refused"),
        ErrorCode::ConnectionTerminated => (ErrorKind::Connection, "the connection broke"),
        ErrorCode::ConnectionLimitReached => (ErrorKind::Connection, "too many connections"),
        ErrorCode::DestinationIpProhibited => (ErrorKind::Denied, "the host does not allow this address"),
        ErrorCode::DestinationIpUnroutable => (ErrorKind::Connection, "no route"),
        ErrorCode::HttpRequestDenied => (ErrorKind::Denied, "the host does not allow this request"),
        ErrorCode::TlsProtocolError => (ErrorKind::Tls, "the TLS handshake failed"),
        ErrorCode::TlsCertificateError => (ErrorKind::Tls, "the certificate is not trusted"),
        ErrorCode::TlsAlertReceived(_) => (ErrorKind::Tls, "the other side refused the TLS handshake"),
        ErrorCode::HttpResponseBodySize(_) => {
            (ErrorKind::TooLarge, "the answer is larger than the host allows")
        }
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid => {
            (ErrorKind::InvalidRequest, "the method or the URL is not valid")
        }
        ErrorCode::HttpRequestBodySize(_) => {
            (ErrorKind::InvalidRequest, "the body is larger than the host allows")
        }
        ErrorCode::InternalError(Some(reason)) => return Fault::new(ErrorKind::Protocol, reason),
        _ => (ErrorKind::Protocol, "the exchange failed"),
    };
    Fault::new(kind, reason)
}
