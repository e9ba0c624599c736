//! A request and its answer on their way past the tape.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use quantum_core::recording::{Asked, Data, Header, HttpAnswer, HttpBodyEnd, Why};
use wasmtime_wasi_http::{Error, WasiBody};

use super::failure::{error, failure};
use super::recorder::{Place, Recorder};
use super::replayer::{Exchange, Replayer};
use crate::egress::AttemptEgress;

/// Sends it, and takes down what was sent and what came.
pub(crate) fn recorded<F: Future<Output = Result<Response<WasiBody>, Error>>>(
    recorder: Arc<Recorder>,
    egress: Arc<AttemptEgress>,
    request: Request<WasiBody>,
    send: impl FnOnce(Request<WasiBody>) -> F,
) -> impl Future<Output = Result<Response<WasiBody>, Error>> {
    let place = recorder.begin(asked(&request));
    let request = request.map(|body| {
        let tee = Sending { body, recorder: recorder.clone(), place };
        if tee.body.is_end_stream() {
            tee.recorder.sent(place, &[], true);
        }
        tee.boxed_unsync()
    });
    let sent = send(request);
    async move {
        let sent = sent.await;
        let head = sent.as_ref().map(head).map_err(|error| failure(error, egress.notes()));
        recorder.answered(place, head);
        sent.map(|response| response.map(|body| Coming { body, recorder, egress, place }.boxed_unsync()))
    }
}

/// Answers it as it was answered. It has its turn when the guest makes it, and not when its body is taken.
pub(crate) fn replayed(
    replayer: Arc<Replayer>,
    egress: Arc<AttemptEgress>,
    request: Request<WasiBody>,
) -> impl Future<Output = Result<Response<WasiBody>, Error>> {
    let exchange = replayer.exchange(&asked(&request));
    async move {
        let exchange = exchange.map_err(|_| Error::HttpRequestDenied)?;
        take(&replayer, &exchange, request.into_body()).await?;
        answer(replayer, egress, exchange).await
    }
}

async fn answer(
    replayer: Arc<Replayer>,
    egress: Arc<AttemptEgress>,
    exchange: Exchange,
) -> Result<Response<WasiBody>, Error> {
    match exchange.answer {
        None => {
            replayer.never(&exchange.asked).await;
            Err(Error::HttpResponseTimeout)
        }
        Some(Err(failed)) => Err(error(&failed, egress.notes())),
        Some(Ok(answer)) => {
            egress.notes().clear();
            let HttpAnswer { status, headers, pieces, trailers, end } = answer;
            let pieces =
                pieces.into_iter().map(|piece| Bytes::from(piece.0)).filter(|piece| !piece.is_empty());
            let again = Again {
                pieces: pieces.collect(),
                trailers: (!trailers.is_empty()).then(|| map(trailers)),
                end: Some(end),
                asked: exchange.asked,
                replayer,
                egress,
            };
            let mut response = Response::new(again.boxed_unsync());
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
            *response.headers_mut() = map(headers);
            Ok(response)
        }
    }
}

/// Takes as much of the body as had been sent before the answer began, and compares.
async fn take(replayer: &Replayer, exchange: &Exchange, mut body: WasiBody) -> Result<(), Error> {
    let sent = &exchange.sent;
    let needed = usize::try_from(sent.before_answer).unwrap_or(usize::MAX);
    let to_the_end = sent.whole && needed >= sent.body.0.len();
    let mut taken = Vec::new();
    while to_the_end || taken.len() < needed {
        let Some(frame) = body.frame().await else { break };
        if let Ok(bytes) = frame?.into_data() {
            taken.extend_from_slice(&bytes);
        }
        if !sent.body.0.starts_with(taken.get(..taken.len().min(sent.body.0.len())).unwrap_or_default()) {
            break;
        }
    }
    let expected = sent.body.0.as_slice();
    let same = if to_the_end {
        taken == expected
    } else {
        taken.starts_with(expected.get(..needed).unwrap_or_default())
    };
    if !same {
        replayer.stop(Why::body(&exchange.asked, expected, &taken));
        return Err(Error::HttpRequestDenied);
    }
    Ok(())
}

fn asked(request: &Request<WasiBody>) -> Asked {
    Asked::HttpRequest {
        method: request.method().to_string(),
        url: request.uri().to_string(),
        headers: list(request.headers()),
    }
}

fn head(response: &Response<WasiBody>) -> HttpAnswer {
    HttpAnswer {
        status: response.status().as_u16(),
        headers: list(response.headers()),
        pieces: Vec::new(),
        trailers: Vec::new(),
        end: HttpBodyEnd::Open,
    }
}

fn list(fields: &HeaderMap) -> Vec<Header> {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        Header(name.to_string(), Data(value.as_bytes().to_vec()))
    };
    fields.iter().map(field).collect()
}

/// What no head can have is left out.
fn map(list: Vec<Header>) -> HeaderMap {
    let fields = list.into_iter().filter_map(|Header(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(&value.0).ok()?))
    });
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(name, value);
    }
    map
}

/// The body of a request that is recorded.
struct Sending {
    body: WasiBody,
    recorder: Arc<Recorder>,
    place: Place,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => self.recorder.sent(self.place, &[], true),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map(Bytes::as_ref).unwrap_or_default();
                self.recorder.sent(self.place, bytes, self.body.is_end_stream());
            }
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer that is recorded, as far as the guest reads it.
struct Coming {
    body: WasiBody,
    recorder: Arc<Recorder>,
    egress: Arc<AttemptEgress>,
    place: Place,
}

impl Body for Coming {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => self.recorder.body_ended(self.place, HttpBodyEnd::Whole),
            Poll::Ready(Some(Err(error))) => {
                let failed = failure(error, self.egress.notes());
                self.recorder.body_ended(self.place, HttpBodyEnd::Failed(failed));
            }
            Poll::Ready(Some(Ok(frame))) => match (frame.data_ref(), frame.trailers_ref()) {
                (Some(bytes), _) => self.recorder.piece(self.place, bytes),
                (None, Some(trailers)) => {
                    let trailers = list(trailers);
                    let bytes = trailers.iter().map(|header| header.0.len() + header.1.bytes()).sum();
                    self.recorder.body(self.place, bytes, |answer| {
                        (answer.trailers, answer.end) = (trailers, HttpBodyEnd::Whole);
                    });
                }
                (None, None) => {}
            },
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a recorded answer.
struct Again {
    pieces: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    /// None: it was told.
    end: Option<HttpBodyEnd>,
    asked: Asked,
    replayer: Arc<Replayer>,
    egress: Arc<AttemptEgress>,
}

impl Body for Again {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match self.end.take() {
            None | Some(HttpBodyEnd::Whole) => Poll::Ready(None),
            Some(HttpBodyEnd::Failed(failed)) => Poll::Ready(Some(Err(error(&failed, self.egress.notes())))),
            Some(HttpBodyEnd::Open) => {
                self.replayer.unread(&self.asked);
                self.end = Some(HttpBodyEnd::Open);
                Poll::Pending
            }
        }
    }
}
