//! The service that steps call: it counts what it is asked, fails first where it is told to, and holds answers back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Listens on loopback until it is dropped.
pub struct Service {
    address: SocketAddr,
    state: Arc<State>,
    /// A path for each request that came.
    pub requests: mpsc::UnboundedReceiver<String>,
    accepting: JoinHandle<()>,
}

struct State {
    /// Effects by the body of `POST /effect`.
    effects: Mutex<BTreeMap<String, Effects>>,
    /// A permit for each `/hold` that may be answered.
    gate: Semaphore,
    came: mpsc::UnboundedSender<String>,
}

/// What came for one body.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    pub refused: usize,
    pub done: usize,
    /// One, if every attempt of the step said the same.
    pub idempotency_keys: BTreeSet<String>,
}

impl Service {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (came, requests) = mpsc::unbounded_channel();
        let state = Arc::new(State { effects: Mutex::default(), gate: Semaphore::new(0), came });
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Self { address, state, requests, accepting }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets so many held requests go.
    pub fn let_go(&self, count: usize) {
        self.state.gate.add_permits(count);
    }

    pub fn effects(&self) -> BTreeMap<String, Effects> {
        self.state.effects.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &state));
            // A host that is killed breaks its connections.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: &State) -> hyper::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let key = parts.headers.get("idempotency-key").map_or("", |key| key.to_str().unwrap()).to_owned();
    let path = parts.uri.path().to_owned();
    // A request that breaks off has no effect.
    let body = body.collect().await?.to_bytes();
    // Nobody listens any more when the test is over.
    let _over = state.came.send(path.clone());
    let status = match path.as_str() {
        "/effect" => effect(state, String::from_utf8_lossy(&body).into_owned(), key),
        "/hold" => {
            state.gate.acquire().await.unwrap().forget();
            200
        }
        _ => 404,
    };
    Ok(Response::builder().status(status).body(Full::default()).unwrap())
}

/// The first request of each body is refused, so that every such step is retried.
fn effect(state: &State, body: String, key: String) -> u16 {
    let mut effects = state.effects.lock().unwrap();
    let effects = effects.entry(body).or_default();
    effects.idempotency_keys.insert(key);
    if effects.refused == 0 {
        effects.refused = 1;
        return 503;
    }
    effects.done += 1;
    200
}
