//! A decided request on a connection: an idle one, or a new one to an address that was decided.

use std::error::Error as _;
use std::net::IpAddr;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, WasiBody};

use super::connection::{Connection, Unopened, Unsent};
use super::limits::{HEAD_BYTES_MAX, HEADERS_MAX};
use super::pool::Key;
use super::send::{Asking, AttemptEgress};
use super::trust::certificate_hint;

/// A request and the connection that its answer comes on.
pub(super) struct Exchanged {
    pub key: Key,
    pub connection: Connection,
    pub response: Response<Incoming>,
}

impl AttemptEgress {
    /// On an idle connection when there is one; a server that closed it in the meantime costs nothing.
    pub(super) async fn exchange(
        &self,
        asking: &Asking<'_>,
        addresses: &[IpAddr],
        mut request: Request<WasiBody>,
    ) -> Result<Exchanged, Error> {
        let first_byte = asking.times.first_byte;
        for address in addresses {
            let key = Self::key(asking, *address);
            let Some(idle) = self.shared.pool.take(&key) else { continue };
            let Some(mut connection) = idle.ready().await else { continue };
            match timeout(first_byte, connection.send(request)).await {
                Err(_) => return Err(Error::ConnectionReadTimeout),
                Ok(Ok(response)) => return Ok(Exchanged { key, connection, response }),
                Ok(Err(Unsent::Failed(error))) => return Err(self.failed(error)),
                Ok(Err(Unsent::Returned(returned))) => request = *returned,
            }
        }
        let (key, mut connection) = self.connect(asking, addresses).await?;
        match timeout(first_byte, connection.send(request)).await {
            Err(_) => Err(Error::ConnectionReadTimeout),
            Ok(Ok(response)) => Ok(Exchanged { key, connection, response }),
            Ok(Err(Unsent::Failed(error))) => Err(self.failed(error)),
            Ok(Err(Unsent::Returned(_))) => Err(Error::ConnectionTerminated),
        }
    }

    /// A body that was denied or over a limit while it was sent looks like a broken connection from outside.
    fn failed(&self, error: Error) -> Error {
        if matches!(error, Error::HttpResponseHeaderSectionSize(_)) {
            self.notes.hint(format!(
                "the host takes at most {HEADERS_MAX} fields and {HEAD_BYTES_MAX} bytes of an answer's head"
            ));
        }
        let Error::Hyper(broken) = &error else { return error };
        match broken.source().and_then(|cause| cause.downcast_ref::<Error>()) {
            Some(Error::HttpRequestDenied) => Error::HttpRequestDenied,
            Some(Error::HttpRequestBodySize(size)) => Error::HttpRequestBodySize(*size),
            _ => error,
        }
    }

    /// To the first of the checked addresses that answers.
    async fn connect(&self, asking: &Asking<'_>, addresses: &[IpAddr]) -> Result<(Key, Connection), Error> {
        let Asking { route, times, .. } = asking;
        let mut last = Error::DestinationUnavailable;
        for address in addresses {
            let opening = Connection::open(&route.actual, *address, &route.trust.connector);
            last = match timeout(times.connect, opening).await {
                Ok(Ok(connection)) => return Ok((Self::key(asking, *address), connection)),
                Ok(Err(Unopened::Failed(error))) => error,
                Ok(Err(Unopened::Certificate(reason))) => {
                    let (host, key) = (route.actual.authority(), route.logical.authority());
                    self.notes.hint(certificate_hint(&host, &key, &reason));
                    Error::TlsCertificateError
                }
                Err(_) => Error::ConnectionTimeout,
            };
        }
        Err(last)
    }

    fn key(asking: &Asking<'_>, address: IpAddr) -> Key {
        let Asking { subject, route, .. } = asking;
        Key {
            tenant: subject.tenant.clone(),
            component: subject.action.component.clone(),
            logical: route.logical.to_string(),
            trust: route.trust.id,
            tls: route.actual.tls,
            host: route.actual.host.clone(),
            port: route.actual.port,
            address,
        }
    }
}
