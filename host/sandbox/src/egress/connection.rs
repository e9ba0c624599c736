//! One connection to a checked address: TCP, TLS with the name that was asked for, HTTP/1.1.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, WasiBody};

use super::body::head_bytes;
use super::limits::{HEAD_BYTES_MAX, HEADERS_MAX, READY_TIME_MAX};
use super::target::Target;
use crate::attempt::Payer;

pub(crate) struct Connection {
    sender: SendRequest<WasiBody>,
    /// Moves the bytes; ends with the connection.
    driver: JoinHandle<()>,
    /// The attempt whose request is on it.
    payer: Arc<Payer>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Why a request was not answered.
pub(crate) enum Unsent {
    /// Nothing of it left the host: it can be sent again on another connection.
    Returned(Box<Request<WasiBody>>),
    Failed(Error),
}

/// Why there is no connection.
pub(crate) enum Unopened {
    Failed(Error),
    /// The other side's certificate is not trusted, or not for its name.
    Certificate(CertificateError),
}

impl From<Error> for Unopened {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Connection {
    pub async fn open(target: &Target, address: IpAddr, tls: &TlsConnector) -> Result<Self, Unopened> {
        let stream =
            TcpStream::connect(SocketAddr::new(address, target.port)).await.map_err(Error::Connect)?;
        stream.set_nodelay(true).map_err(Error::Connect)?;
        if !target.tls {
            return Ok(Self::start(stream).await?);
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let stream = tls.connect(name, stream).await.map_err(tls_error)?;
        Ok(Self::start(stream).await?)
    }

    pub(super) async fn start(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, Error> {
        let mut builder = Builder::new();
        builder.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let payer = Arc::<Payer>::default();
        let billed = payer.clone();
        let driver = tokio::spawn(async move {
            if let Err(error) = billed.measure(connection).await {
                tracing::debug!("an outgoing connection ended: {error}");
            }
        });
        Ok(Self { sender, driver, payer })
    }

    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// A connection from the pool, if it takes another request.
    pub async fn ready(mut self) -> Option<Self> {
        let ready = tokio::time::timeout(READY_TIME_MAX, self.sender.ready()).await;
        matches!(ready, Ok(Ok(()))).then_some(self)
    }

    pub async fn send(&mut self, request: Request<WasiBody>) -> Result<Response<Incoming>, Unsent> {
        self.payer.charge_running();
        let sent = self.sender.try_send_request(request).await;
        let response = sent.map_err(|mut error| match error.take_message() {
            Some(request) => Unsent::Returned(Box::new(request)),
            None => Unsent::Failed(failed(error.into_error())),
        })?;
        // The buffer may have been filled beyond the limit by one last read.
        if head_bytes(response.headers()) > HEAD_BYTES_MAX {
            return Err(Unsent::Failed(head_too_large()));
        }
        Ok(response)
    }
}

/// A head over the limits is told as that, and not as a server that does not speak HTTP.
fn failed(error: hyper::Error) -> Error {
    if error.is_parse_too_large() { head_too_large() } else { Error::Hyper(error) }
}

fn head_too_large() -> Error {
    Error::HttpResponseHeaderSectionSize(u32::try_from(HEAD_BYTES_MAX).ok())
}

fn tls_error(error: std::io::Error) -> Unopened {
    let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match refused {
        Some(rustls::Error::InvalidCertificate(reason)) => Unopened::Certificate(reason.clone()),
        _ => Unopened::Failed(Error::Tls(error)),
    }
}
