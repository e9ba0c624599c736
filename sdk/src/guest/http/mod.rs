//! One request through `wasi:http`: send the head, then the body, and wait for the answer's head.

mod body;
mod fault;

pub(crate) use body::AnswerBody;

use super::{Host, nanos};
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest, RequestOptions, Scheme,
};
use crate::http::{Body, ErrorKind, Fault, Head, Outgoing, Url};
use fault::{invalid, of_code, taken};

impl Host {
    pub fn send(
        &self,
        outgoing: &Outgoing,
        url: Url<'_>,
        body: &mut Body<'_>,
    ) -> Result<(Head, AnswerBody), Fault> {
        let (request, options) = (head(outgoing, url)?, options(outgoing));
        let sink = match body.length() {
            Some(0) => None,
            _ => Some(request.body().map_err(|()| taken())?),
        };
        let answer = outgoing_handler::handle(request, Some(options)).map_err(of_code)?;
        let sent = sink.map_or(Ok(None), |sink| body::send(sink, body, &answer));
        // A service that closes the connection half-way has often answered before.
        let (unsent, response) = match sent {
            Err(fault) if fault.kind == ErrorKind::RequestBody => return Err(fault),
            Err(_) => (None, wait(&answer)?),
            Ok(unsent) => (unsent, wait(&answer)?),
        };
        let headers = response.headers().entries();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let head = Head {
            method: outgoing.method.clone(),
            url: outgoing.url.clone(),
            status: response.status(),
            headers: headers.into_iter().map(|(name, value)| (name, text(value))).collect(),
        };
        Ok((head, AnswerBody::of(response, unsent)?))
    }
}

fn wait(answer: &FutureIncomingResponse) -> Result<IncomingResponse, Fault> {
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(result)) => result.map_err(of_code),
        Some(Err(())) | None => Err(taken()),
    }
}

fn head(outgoing: &Outgoing, url: Url<'_>) -> Result<OutgoingRequest, Fault> {
    let pairs: Vec<_> =
        outgoing.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let fields = Fields::from_list(&pairs).map_err(|error| {
        Fault::new(ErrorKind::InvalidRequest, format!("a header cannot be sent: {error}"))
    })?;
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
