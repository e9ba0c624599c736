//! One request through `wasi:http`: send, write the body, wait, read the answer.

use super::{Host, nanos};
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme, http_error_code,
};
use crate::bindings::wasi::io::streams::StreamError;
use crate::http::{Error, ErrorKind, Outgoing, Response, Url};

/// Bytes of one answer. Larger ones belong into artifacts; at it the request fails.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes written or read at once: what `blocking-write-and-flush` takes at most.
const PIECE_BYTES: usize = 4096;

type Fault = (ErrorKind, String);

impl Host {
    pub fn send(&self, outgoing: &Outgoing, url: Url<'_>) -> Result<Response, Error> {
        exchange(outgoing, url)
            .map_err(|(kind, reason)| Error::new(kind, &outgoing.method, &outgoing.url, reason))
    }
}

fn exchange(outgoing: &Outgoing, url: Url<'_>) -> Result<Response, Fault> {
    let (request, options) = (head(outgoing, url)?, options(outgoing));
    let body = request.body().map_err(|()| invalid("the body was taken twice"))?;
    let answer = outgoing_handler::handle(request, Some(options)).map_err(fault)?;
    let written = write(body, &outgoing.body);
    answer.subscribe().block();
    let response = match answer.get() {
        Some(Ok(result)) => result.map_err(fault)?,
        Some(Err(())) | None => return Err((ErrorKind::Protocol, "the answer was lost".to_owned())),
    };
    written?;
    let headers = response.headers().entries();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Response {
        method: outgoing.method.clone(),
        url: outgoing.url.clone(),
        status: response.status(),
        headers: headers.into_iter().map(|(name, value)| (name, text(value))).collect(),
        body: read(response)?,
    })
}

fn head(outgoing: &Outgoing, url: Url<'_>) -> Result<OutgoingRequest, Fault> {
    let pairs: Vec<_> =
        outgoing.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let fields =
        Fields::from_list(&pairs).map_err(|error| invalid(&format!("a header cannot be sent: {error}")))?;
    let request = OutgoingRequest::new(fields);
    let scheme = if url.tls { Scheme::Https } else { Scheme::Http };
    request
        .set_method(&method(&outgoing.method))
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(url.authority)))
        .and_then(|()| request.set_path_with_query(Some(&url.target())))
        .map_err(|()| invalid("the method, the host or the path cannot be sent"))?;
    Ok(request)
}

fn method(word: &str) -> Method {
    match word {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

/// A host that does not offer one of the timeouts still bounds the request by its own.
fn options(outgoing: &Outgoing) -> RequestOptions {
    let options = RequestOptions::new();
    let timeout = Some(nanos(outgoing.timeout));
    let _ = options.set_connect_timeout(timeout);
    let _ = options.set_first_byte_timeout(timeout);
    let _ = options.set_between_bytes_timeout(timeout);
    options
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Fault> {
    let stream = body.write().map_err(|()| invalid("the body was taken twice"))?;
    for piece in bytes.chunks(PIECE_BYTES) {
        stream.blocking_write_and_flush(piece).map_err(stream_fault)?;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(fault)
}

fn read(response: IncomingResponse) -> Result<Vec<u8>, Fault> {
    let lost = |()| (ErrorKind::Protocol, "the body was taken twice".to_owned());
    let body: IncomingBody = response.consume().map_err(lost)?;
    let stream = body.stream().map_err(lost)?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(stream_fault(error)),
        }
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err((ErrorKind::TooLarge, format!("the answer has more than {ANSWER_BYTES_MAX} bytes")));
        }
    }
}

fn invalid(reason: &str) -> Fault {
    (ErrorKind::InvalidRequest, reason.to_owned())
}

fn stream_fault(error: StreamError) -> Fault {
    let broken = || (ErrorKind::Connection, "the connection broke".to_owned());
    match error {
        StreamError::Closed => broken(),
        StreamError::LastOperationFailed(error) => http_error_code(&error).map_or_else(broken, fault),
    }
}

fn fault(code: ErrorCode) -> Fault {
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
        ErrorCode::InternalError(Some(reason)) => return (ErrorKind::Protocol, reason),
        _ => (ErrorKind::Protocol, "the exchange failed"),
    };
    (kind, reason.to_owned())
}
