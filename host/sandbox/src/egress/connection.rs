//! One connection to a checked address: TCP, TLS with the name that was asked for, HTTP/1.1.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, WasiBody};

use super::target::Target;

/// Headers of an answer, and bytes of all of them. Over it the answer is refused.
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long a connection that was just given back may take to be ready again.
const READY_TIME_MAX: Duration = Duration::from_millis(50);

pub(crate) struct Connection {
    sender: SendRequest<WasiBody>,
    /// Moves the bytes; ends with the connection.
    driver: JoinHandle<()>,
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

impl Connection {
    pub async fn open(target: &Target, address: IpAddr, tls: &TlsConnector) -> Result<Self, Error> {
        let stream =
            TcpStream::connect(SocketAddr::new(address, target.port)).await.map_err(Error::Connect)?;
        stream.set_nodelay(true).map_err(Error::Connect)?;
        if !target.tls {
            return Self::start(stream).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let stream = tls.connect(name, stream).await.map_err(tls_error)?;
        Self::start(stream).await
    }

    async fn start(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Self, Error> {
        let mut builder = Builder::new();
        builder.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("an outgoing connection ended: {error}");
            }
        });
        Ok(Self { sender, driver })
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
        self.sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => Unsent::Returned(Box::new(request)),
            None => Unsent::Failed(Error::Hyper(error.into_error())),
        })
    }
}

/// The web's certificate authorities, and those that the operator adds. Sessions are not resumed: a ticket would be
/// shared between tenants.
pub(crate) fn tls(authorities: &[Vec<u8>]) -> Result<TlsConnector, rustls::Error> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    for authority in authorities {
        roots.add(authority.clone().into())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn tls_error(error: std::io::Error) -> Error {
    let certificate = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match certificate {
        Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
        _ => Error::Tls(error),
    }
}
