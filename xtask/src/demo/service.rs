//! The service that the demo's intents talk to. It misbehaves in ways that are counted, not timed.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::http;

/// How many checks find the service still starting.
pub const STARTING_CHECKS: u32 = 2;

const RELEASE: &str =
    r#"{"version":"2.4.0","checks":[{"name":"unit","passed":true},{"name":"load","passed":true}]}"#;
const NOT_FOUND: &str = r#"{"error":"this service has /release, /health and /hold"}"#;

/// Runs until the process ends.
pub struct Service {
    address: SocketAddr,
    state: Arc<State>,
    held: Receiver<()>,
}

/// What all connections share.
#[derive(Default)]
struct State {
    /// Requests by path.
    counts: Mutex<BTreeMap<String, u32>>,
    /// `/hold` is answered from now on.
    let_go: AtomicBool,
}

impl Service {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(Error::network("127.0.0.1"))?;
        let address = listener.local_addr().map_err(Error::network("127.0.0.1"))?;
        let (holding, held) = channel();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || accept(&listener, &shared, &holding));
        Ok(Self { address, state, held })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> u32 {
        self.state.counts.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied().unwrap_or(0)
    }

    /// Waits until a request for `/hold` has come and is not answered. False: none came in time.
    pub fn wait_held(&self, most: std::time::Duration) -> bool {
        self.held.recv_timeout(most).is_ok()
    }

    /// Answers further requests for `/hold`; those that are held stay so.
    pub fn let_go(&self) {
        self.state.let_go.store(true, Ordering::SeqCst);
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>, holding: &Sender<()>) {
    for stream in listener.incoming().flatten() {
        let (state, holding) = (Arc::clone(state), holding.clone());
        // A peer that goes away in the middle is part of the demo: the error has no reader.
        std::thread::spawn(move || serve(stream, &state, &holding));
    }
}

/// Every request of one connection.
fn serve(mut stream: TcpStream, state: &State, holding: &Sender<()>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(head) = http::read_head(&mut reader)? {
        let length = head.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let path = head.first_line.split(' ').nth(1).unwrap_or("/").to_owned();
        let nth = state.count(&path);
        if path == "/hold" && !state.let_go.load(Ordering::SeqCst) {
            _ = holding.send(());
            // Never answered: ends when the peer is gone.
            return reader.read_to_end(&mut Vec::new()).map(drop);
        }
        let (status, body) = answer(&path, nth);
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
    }
    Ok(())
}

impl State {
    fn count(&self, path: &str) -> u32 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = counts.entry(path.to_owned()).or_default();
        *seen += 1;
        *seen
    }
}

/// The answer to the `nth` request for a path, from 1.
fn answer(path: &str, nth: u32) -> (&'static str, &'static str) {
    const UNAVAILABLE: &str = "503 Service Unavailable";
    match path {
        "/release" if nth == 1 => (UNAVAILABLE, r#"{"error":"warming up"}"#),
        "/release" => ("200 OK", RELEASE),
        "/health" if nth <= STARTING_CHECKS => (UNAVAILABLE, r#"{"status":"starting"}"#),
        "/health" => ("200 OK", r#"{"status":"ok"}"#),
        "/hold" => ("200 OK", r#"{"held":false}"#),
        _ => ("404 Not Found", NOT_FOUND),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn get(service: &Service, path: &str) -> u16 {
        let request = http::Request { method: "GET", path, headers: &[], body: "" };
        http::send(&service.url(), request).unwrap().status
    }

    #[test]
    fn the_service_fails_first_becomes_healthy_and_counts() {
        let service = Service::start().unwrap();
        let statuses = |path: &str| [get(&service, path), get(&service, path), get(&service, path)];
        assert_eq!(statuses("/release"), [503, 200, 200]);
        assert_eq!(statuses("/health"), [503, 503, 200]);
        assert_eq!(statuses("/other"), [404, 404, 404]);
        assert_eq!((service.count("/release"), service.count("/never")), (3, 0));
    }

    #[test]
    fn a_hold_is_told_and_not_answered_until_it_is_let_go() {
        let service = Service::start().unwrap();
        let mut first = TcpStream::connect(service.address).unwrap();
        first.write_all(b"POST /hold HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert!(service.wait_held(Duration::from_secs(30)));
        service.let_go();
        assert_eq!(get(&service, "/hold"), 200);
    }
}
