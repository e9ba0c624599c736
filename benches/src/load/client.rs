//! One client: one connection that stays open, one request at a time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};

use super::error::Error;

/// For an answer: longer than any wait that is asked for.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// Loopback addresses that callers come from.
const ADDRESSES: usize = 200;

pub struct Client {
    host: String,
    token: String,
    sender: SendRequest<Full<Bytes>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Answer {
    /// Err names what was wanted, and shows the answer.
    pub fn expect(self, what: &'static str, status: StatusCode) -> Result<Self, Error> {
        if self.status == status {
            return Ok(self);
        }
        Err(self.unexpected(what))
    }

    pub fn unexpected(&self, what: &'static str) -> Error {
        Error::Answer {
            what,
            status: self.status.as_u16(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
        }
    }
}

impl Client {
    /// To a server at `http://address:port`.
    pub async fn connect(url: &str, token: &str) -> Result<Self, Error> {
        Self::connect_as(0, url, token).await
    }

    /// As the caller of this number.
    pub async fn connect_as(number: usize, url: &str, token: &str) -> Result<Self, Error> {
        let host = url.trim_start_matches("http://").to_owned();
        let failed = |source| Error::Connect { address: host.clone(), source };
        let stream = dial(number, &host).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| failed(std::io::Error::other(error)))?;
        // It ends with the sender; what goes wrong before that, the request says.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { host, token: token.to_owned(), sender })
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer, Error> {
        self.send(Method::GET, path, "").await
    }

    /// The body is JSON, or empty.
    pub async fn post(&mut self, path: &str, body: &str) -> Result<Answer, Error> {
        self.send(Method::POST, path, body).await
    }

    async fn send(&mut self, method: Method, path: &str, body: &str) -> Result<Answer, Error> {
        let overdue = |_| Error::Overdue { path: path.to_owned(), seconds: ANSWER_MAX.as_secs() };
        tokio::time::timeout(ANSWER_MAX, self.exchange(method, path, body)).await.map_err(overdue)?
    }

    async fn exchange(&mut self, method: Method, path: &str, body: &str) -> Result<Answer, Error> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())));
        let request = request.map_err(|source| Error::Request { path: path.to_owned(), source })?;
        let failed = |source| Error::Send { path: path.to_owned(), source };
        self.sender.ready().await.map_err(failed)?;
        let answer = self.sender.send_request(request).await.map_err(failed)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(failed)?.to_bytes();
        Ok(Answer { status, body })
    }
}

/// A host allows one address so many connections: callers come from addresses of their own, as people do. Where the
/// machine has only one loopback address, they share it.
async fn dial(number: usize, host: &str) -> std::io::Result<TcpStream> {
    let server: SocketAddr = host.parse().map_err(std::io::Error::other)?;
    let part = u8::try_from(number % ADDRESSES).unwrap_or_default();
    let socket = TcpSocket::new_v4()?;
    _ = socket.bind(SocketAddr::from(([127, 0, 0, 1 + part], 0)));
    socket.connect(server).await
}
