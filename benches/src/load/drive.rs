//! The closed loop: each client sends its next request when it has the answer to the one before.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use hdrhistogram::Histogram;

use super::client::Client;
use super::error::Error;
use super::setup::execute;

/// Microseconds of the slowest answer that a histogram holds; slower ones count as this.
const MICROS_MAX: u64 = 60_000_000;
/// Significant digits of a figure.
const DIGITS: u8 = 3;

/// What the clients saw.
pub struct Driven {
    /// Microseconds from the request to the end of the answer.
    pub latency_us: Histogram<u64>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

/// Executes with all clients for `span`; an execution that was begun is waited for.
pub async fn drive(clients: &mut [Client], span: Duration) -> Result<Driven, Error> {
    let began = Instant::now();
    let parts = try_join_all(clients.iter_mut().map(|client| repeat(client, began, span))).await?;
    let elapsed = began.elapsed();
    let mut latency_us = histogram();
    for part in parts {
        latency_us.add(part).expect("the histograms have the same bounds");
    }
    Ok(Driven { latency_us, elapsed })
}

async fn repeat(client: &mut Client, began: Instant, span: Duration) -> Result<Histogram<u64>, Error> {
    let mut latency_us = histogram();
    loop {
        let sent = Instant::now();
        execute(client).await?;
        latency_us.saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
        if began.elapsed() >= span {
            return Ok(latency_us);
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(MICROS_MAX, DIGITS).expect("the bounds are valid")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use bytes::Bytes;
    use http::Response;
    use http_body_util::Full;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;

    use super::*;

    /// Answers every request with this body; counts connections and requests.
    async fn server(body: &'static str) -> (String, Arc<[AtomicU64; 2]>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let shared = counts.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared[0].fetch_add(1, Ordering::Relaxed);
                let shared = shared.clone();
                let answer = service_fn(move |_| {
                    shared[1].fetch_add(1, Ordering::Relaxed);
                    async move {
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(body.as_bytes()))))
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        (url, counts)
    }

    #[tokio::test]
    async fn every_answer_is_counted_once_on_connections_that_stay() {
        let (url, counts) = server(r#"{"status":"succeeded"}"#).await;
        let clients = (0..4).map(|number| Client::connect_as(number, &url, "token"));
        let mut clients = try_join_all(clients).await.unwrap();
        for span in [Duration::ZERO, Duration::from_millis(5)] {
            let before = counts[1].load(Ordering::Relaxed);
            let driven = drive(&mut clients, span).await.unwrap();
            assert!(driven.latency_us.len() >= 4 && driven.elapsed >= span);
            assert_eq!(counts[1].load(Ordering::Relaxed) - before, driven.latency_us.len());
        }
        assert_eq!(counts[0].load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn an_execution_that_did_not_succeed_ends_the_run_with_its_text() {
        let (url, _) = server(r#"{"status":"failed","error":{"code":"step-denied"}}"#).await;
        let mut clients = [Client::connect(&url, "").await.unwrap()];
        let Err(error) = drive(&mut clients, Duration::ZERO).await else { panic!("it counted") };
        assert!(error.to_string().contains("step-denied"), "{error}");
    }
}
