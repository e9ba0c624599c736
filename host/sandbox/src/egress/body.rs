//! The bodies of a request and of its answer: counted, capped, and with a limit between two bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use super::connection::Connection;
use super::notes::Notes;
use super::pool::{Key, Pool};

/// Bytes that an attempt sent and received, heads included.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    pub fn sent_bytes(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub fn received_bytes(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub fn count_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn count_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Bytes of the fields as HTTP/1.1 writes them.
pub(crate) fn head_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// The body of a request, counted as it leaves. Over a limit it fails, and its connection is cut, so that no server
/// takes it for complete.
pub(crate) struct Outgoing {
    pub body: WasiBody,
    pub traffic: Arc<Traffic>,
    pub bytes_left: u64,
    pub bytes_max: u64,
    /// Bytes that the whole attempt may send.
    pub sent_bytes_max: u64,
    pub notes: Arc<Notes>,
}

impl Outgoing {
    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let left = self.bytes_left.checked_sub(bytes as u64);
        let Some(left) = left else { return Err(self.over(self.bytes_max, "request's body")) };
        self.bytes_left = left;
        if self.traffic.sent_bytes().saturating_add(bytes as u64) > self.sent_bytes_max {
            return Err(self.over(self.sent_bytes_max, "attempt's requests together"));
        }
        self.traffic.count_sent(bytes);
        Ok(frame)
    }

    fn over(&self, bytes_max: u64, whose: &str) -> Error {
        self.notes.hint(format!("the host sends at most {bytes_max} bytes of one {whose}"));
        Error::HttpRequestBodySize(Some(bytes_max))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map(|frame| Some(frame?.and_then(|frame| self.take(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a person does about an answer that is too large.
pub(crate) fn too_large(bytes_max: u64, ceiling: u64) -> String {
    let told = format!("the host takes at most {bytes_max} bytes of an answer here");
    if bytes_max >= ceiling {
        return told;
    }
    format!(
        "{told}; a plugin that needs more says so by \"response_bytes_max\" under \"capabilities.http\" of its \
         manifest"
    )
}

/// The body of an answer. Read to its end it gives its connection back; dropped before, it closes it.
pub(crate) struct Answer {
    pub incoming: Incoming,
    pub connection: Option<Connection>,
    pub pool: Arc<Pool>,
    pub key: Key,
    pub traffic: Arc<Traffic>,
    pub notes: Arc<Notes>,
    pub bytes_left: u64,
    pub bytes_max: u64,
    /// The most that a grant can ask for.
    pub bytes_ceiling: u64,
    /// Bytes that the whole attempt may receive.
    pub received_bytes_max: u64,
    pub between_bytes: Duration,
    pub silence: Pin<Box<Sleep>>,
    /// One of the attempt's open requests.
    pub open: Option<OwnedSemaphorePermit>,
}

impl Answer {
    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        self.traffic.count_received(bytes);
        let Some(left) = self.bytes_left.checked_sub(bytes as u64) else {
            return Err(self.over(self.bytes_max, too_large(self.bytes_max, self.bytes_ceiling)));
        };
        self.bytes_left = left;
        let together_max = self.received_bytes_max;
        if self.traffic.received_bytes() > together_max {
            let hint =
                format!("the host takes at most {together_max} bytes of one attempt's answers together");
            return Err(self.over(together_max, hint));
        }
        self.silence.as_mut().reset(Instant::now() + self.between_bytes);
        Ok(frame)
    }

    fn over(&mut self, bytes_max: u64, hint: String) -> Error {
        self.connection = None;
        self.notes.hint(hint);
        Error::HttpResponseBodySize(Some(bytes_max))
    }

    fn end(&mut self) {
        self.open = None;
        if let Some(connection) = self.connection.take() {
            self.pool.put(self.key.clone(), connection);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(None) => {
                self.end();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                let taken = self.take(frame);
                if taken.is_ok() && self.incoming.is_end_stream() {
                    self.end();
                }
                Poll::Ready(Some(taken))
            }
            Poll::Ready(Some(Err(error))) => {
                self.connection = None;
                Poll::Ready(Some(Err(Error::Hyper(error))))
            }
            Poll::Pending => {
                self.silence.as_mut().poll(context).map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
