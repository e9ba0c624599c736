//! A server on loopback: one thread a connection, one function for all requests. It remembers what came, so that a test
//! can say what was never sent.

use std::io::{BufReader, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::body::{self, ChunkWriter};
use super::{Body, Received, Reply, read_head};
use crate::error::Error;

/// Bytes of a request's body: layers of the demo's images are far smaller. A larger one ends the connection.
const BODY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Listens until it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

type Handler = Box<dyn Fn(&Received) -> Reply + Send + Sync>;

struct Shared {
    handler: Handler,
    seen: Mutex<Vec<Seen>>,
    stopping: AtomicBool,
}

/// A request that came, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// The whole header; empty: none.
    pub authorization: String,
    pub status: u16,
}

impl Server {
    /// At a free port of loopback, before anything is asked of it: for servers that tell their own address.
    pub fn bind() -> std::result::Result<(TcpListener, String), Error> {
        let failed = || Error::network("127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed())?;
        let url = format!("http://{}", listener.local_addr().map_err(failed())?);
        Ok((listener, url))
    }

    pub fn start(
        listener: TcpListener,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> std::result::Result<Self, Error> {
        let address = listener.local_addr().map_err(Error::network("127.0.0.1"))?;
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            seen: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let accepted = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || accept(&listener, &accepted));
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, in the order of their answers.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; connections that are open end with their peers.
        _ = TcpStream::connect(self.address);
        _ = self.accepting.take().map(JoinHandle::join);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        // A peer that goes away in the middle is nobody's fault: the error has no reader.
        std::thread::spawn(move || serve(stream, &shared));
    }
}

/// Every request of one connection.
fn serve(mut stream: TcpStream, shared: &Shared) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(head) = read_head(&mut reader)? {
        let has_body = head.is_chunked() || head.header("content-length").is_some();
        let closes = head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let bytes = if has_body { body::read(&mut reader, &head, BODY_BYTES_MAX)? } else { Vec::new() };
        let request = Received::new(head, bytes);
        let reply = (shared.handler)(&request);
        shared.note(&request, reply.status);
        write_reply(&mut stream, &request.method, reply)?;
        if closes || shared.stopping.load(Ordering::SeqCst) {
            break;
        }
    }
    Ok(())
}

impl Shared {
    fn note(&self, request: &Received, status: u16) {
        let seen = Seen {
            method: request.method.clone(),
            path: request.path.clone(),
            authorization: request.header("authorization").unwrap_or_default().to_owned(),
            status,
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}

fn write_reply(stream: &mut TcpStream, method: &str, reply: Reply) -> Result<()> {
    let Reply { status, headers, body } = reply;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match body {
        Body::None => Err(std::io::Error::other("the handler gave no answer")),
        Body::Bytes(bytes) => {
            if status != 204 {
                head.push_str(&format!("content-length: {}\r\n", bytes.len()));
            }
            head.push_str("\r\n");
            stream.write_all(head.as_bytes())?;
            if method == "HEAD" { Ok(()) } else { stream.write_all(&bytes) }
        }
        Body::Stream(writing) => {
            head.push_str("transfer-encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            let mut chunks = ChunkWriter::new(stream);
            writing(&mut chunks)?;
            chunks.end()
        }
    }
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Entity",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Request, send};

    fn echo(request: &Received) -> Reply {
        match request.path.as_str() {
            "/stream" => Reply::stream("text/plain", |out| {
                out.write_all(b"one ")?;
                out.write_all(b"two")
            }),
            "/none" => Reply::none(),
            _ => Reply::bytes(200, "text/plain", request.body.clone()),
        }
    }

    fn start() -> Server {
        let (listener, _) = Server::bind().unwrap();
        Server::start(listener, echo).unwrap()
    }

    #[test]
    fn a_request_is_answered_whole_or_bit_by_bit_and_remembered() {
        let server = start();
        let ask = |method, path, body| {
            let request = Request { method, path, headers: &[("authorization", "Bearer t")], body };
            send(&server.url(), request).unwrap()
        };
        assert_eq!(ask("POST", "/", "hi").text(), "hi");
        assert_eq!(ask("GET", "/stream", "").text(), "one two");
        let head = ask("HEAD", "/", "hi");
        assert_eq!((head.header("content-length"), head.text().as_str()), (Some("2"), ""));
        let seen: Vec<_> = server.seen().into_iter().map(|s| (s.method, s.path, s.authorization)).collect();
        let expected = [("POST", "/"), ("GET", "/stream"), ("HEAD", "/")];
        assert_eq!(seen, expected.map(|(m, p)| (m.to_owned(), p.to_owned(), "Bearer t".to_owned())));
    }

    #[test]
    fn a_request_without_an_answer_ends_the_connection() {
        let server = start();
        let request = Request { method: "GET", path: "/none", headers: &[], body: "" };
        assert!(send(&server.url(), request).is_err());
        assert_eq!(server.seen()[0].status, 0);
    }

    #[test]
    fn nobody_listens_after_it_is_dropped() {
        let url = start().url();
        let request = Request { method: "GET", path: "/", headers: &[], body: "" };
        assert!(send(&url, request).is_err());
    }
}
