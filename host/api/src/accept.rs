//! The accept loop: connections with all their bounds, and a stop that lets requests end.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::extract::PeerAddress;
use crate::options::Limits;

/// After an accept that failed for the whole process (too many open files): a loop without a pause would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Between pings of an HTTP/2 connection, and for their answer.
const PING: Duration = Duration::from_secs(20);
/// Streams of an HTTP/2 connection that the client reset and nobody has looked at yet.
const RESET_STREAMS_MAX: usize = 20;

/// Serves until `shutdown`, then lets requests end within the grace period, and closes what is left.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let loop_ = Arc::new(Loop {
        builder: builder(&limits),
        places: Arc::new(Semaphore::new(limits.connections_max)),
        addresses: Addresses::default(),
        killed: CancellationToken::new(),
        router,
        limits,
        shutdown,
    });
    let connections = TaskTracker::new();
    while let Some((stream, peer, place)) = loop_.accept(&listener).await {
        if let Some(seat) = loop_.addresses.take(peer.ip(), loop_.limits.connections_per_address_max) {
            let shared = loop_.clone();
            connections.spawn(async move {
                shared.connection(stream, peer).await;
                drop((place, seat));
            });
        }
    }
    connections.close();
    if tokio::time::timeout(loop_.limits.shutdown_grace, connections.wait()).await.is_err() {
        loop_.killed.cancel();
        connections.wait().await;
    }
    Ok(())
}

struct Loop {
    builder: auto::Builder<TokioExecutor>,
    places: Arc<Semaphore>,
    addresses: Addresses,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
    /// The grace period is over.
    killed: CancellationToken,
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.head_bytes_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

impl Loop {
    /// A connection with a place. None: the host stops.
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        loop {
            // The place comes first: what has none waits in the kernel's backlog.
            let place = tokio::select! {
                place = self.places.clone().acquire_owned() => place.ok()?,
                () = self.shutdown.cancelled() => return None,
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.shutdown.cancelled() => return None,
            };
            match accepted {
                Ok((stream, peer)) => return Some((stream, peer, place)),
                Err(error) if is_of_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "no connection could be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        // Small answers leave at once; when it cannot be set they are only late.
        let _late = stream.set_nodelay(true);
        let asked = Arc::new(AtomicBool::new(false));
        let service = service_fn(|request| answer(self.router.clone(), peer.ip(), asked.clone(), request));
        let connection = self.builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let silent = tokio::time::sleep(self.limits.header_read);
        let aged = tokio::time::sleep(self.limits.connection_age_max);
        tokio::pin!(silent, aged);
        let (mut watching, mut closing) = (true, false);
        loop {
            tokio::select! {
                _ = connection.as_mut() => return,
                () = self.killed.cancelled() => return,
                // Before its first request hyper may still be finding out the protocol, without a time limit.
                () = &mut silent, if watching => {
                    watching = false;
                    if !asked.load(Ordering::Relaxed) {
                        return;
                    }
                }
                () = self.shutdown.cancelled(), if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut aged, if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

async fn answer(
    router: Router,
    peer: IpAddr,
    asked: Arc<AtomicBool>,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    asked.store(true, Ordering::Relaxed);
    request.extensions_mut().insert(PeerAddress(peer));
    router.oneshot(request.map(Body::new)).await
}

/// Errors of one connection, not of the listener.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// How many connections each address has.
#[derive(Default, Clone)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address; given back when dropped.
struct Seat {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    /// None: the address has all that it may have.
    fn take(&self, address: IpAddr, max: usize) -> Option<Seat> {
        let address = address.to_canonical();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= max {
            metrics::counter!("quantum_connections_refused_total").increment(1);
            return None;
        }
        *count += 1;
        Some(Seat { addresses: self.clone(), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
